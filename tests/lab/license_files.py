"""License files as the cloud issues them, signed with the lab's own key: nobody but Bitwarden has Bitwarden's.

Source: bitwarden/server src/Core/Billing/Organizations/Models/OrganizationLicense.cs, Billing/Licenses/**.
"""

from __future__ import annotations

import hashlib
import typing as t
import uuid
from datetime import datetime, timedelta

from tests.lab import crypto, views
from tests.lab.core import World, bad_request, iso, parse
from tests.lab.people import KEYS
from tests.lab.state import Row

SIGNING_KEY = crypto.load_private(KEYS["licenses"]["private"])

# Signed properties: wire name -> (type, license version that added it). Types: see license_checks.
SIGNED: dict[str, tuple[str, int]] = {
    "licenseKey": ("text", 1),
    "installationId": ("guid", 1),
    "id": ("guid", 1),
    "name": ("text", 1),
    "billingEmail": ("text", 1),
    "businessName": ("text", 1),
    "enabled": ("bool", 1),
    "plan": ("text", 1),
    "planType": ("int", 1),
    "seats": ("number", 1),
    "maxCollections": ("number", 1),
    "useGroups": ("bool", 1),
    "useDirectory": ("bool", 1),
    "useTotp": ("bool", 1),
    "selfHost": ("bool", 1),
    "maxStorageGb": ("number", 1),
    "version": ("int", 1),
    "issued": ("date", 1),
    "refresh": ("date?", 1),
    "expires": ("date?", 1),
    "trial": ("bool", 1),
    "usersGetPremium": ("bool", 2),
    "useEvents": ("bool", 3),
    "use2fa": ("bool", 4),
    "useApi": ("bool", 5),
    "usePolicies": ("bool", 6),
    "useSso": ("bool", 7),
    "useResetPassword": ("bool", 8),
    "useKeyConnector": ("bool", 9),
    "useScim": ("bool", 10),
    "useCustomPermissions": ("bool", 11),
    "expirationWithoutGracePeriod": ("date?", 12),
    "usePasswordManager": ("bool", 13),
    "useSecretsManager": ("bool", 13),
    "smSeats": ("number", 13),
    "smServiceAccounts": ("number", 13),
    "limitCollectionCreationDeletion": ("bool", 14),
    "allowAdminAccessToAllCollectionItems": ("bool", 15),
}
# Never part of the signed data.
UNSIGNED: dict[str, str] = {
    "useOrganizationDomains": "bool",
    "useRiskInsights": "bool",
    "useAdminSponsoredFamilies": "bool",
    "useAutomaticUserConfirmation": "bool",
    "usePhishingBlocker": "bool",
    "useDisableSmAdsForUsers": "bool",
    "useMyItems": "bool",
    "useInviteLinks": "bool",
    "usePam": "bool",
    "licenseType": "number",
    "hash": "text",
    "signature": "text",
    "token": "text",
}
# Abilities that the cloud writes into the token only; the outer JSON says false.
_TOKEN_ONLY = (
    "useAutomaticUserConfirmation",
    "usePhishingBlocker",
    "useDisableSmAdsForUsers",
    "useMyItems",
    "useInviteLinks",
    "usePam",
)
_NO_CLAIM = ("version", "hash", "signature", "token")
_UNHASHED = ("issued", "refresh")
_PLAN_WORDS = (
    "Free",
    "FamiliesAnnually",
    "TeamsMonthly",
    "TeamsAnnually",
    "EnterpriseMonthly",
    "EnterpriseAnnually",
    "Custom",
)
_CLAIM_DATE = "%m/%d/%Y %H:%M:%S"


def pascal(name: str) -> str:
    """Turn a wire name into the property's own name."""
    return name[:1].upper() + name[1:]


def issue(world: World, organization: Row, installation_id: str) -> Row:
    """Return the license that the cloud would hand out now for an organization and an installation."""
    issued = world.now()
    return sealed(properties(world, organization, installation_id, issued), world)


def properties(world: World, organization: Row, installation_id: str, issued: datetime) -> Row:
    """Return all properties of a license but hash, signature and token."""
    expires, refresh, soft, trial = _dates(world, organization, issued)
    names = ("id", "name", "billingEmail", "businessName", "enabled", "plan", "planType", "seats", "licenseKey")
    return {
        **{name: organization[name] for name in (*names, *views.LIMITS, *views.ABILITIES)},
        "installationId": installation_id,
        "version": 15,
        "issued": iso(issued),
        "refresh": iso(refresh),
        "expires": iso(expires),
        "expirationWithoutGracePeriod": iso(soft) if soft else None,
        "trial": trial,
        "limitCollectionCreationDeletion": True,
        "allowAdminAccessToAllCollectionItems": True,
        "licenseType": 1,
    }


