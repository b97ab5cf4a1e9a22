"""How an organization comes to a provider that it existed without, and leaves it again.

Source: bitwarden/server ProviderClientsController.cs, ProviderBillingService.cs, RemoveOrganizationFromProviderCommand.cs.
"""

from __future__ import annotations

import typing as t
from datetime import timedelta

from flask import Blueprint, Response

from tests.lab import views
from tests.lab.core import Refusal, World, bad_request, crash, invalid, iso, not_found
from tests.lab.events import record_event
from tests.lab.provider_access import MSP, billable, is_billable, managed, nobody
from tests.lab.provider_clients import link_client
from tests.lab.provider_seats import MANAGED, buys, scale
from tests.lab.state import Row
from tests.lab.web import Caller, answer, body, cloud_only, empty, guid, here

routes = Blueprint("provider_links", __name__)

_LINKED = "Organization already belongs to a provider."
_GONE = "The organization being added to the provider does not exist."
_PAID = ("active", "trialing", "past_due")
_TIERS = {views.TEAMS: ("Teams", 17), views.ENTERPRISE: ("Enterprise", 19)}


@routes.get("/providers/<provider_id>/clients/addable")
def addable(provider_id: str) -> Response:
    """Organizations that the caller owns and could bring; a bare list."""
    who, provider = billable(provider_id, admin=False)
    world = cloud_only()
    return answer([_offered(world, who, provider, row) for row in _addable(world, who, provider)])


def _offered(world: World, who: Caller, provider: Row, row: Row) -> Row:
    plan = _TIERS[views.tier(row)][0] if provider["type"] == MSP else row["plan"]
    costs = buys(world, provider, _new_plan(world, provider, row), row["seats"])
    disabled = costs and not who.administers(provider["id"])
    return {"id": row["id"], "name": row["name"], "plan": plan, "seats": row["seats"], "disabled": disabled}


def _addable(world: World, who: Caller, provider: Row) -> t.Iterator[Row]:
    for member in world.find("member", userId=who.id, type=0, status=2):
        row = world.get("organization", member["organizationId"])
        if row and row["status"] == 1 and row["enabled"] and row["seats"] and _fits(provider, row):
            linked = world.one("provider_organization", organizationId=row["id"])
            if not (linked and world.has("linked is not addable")):
                yield row


def _fits(provider: Row, row: Row) -> bool:
    tiers = tuple(_TIERS) if provider["type"] == MSP else (views.ENTERPRISE,)
    paid = row["subscription"] and row["subscription"]["status"] in _PAID
    return bool(paid) and not row["useSecretsManager"] and views.tier(row) in tiers


def _new_plan(world: World, provider: Row, row: Row) -> int:
    """Return the plan that an organization of these two tiers gets from its provider."""
    if provider["type"] == MSP:
        return _TIERS[views.tier(row)][1]
    return int((world.one("provider_plan", providerId=provider["id"]) or {})["planType"])


@routes.post("/providers/<provider_id>/clients/existing")
def add(provider_id: str) -> Response:
    """Let the provider pay for an organization: its own subscription ends, and what it had beyond the plan."""
    admin_only = here().has("adding takes an admin")
    who, provider = billable(provider_id, admin=admin_only)
    world, fields = cloud_only(), body()
    if not fields.get("key"):
        raise invalid("Key", "'key' must be provided")
    row = world.get("organization", guid(fields.get("organizationId"), invalid("$.organizationId", "Not a GUID.")))
    if admin_only:
        row = _own(world, who, provider, row)
    if not row:
        raise bad_request(_GONE)
    if world.one("provider_organization", organizationId=row["id"]):
        raise Refusal(409, _LINKED)
    plan_type = _new_plan(world, provider, row)
    scale(world, provider, plan_type, row["seats"])
    ended = {"status": MANAGED, "subscription": None, "expirationDate": None, "maxStorageGb": views.LIMITS["maxStorageGb"]}
    row |= {**views.plan_fields(plan_type), **ended, "billingEmail": provider["billingEmail"]}
    link_client(world, who, (provider, world.put("organization", row), str(fields.get("key"))), 1901)
    return empty()


def _own(world: World, who: Caller, provider: Row, row: Row | None) -> Row:
    if not row or not who.owns(row["id"]):
        raise nobody(world)
    if row["id"] not in [found["id"] for found in _addable(world, who, provider)]:
        raise not_found()
    return row


@routes.delete("/providers/<provider_id>/organizations/<link_id>")
@routes.post("/providers/<provider_id>/organizations/<link_id>/delete")
def unlink(provider_id: str, link_id: str) -> Response:
    """Let a client go; from now on it pays for itself."""
    who, provider = managed(provider_id)
    world = here()
    link = world.get("provider_organization", guid(link_id))
    if not link:
        raise crash()
    row = world.get("organization", link["organizationId"])
    if not row or link["providerId"] != provider["id"]:
        raise bad_request(world.text("unlink"))
    owners = world.find("member", organizationId=row["id"], type=0, status=2)
    if not owners:
        raise bad_request("Organization must have at least one confirmed owner.")
    if row["status"] == MANAGED and is_billable(provider):
        scale(world, provider, row["planType"], -row["seats"])
        emails = sorted(owner["email"] for owner in owners)
        ends = iso(world.now() + timedelta(days=30))
        own = {"status": "active", "trialEnd": None, "periodEnd": ends, "periodDays": 31}
        world.put("organization", {**row, "status": 1, "enabled": True, "billingEmail": emails[0], "subscription": own})
        for email in emails:
            world.mail(email, f"Add a payment method for {row['name']}", "Your provider pays for it no longer.")
    world.delete("provider_organization", link["id"])
    record_event(world, 1902, None, who, providerId=provider["id"], providerOrganizationId=link["id"])
    return empty()
