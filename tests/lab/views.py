"""How rows are shown: the API's organization shapes, as lists of names.

Source: bitwarden/server OrganizationResponseModel.cs, ProfileOrganizationResponseModel.cs.
"""

from __future__ import annotations

from tests.lab import compliance
from tests.lab.core import World
from tests.lab.state import Row

# plan type: (display name, product tier)
PLANS = {
    0: ("Free", 0),
    1: ("Families 2019", 1),
    7: ("Families 2025", 1),
    22: ("Families", 1),
    16: ("Teams Starter 2023", 4),
    17: ("Teams (Monthly)", 2),
    18: ("Teams (Annually)", 2),
    19: ("Enterprise (Monthly)", 3),
    20: ("Enterprise (Annually)", 3),
    21: ("Teams Starter", 4),
}
TEAMS, ENTERPRISE = 2, 3

# Abilities that a license carries: name -> value in an Enterprise organization.
ABILITIES: dict[str, bool] = {
    "useGroups": True,
    "useDirectory": True,
    "useTotp": True,
    "selfHost": True,
    "usersGetPremium": True,
    "useEvents": True,
    "use2fa": True,
    "useApi": True,
    "usePolicies": True,
    "useSso": True,
    "useResetPassword": True,
    "useKeyConnector": True,
    "useScim": True,
    "useCustomPermissions": True,
    "usePasswordManager": True,
    "useSecretsManager": False,
    "useOrganizationDomains": True,
    "useRiskInsights": False,
    "useAdminSponsoredFamilies": True,
    "useAutomaticUserConfirmation": False,
    "usePhishingBlocker": False,
    "useDisableSmAdsForUsers": False,
    "useMyItems": True,
    "useInviteLinks": False,
    "usePam": False,
}
# What a Teams organization has of them.
_TEAMS_HAS = (
    "useGroups",
    "useDirectory",
    "useTotp",
    "usersGetPremium",
    "useEvents",
    "use2fa",
    "useApi",
    "useScim",
    "usePasswordManager",
)
LIMITS: Row = {"maxCollections": None, "maxStorageGb": 1, "smSeats": None, "smServiceAccounts": None}
SETTINGS: Row = {
    "limitCollectionCreation": False,
    "limitCollectionDeletion": False,
    "limitItemDeletion": False,
    "allowAdminAccessToAllCollectionItems": False,
}
_ADDRESS: Row = dict.fromkeys(
    ("businessAddress1", "businessAddress2", "businessAddress3", "businessCountry", "businessTaxNumber", "secretsManagerPlan")
)
_AUTOSCALE: Row = dict.fromkeys(("maxAutoscaleSeats", "maxAutoscaleSmSeats", "maxAutoscaleSmServiceAccounts"))
NO_PERMISSIONS = dict.fromkeys(
    (
        "accessEventLogs",
        "accessImportExport",
        "accessReports",
        "createNewCollections",
        "editAnyCollection",
        "deleteAnyCollection",
        "manageGroups",
        "managePolicies",
        "manageSso",
        "manageUsers",
        "manageResetPassword",
        "manageScim",
    ),
    False,
)


def tier(row: Row) -> int:
    """Return an organization's product tier."""
    return PLANS.get(row["planType"], ("", -1))[1]


def plan_fields(plan_type: int) -> Row:
    """Return what an organization's row takes from its plan."""
    name, of_tier = PLANS[plan_type]
    abilities = {ability: on and (of_tier != TEAMS or ability in _TEAMS_HAS) for ability, on in ABILITIES.items()}
    return {"plan": name, "planType": plan_type, **abilities}


def organization(row: Row) -> Row:
    """Show an organization to its owner."""
    names = ("id", "name", "businessName", "billingEmail", "planType", "seats", *LIMITS, *ABILITIES, *SETTINGS)
    return {
        "object": "organization",
        **{name: row[name] for name in names},
        **_ADDRESS,
        **_AUTOSCALE,
        "plan": {"object": "plan", "type": row["planType"], "productTier": tier(row), "name": row["plan"]},
        "hasPublicAndPrivateKeys": bool(row["publicKey"] and row["privateKey"]),
    }