def _dates(world: World, organization: Row, issued: datetime) -> tuple[datetime, datetime, datetime | None, bool]:
    """Return expires, refresh, expiration without grace period, trial."""
    ends = parse(organization["expirationDate"]) if organization.get("expirationDate") else None
    paid = _payer(world, organization).get("subscription")
    if not paid:
        when = ends or issued + timedelta(days=7)
        return when, when, None, ends is None
    trial_end = parse(paid["trialEnd"]) if paid.get("trialEnd") else None
    if trial_end and trial_end > issued:
        return trial_end, trial_end, None, True
    if ends and ends < issued:
        return ends, ends, None, False
    if paid["periodDays"] > 180:
        period_end = parse(paid["periodEnd"])
        soft = period_end if trial_end and ends and ends > issued else None
        return period_end + timedelta(days=60), issued + timedelta(days=30), soft, False
    when = ends + timedelta(days=334) if ends else issued + timedelta(days=365)
    return when, when, None, False


def _payer(world: World, organization: Row) -> Row:
    """The provider pays for a client that it manages."""
    link = world.one("provider_organization", organizationId=organization["id"]) if organization.get("status") == 2 else None
    provider = world.get("provider", link["providerId"]) if link else None
    return provider or organization


def check_payment(world: World, organization: Row) -> None:
    """Refuse a download that is not paid for (newer clouds do)."""
    if not world.has("payment checks"):
        return
    paid = _payer(world, organization).get("subscription")
    ends = organization.get("expirationDate")
    if not paid and not (ends and parse(ends) > world.now()):
        raise bad_request("No active subscription found.")
    if paid and paid["status"] in ("canceled", "incomplete", "incomplete_expired"):
        raise bad_request(
            "Unable to generate license due to a payment issue."
            " Please update your billing information or contact support for assistance."
        )


def sealed(license_properties: Row, world: World, claims: t.Mapping[str, t.Any] | None = None, *, token: bool = True) -> Row:
    """Return a license with hash, signature and (unless told otherwise) token.

    C(claims) are put over the token's own, for licenses that no cloud would issue.
    """
    found = {**license_properties, **dict.fromkeys(_TOKEN_ONLY, False)}
    found["hash"] = data_hash(found)
    found["signature"] = crypto.b64(crypto.rsa_sign(data_string(found).encode(), SIGNING_KEY))
    found["token"] = _token(license_properties, world, claims or {}) if token else None
    return found


def data_hash(found: Row) -> str:
    """Return the hash of a license."""
    hashed = {name: value for name, value in found.items() if name not in ("hash", *_UNHASHED)}
    return crypto.b64(hashlib.sha256(data_string(hashed).encode()).digest())


def data_string(found: Row) -> str:
    """Return the text that is hashed and signed."""
    known = {**SIGNED, "hash": ("text", 1)}
    signed = {name for name in found if name in known and known[name][1] <= found["version"]}
    pairs = sorted((pascal(name) for name in signed), key=str.lower)
    by_name = {pascal(name): name for name in signed}
    return "license:organization|" + "|".join(f"{name}:{_formatted(by_name[name], found[by_name[name]])}" for name in pairs)


def _formatted(name: str, value: t.Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if name == "planType":
        return _PLAN_WORDS[value] if value < len(_PLAN_WORDS) else str(value)
    if name in SIGNED and SIGNED[name][0].startswith("date"):
        return str(round(parse(value).timestamp()))
    return str(value)


def _token(found: Row, world: World, overrides: t.Mapping[str, t.Any]) -> str:
    issued = parse(found["issued"])
    claims = {pascal(name): _claim(name, value, world) for name, value in found.items() if name not in _NO_CLAIM}
    registered = {
        "jti": str(uuid.uuid4()),
        "nbf": int(issued.timestamp()),
        "exp": int((issued + timedelta(days=365)).timestamp()),
        "iat": int(issued.timestamp()),
        "iss": "bitwarden",
        "aud": f"organization:{found['id']}",
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return crypto.jwt_encode({**present, **registered, **overrides}, SIGNING_KEY, "JWT")


def _claim(name: str, value: t.Any, world: World) -> str | None:
    """Claims are always text."""
    if name == "licenseType":
        return "Organization" if value == 1 else "User"
    if value is None or isinstance(value, bool):
        return None if value is None else str(value)
    if name == "planType" and not world.has("plan type as number") and value < len(_PLAN_WORDS):
        return _PLAN_WORDS[value]
    if SIGNED.get(name, ("",))[0].startswith("date"):
        return parse(value).strftime(_CLAIM_DATE)
    return str(value)


def claim_date(text: str | None) -> str | None:
    """Turn a claim's date into the API's, without fraction and zone."""
    return datetime.strptime(text, _CLAIM_DATE).isoformat() if text else None  # noqa: DTZ007 - it has no zone


def user_license(world: World, owner: Row) -> Row:
    """Return a premium (personal) license: the wrong kind for an organization."""
    now = world.now()
    ends = now + timedelta(days=372)
    dates = {"issued": iso(now), "refresh": iso(now + timedelta(days=30)), "expires": iso(ends)}
    about = {name: owner[name] for name in ("id", "name", "email")}
    found = {"licenseKey": "PremiumLicenseKey001", **about, "premium": True, "maxStorageGb": 1, "version": 1, **dates}
    found |= {"trial": False, "licenseType": 0, "hash": "", "signature": ""}
    found["token"] = _token(found, world, {"aud": f"user:{owner['id']}"})
    return found
