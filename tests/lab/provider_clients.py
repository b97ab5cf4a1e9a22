"""Client organizations that a provider creates and sizes. Each step of a creation is kept even if the next one fails.

The older ways (POST /providers/{id}/organizations and its add) create what cannot be billed any more: they are left out.
Source: bitwarden/server ProviderClientsController.cs, ProviderOrganizationsController.cs, ProviderService.cs.
"""

from __future__ import annotations

import secrets
import typing as t
import uuid

from flask import Blueprint, Response, request

from tests.lab import access, invitations, people, views
from tests.lab.core import Refusal, World, bad_request, invalid, iso, not_found
from tests.lab.events import record_event
from tests.lab.member_rows import OWNER, new_member
from tests.lab.organization_keys import create_key
from tests.lab.provider_access import BUSINESS_UNIT, MSP, billable, billing_failed, managed, misconfigured, unauthorized
from tests.lab.provider_seats import MANAGED, buys, clients, scale
from tests.lab.state import Row
from tests.lab.web import Caller, Fields, body, cloud_only, empty, guid, here, listed

routes = Blueprint("provider_clients", __name__)

_CLIENTS = "/providers/<provider_id>/clients"
_TEXTS = ("name", "ownerEmail", "key", "collectionName")
_PAIR = ("publicKey", "encryptedPrivateKey")
_CREATABLE = (17, 19, 20)
_PLAN_TEXT = "'planType' must be Teams (Monthly), Enterprise (Monthly) or Enterprise (Annually)"
_LONGEST = 50  # the column holds no more, and nothing says so
# type of the provider: the plan that it may not have, and what the answer says
_REFUSED = "{0} cannot manage organizations with the plan type {1}. Only {2} are allowed."
_NO_PLAN = {
    MSP: (20, ("Managed Service Providers", "EnterpriseAnnually", "Teams (Monthly) and Enterprise (Monthly)")),
    BUSINESS_UNIT: (17, ("Business Unit Providers", "TeamsMonthly", "Enterprise (Monthly) and Enterprise (Annually)")),
}


@routes.get("/providers/<provider_id>/organizations")
def organizations(provider_id: str) -> Response:
    """All clients, of every kind."""
    _unused, provider = managed(provider_id, admin=False)
    return listed(_listed(here(), link, row) for link, row in clients(here(), provider))


def _listed(world: World, link: Row, row: Row) -> Row:
    counts = {status: world.count("member", organizationId=row["id"], status=status) for status in (0, 1, 2)}
    occupied = sum(counts.values())
    names = ("id", "providerId", "organizationId", "key", "settings", "creationDate", "revisionDate")
    return {
        "object": "providerOrganizationOrganizationDetail",
        **{name: link[name] for name in names},
        "userCount": counts[2],
        "seats": row["seats"],
        "occupiedSeats": occupied,
        "remainingSeats": None if row["seats"] is None else row["seats"] - occupied,
        "plan": row["plan"],
        "organizationName": row["name"],
    }


@routes.post(_CLIENTS)
def create(provider_id: str) -> Response:
    """Create a client; nothing tells its id."""
    who, provider = billable(provider_id)
    world, wanted = cloud_only(), _wanted(body())
    plan, words = _NO_PLAN[provider["type"]]
    if wanted.get("planType") == plan:
        raise bad_request(_REFUSED.format(*words))
    row = _organization(world, provider, wanted)
    _fail_after("organization")
    link_client(world, who, (provider, row, str(wanted.get("key"))), 1900)
    _fail_after("link")
    _invite_owner(world, who, row, str(wanted.get("ownerEmail")))
    _fail_after("owner")
    scale(world, provider, row["planType"], row["seats"])
    _fail_after("seats")
    world.put("organization", {**row, "status": MANAGED})
    return empty()


def _fail_after(step: str) -> None:
    """Break here if the test asked for it, as Stripe or a lost database would."""
    fault = request.environ["lab.fault"]
    if fault and (fault.kind, fault.argument) == ("client_step", step):
        raise billing_failed()


