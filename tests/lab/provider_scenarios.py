"""A provider as tests find it: its users, its plans and its client organizations.

Petra is its admin, Sam a service user. Alpha has a confirmed owner of its own, Beta's has not yet accepted.
Gamma pays for itself and is owned by Petra, so that it can be added.
"""

from __future__ import annotations

from datetime import timedelta

from tests.lab import access, crypto, invitations
from tests.lab.core import World, iso
from tests.lab.member_rows import OWNER, new_member
from tests.lab.organization_keys import create_key
from tests.lab.people import KEYS, PEOPLE, guid, key64
from tests.lab.scenario_rows import LABELS, member_row, midnight, organization_row
from tests.lab.state import Row

FACTS: Row = {
    "provider_id": guid("provider"),
    "provider_name": "Example Provider",
    "alpha_organization_id": guid("alpha organization"),
    "beta_organization_id": guid("beta organization"),
    "gamma_organization_id": guid("gamma organization"),
}
BETA_OWNER = "owner@beta.example"

# scenario: (type of the provider, seat minimum by plan type, plan of Alpha, plan of Beta)
_KINDS = {"msp": (0, {17: 10, 19: 50}, 19, 17), "business_unit": (2, {20: 50}, 20, 20)}


def build(cloud: World, scenario: str) -> None:
    """A provider on consolidated billing, with two clients that it pays for."""
    kind, minimums, alpha, beta = _KINDS[scenario]
    days = 365 if 20 in minimums else 31
    ends = iso(midnight(cloud.now()) + timedelta(days=days - 10))
    subscription = {"status": "active", "trialEnd": None, "periodEnd": ends, "periodDays": days}
    provider = _provider(cloud, type=kind, status=2, subscription=subscription)
    _user(cloud, "service_user", 1)
    seats = {alpha: 10}
    seats[beta] = seats.get(beta, 0) + 5
    for plan_type, minimum in minimums.items():
        row = {"id": f"{provider['id']}/{plan_type}", "providerId": provider["id"], "planType": plan_type}
        counted = {"seatMinimum": minimum, "purchasedSeats": 0, "allocatedSeats": seats.get(plan_type, 0)}
        cloud.put("provider_plan", {**row, **counted})
    _client(cloud, provider, organization_row("alpha organization", "Alpha Client", alpha, 10, None))
    _client(cloud, provider, organization_row("beta organization", "Beta Client", beta, 5, None))
    _join(cloud, "alpha organization", member_row(FACTS["alpha_organization_id"], "alpha_owner", 0))
    invited = new_member(cloud, FACTS["beta_organization_id"], BETA_OWNER, OWNER, id=guid("member beta owner"))
    _join(cloud, "beta organization", invited)
    invitations.send(cloud, "member", invited)
    gamma = organization_row("gamma organization", "Gamma Company", 20, 12, midnight(cloud.now()) + timedelta(days=200))
    create_key(cloud, cloud.put("organization", gamma)["id"], 0)
    cloud.put("member", member_row(gamma["id"], "provider_user", 0))


def adopt(cloud: World, organization_id: str) -> None:
    """A provider from before consolidated billing, that manages an organization."""
    organization = cloud.get("organization", organization_id) or {}
    provider = _provider(cloud, type=0, status=1, subscription=organization["subscription"])
    cloud.put("organization", {**organization, "status": 2})
    _link(cloud, provider, organization_id)


def _provider(cloud: World, **fields: object) -> Row:
    provider = {
        "id": FACTS["provider_id"],
        "name": FACTS["provider_name"],
        "businessName": None,
        "billingEmail": "billing@example.net",
        "creationDate": iso(midnight(cloud.now()) - timedelta(days=400)),
        "enabled": True,
        "useEvents": True,
        "stripe": True,
        "suspension": None,
        **fields,
    }
    cloud.put("provider", provider)
    _user(cloud, "provider_user", 0)
    return provider


def _user(cloud: World, label: str, role: int) -> None:
    who = PEOPLE[label]
    row = {"id": guid(f"provider user {label}"), "providerId": FACTS["provider_id"], "userId": who.user_id, "email": who.email}
    wrapped = crypto.wrap(key64("provider"), KEYS[label]["public"])
    cloud.put("provider_user", {**row, "type": role, "status": 2, "key": wrapped})


def _client(cloud: World, provider: Row, row: Row) -> None:
    label = LABELS[row["id"]]
    row |= {"status": 2, "billingEmail": provider["billingEmail"], "useKeyConnector": False}
    create_key(cloud, cloud.put("organization", row)["id"], 0)
    _link(cloud, provider, row["id"])
    encrypted = crypto.encrypt(b"Default collection", key64(label))
    collection = {"id": guid(f"default collection {label}"), "organizationId": row["id"], "externalId": None, "type": 0}
    cloud.put("collection", {**collection, "name": encrypted})


def _join(cloud: World, label: str, member: Row) -> None:
    """Store an owner, who may manage the default collection."""
    cloud.put("member", member)
    may = {"readOnly": False, "hidePasswords": False, "manage": True}
    access.grant(cloud, guid(f"default collection {label}"), "memberId", {"id": member["id"], **may})


def _link(cloud: World, provider: Row, organization_id: str) -> None:
    since = iso(midnight(cloud.now()) - timedelta(days=90))
    row = {"id": guid(f"client {organization_id}"), "providerId": provider["id"], "organizationId": organization_id}
    key = crypto.encrypt(key64(LABELS[organization_id]), key64("provider"))
    cloud.put("provider_organization", {**row, "key": key, "settings": None, "creationDate": since, "revisionDate": since})
