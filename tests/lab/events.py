"""Event logs of organizations and providers.

Source: bitwarden/server src/Api/Dirt/Controllers/EventsController.cs, src/Core/Dirt/Services/Implementations/EventService.cs.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from flask import Blueprint, Response, request

from tests.lab.core import Refusal, World, bad_request, invalid, iso, not_found, parse
from tests.lab.state import Row
from tests.lab.web import Caller, answer, caller, guid, here

routes = Blueprint("event_logs", __name__)

_FIELDS = (
    "type",
    "userId",
    "organizationId",
    "providerId",
    "cipherId",
    "collectionId",
    "groupId",
    "policyId",
    "organizationUserId",
    "providerUserId",
    "providerOrganizationId",
    "actingUserId",
    "installationId",
    "date",
    "deviceType",
    "ipAddress",
    "systemUser",
    "domainName",
    "secretId",
    "projectId",
    "serviceAccountId",
    "grantedServiceAccountId",
    "sendId",
)
_PAGE = 50
_DAYS, _MOST_DAYS = 30, 367
VAULT_ACCESSED = 1903  # the one provider event that is written inside an organization


def record_event(
    world: World, kind: int, organization_id: str | None, who: Caller | None = None, **ids: str | int | None
) -> None:
    """Write down what somebody did, if the log is on.

    Args:
        world: the server.
        kind: number of the event.
        organization_id: None for what happens to a provider, whose C(providerId) then stands in C(ids).
        who: None for what a system user did.
        ids: what it was done to, by wire names such as C(collectionId).
    """
    link = world.one("provider_organization", organizationId=organization_id) if organization_id else None
    if link and who and who.only_provides(link["organizationId"]):
        ids["providerId"] = link["providerId"]
    if link and kind == VAULT_ACCESSED:
        organization_id, ids["providerOrganizationId"] = None, link["id"]
    log = world.get("organization", organization_id) if organization_id else world.get("provider", str(ids["providerId"]))
    if not log or not log["enabled"] or not log["useEvents"]:
        return
    device = request.headers.get("Device-Type", "") if who else ""
    about: Row = {"actingUserId": who.id if who else None, "date": iso(world.now()), "ipAddress": "127.0.0.1" if who else None}
    about |= {"type": kind, "deviceType": int(device) if device.isdecimal() else None}
    world.put("event", {"id": str(uuid.uuid4()), **dict.fromkeys(_FIELDS), **about, "organizationId": organization_id, **ids})


@routes.get("/organizations/<organization_id>/events")
def of_organization(organization_id: str) -> Response:
    """Everything that happened in an organization."""
    return page(here(), organizationId=_readable(organization_id))


@routes.get("/organizations/<organization_id>/users/<member_id>/events")
def of_member(organization_id: str, member_id: str) -> Response:
    """What a member did."""
    organization_id = _readable(organization_id)
    row = here().get("member", guid(member_id))
    if not row or row["organizationId"] != organization_id or not row["userId"]:
        raise not_found()
    return page(here(), organizationId=organization_id, actingUserId=row["userId"])


def _readable(organization_id: str) -> str:
    organization_id = guid(organization_id)
    if not caller().may("accesseventlogs", organization_id):
        raise not_found()
    return organization_id


@routes.get("/providers/<provider_id>/events")
def of_provider(provider_id: str) -> Response:
    """Everything that happened to a provider, and what its users did in its clients; for admins only."""
    return page(here(), providerId=_administered(provider_id))


@routes.get("/providers/<provider_id>/users/<row_id>/events")
def of_provider_user(provider_id: str, row_id: str) -> Response:
    """What a provider user did."""
    provider_id = _administered(provider_id)
    row = here().get("provider_user", guid(row_id))
    if not row or row["providerId"] != provider_id or not row["userId"]:
        raise not_found()
    return page(here(), providerId=provider_id, actingUserId=row["userId"])


def _administered(provider_id: str) -> str:
    provider_id = guid(provider_id)
    if not caller().administers(provider_id):
        raise not_found()
    return provider_id


def page(world: World, **match: str) -> Response:
    """Answer one page, newest first."""
    rows, token = pick(world, bad_request("Range too large."), **match)
    data = [{"object": "event", **{name: row[name] for name in _FIELDS}} for row in rows]
    return answer({"object": "list", "data": data, "continuationToken": token})


def pick(world: World, too_long: Refusal, **match: str) -> tuple[list[Row], str | None]:
    """Return the rows of one page, and a token that says how many older ones there are."""
    start, end = _range(world, too_long)
    rows = [row for row in world.find("event", **match) if start <= parse(row["date"]) <= end]
    token = request.args.get("continuationToken", "")
    left = int(token) if token.isdecimal() else len(rows)
    shown = rows[max(0, left - _PAGE) : left]
    older = left - len(shown)
    return shown[::-1], str(older) if older > 0 else None


def _range(world: World, too_long: Refusal) -> tuple[datetime, datetime]:
    given = (request.args.get("start"), request.args.get("end"))
    if not all(given):
        tomorrow = world.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return tomorrow - timedelta(days=_DAYS + 1), tomorrow
    start, end = sorted(_moment(name, str(text)) for name, text in zip(("start", "end"), given, strict=True))
    if end - start > timedelta(days=_MOST_DAYS):
        raise too_long
    return start, end


def _moment(name: str, text: str) -> datetime:
    try:
        return parse(text)
    except ValueError:
        raise invalid(name, f"The value '{text}' is not valid.") from None