def _wanted(fields: Fields) -> Fields:
    """Check a request's model: all that is wrong is told at once."""
    pair = Fields(fields.get("keyPair") or {})
    wrong = {name: f"'{name}' must be provided" for name in _TEXTS if not fields.get(name)}
    if not fields.get("keyPair"):
        wrong["keyPair"] = "'keyPair' must be provided"
    else:
        wrong |= {f"KeyPair.{name[:1].upper()}{name[1:]}": f"'{name}' must be provided" for name in _PAIR if not pair.get(name)}
    numbers = {name: _integer(fields, name) for name in ("planType", "seats")}
    if numbers["planType"] not in _CREATABLE:
        wrong["planType"] = _PLAN_TEXT
    if numbers["seats"] < 1:
        wrong["seats"] = "'seats' must be greater than 0"
    _refuse(wrong)
    return Fields({**fields, **numbers, **pair})


def _refuse(wrong: t.Mapping[str, str]) -> None:
    if wrong:
        fields = {f"{name[:1].upper()}{name[1:]}": [text] for name, text in wrong.items()}
        raise Refusal(400, "The model state is invalid.", fields)


def _integer(fields: Fields, name: str) -> int:
    """Read a number, which may come as text; a missing one is zero."""
    value = fields.get(name, 0)
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdecimal())):
        raise invalid(f"$.{name}", "The JSON value could not be converted to System.Int32.")
    return int(value)


def _organization(world: World, provider: Row, wanted: Fields) -> Row:
    row = {
        "id": str(uuid.uuid4()),
        "name": str(wanted.get("name"))[:_LONGEST],
        "businessName": None,
        "billingEmail": provider["billingEmail"],
        "status": 1,
        "seats": wanted.get("seats"),
        "enabled": True,
        "licenseKey": people.secret(secrets.token_hex(16), 20),
        "identifier": None,
        **views.LIMITS,
        **views.plan_fields(wanted.get("planType")),
        **views.SETTINGS,
        "useKeyConnector": False,
        "publicKey": wanted.get("publicKey"),
        "privateKey": wanted.get("encryptedPrivateKey"),
        "expirationDate": None,
        "subscription": None,
    }
    create_key(world, world.put("organization", row)["id"], 0)
    name = {"name": wanted.get("collectionName"), "externalId": None, "type": 0}
    world.put("collection", {"id": str(uuid.uuid4()), "organizationId": row["id"], **name})
    return row


def link_client(world: World, who: Caller, joined: tuple[Row, Row, str], kind: int) -> None:
    """Link a provider with an organization whose key is wrapped with the provider's, and write the event of that kind."""
    provider, organization, key = joined
    now = iso(world.now())
    row = {"id": str(uuid.uuid4()), "providerId": provider["id"], "organizationId": organization["id"]}
    world.put("provider_organization", {**row, "key": key, "settings": None, "creationDate": now, "revisionDate": now})
    record_event(world, kind, None, who, providerId=provider["id"], providerOrganizationId=row["id"])


def _invite_owner(world: World, who: Caller, organization: Row, email: str) -> None:
    row = world.put("member", new_member(world, organization["id"], email, OWNER))
    default = world.one("collection", organizationId=organization["id"]) or {}
    access.grant(world, default["id"], "memberId", {"id": row["id"], "readOnly": False, "hidePasswords": False, "manage": True})
    invitations.send(world, "member", row)
    record_event(world, 1500, organization["id"], who, organizationUserId=row["id"])


@routes.put(f"{_CLIENTS}/<link_id>")
def update(provider_id: str, link_id: str) -> Response:
    """Replace name and seats of a client, whoever sits there."""
    who, provider = billable(provider_id, admin=False)
    world, fields = cloud_only(), body()
    seats = _integer(fields, "assignedSeats")
    wrong = {} if fields.get("name") else {"name": "'name' must be provided"}
    if seats < 0:
        wrong["assignedSeats"] = "You cannot assign negative seats to a client organization."
    _refuse(wrong)
    link = world.get("provider_organization", guid(link_id))
    if not link or (link["providerId"] != provider["id"] and world.has("clients of this provider only")):
        raise not_found()
    row = world.get("organization", link["organizationId"])
    if not row or row["status"] != MANAGED:
        raise misconfigured()
    delta = seats - (row["seats"] or 0)
    if buys(world, provider, row["planType"], delta) and not who.administers(provider["id"]):
        raise unauthorized("Service users cannot purchase additional seats.")
    scale(world, provider, row["planType"], delta)
    world.put("organization", {**row, "name": str(fields.get("name"))[:_LONGEST], "seats": seats})
    return empty()