def _entry(world: World, row: Row) -> Row:
    names = ("id", "name", "enabled", "seats", "maxCollections", "maxStorageGb", *ABILITIES, *SETTINGS)
    entry = {name: row[name] for name in names}
    entry["useDisableSMAdsForUsers"] = entry.pop("useDisableSmAdsForUsers")  # spelled so in this one shape
    return {
        **entry,
        "identifier": row.get("identifier"),
        "productTierType": tier(row),
        "useActivateAutofillPolicy": False,
        "hasPublicAndPrivateKeys": bool(row["publicKey"] and row["privateKey"]),
        **_single_sign_on(world, row),
        "accessSecretsManager": False,
        "accessPam": False,
    }


def _single_sign_on(world: World, row: Row) -> Row:
    config = world.get("sso", row["id"]) or {"enabled": False, "data": {}}
    how, url = config["data"].get("memberDecryptionType"), config["data"].get("keyConnectorUrl")
    found = {"ssoBound": False, "ssoEnabled": config["enabled"], "ssoMemberDecryptionType": how}
    return {**found, "keyConnectorEnabled": how == 1 and bool(url), "keyConnectorUrl": url}


def profile_organization(world: World, row: Row, member: Row) -> Row:
    """Show an organization to one of its members."""
    link = world.one("provider_organization", organizationId=row["id"])
    provider = world.get("provider", link["providerId"]) if link else None
    own = [
        offer
        for offer in world.find("sponsorship", sponsoringOrganizationUserId=member["id"])
        if not offer.get("isAdminInitiated")
    ]
    offer = own[0] if own else {}
    return {
        "object": "profileOrganization",
        **_entry(world, row),
        "key": member["key"],
        "userId": member["userId"],
        "organizationUserId": member["id"],
        "status": member["status"],
        "type": member["type"],
        "permissions": {**NO_PERMISSIONS, **(member.get("permissions") or {})},
        "resetPasswordEnrolled": bool(member.get("resetPasswordKey")),
        "userIsClaimedByOrganization": compliance.claimed(world, member),
        "providerId": provider["id"] if provider else None,
        "providerName": provider["name"] if provider else None,
        "providerType": provider["type"] if provider else None,
        "familySponsorshipFriendlyName": offer.get("friendlyName"),
        "familySponsorshipAvailable": tier(row) == ENTERPRISE and not offer,
        "familySponsorshipLastSyncDate": offer.get("lastSyncDate"),
        "familySponsorshipValidUntil": offer.get("validUntil"),
        "familySponsorshipToDelete": offer.get("toDelete"),
        "isAdminInitiated": False,
    }


def profile_provider(provider: Row, member: Row) -> Row:
    """Show a provider to one of its users."""
    return {
        "object": "profileProvider",
        "id": provider["id"],
        "name": provider["name"],
        "key": member["key"],
        "status": member["status"],
        "type": member["type"],
        "enabled": provider["enabled"],
        "permissions": dict(NO_PERMISSIONS),
        "userId": member["userId"],
        "useEvents": provider["useEvents"],
        "providerStatus": provider["status"],
        "providerType": provider["type"],
    }


def provider_organization(world: World, provider: Row, link: Row, user_id: str) -> Row:
    """Show a client organization to a user of its provider; the key is wrapped by the provider's key."""
    row = world.get("organization", link["organizationId"]) or {}
    return {
        "object": "profileProviderOrganization",
        **_entry(world, row),
        "key": link["key"],
        "userId": user_id,
        "resetPasswordEnrolled": False,
        "status": 2,
        "type": 0,
        "permissions": dict(NO_PERMISSIONS),
        "providerId": provider["id"],
        "providerName": provider["name"],
        "providerType": provider["type"],
    }
