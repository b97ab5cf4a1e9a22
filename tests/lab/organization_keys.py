"""API keys of an organization: 0 public API, 1 billing sync, 2 SCIM. Source: bitwarden/server OrganizationsController.cs."""

from __future__ import annotations

import re
import secrets

from flask import Blueprint, Response

from tests.lab import people, views
from tests.lab.core import World, crash, invalid, iso, not_found
from tests.lab.state import Row
from tests.lab.web import answer, body, caller, guid, here, listed, proven

routes = Blueprint("organization_keys", __name__)


@routes.post("/organizations/<organization_id>/api-key")
def api_key(organization_id: str) -> Response:
    """Get or create a key. It is created before the password is looked at."""
    return _api_key(organization_id, rotate=False)


@routes.post("/organizations/<organization_id>/rotate-api-key")
def rotate_api_key(organization_id: str) -> Response:
    """Replace a key."""
    return _api_key(organization_id, rotate=True)


def _api_key(organization_id: str, *, rotate: bool) -> Response:
    who, world, fields = caller(), here(), body()
    if not fields.get("masterPasswordHash") and not fields.get("otp"):
        raise invalid("", "MasterPasswordHash, OTP, or AccessCode must be supplied.")
    kind = fields.get("type", 0)
    row = world.get("organization", guid(organization_id, crash()))
    allowed = row and (who.may("managescim", row["id"]) if kind == 2 else who.owns(row["id"]))
    if not row or not allowed:
        raise not_found()
    if not rotate and kind in (1, 2) and views.tier(row) not in (views.TEAMS, views.ENTERPRISE):
        raise not_found()
    key = find_key(world, row["id"], kind) or create_key(world, row["id"], kind)
    proven(who, fields, "MasterPasswordHash", "Invalid password.")
    if rotate:
        key = world.put("organization_api_key", {**key, "apiKey": _random(), "revisionDate": iso(world.now())})
    return answer({"apiKey": key["apiKey"], "revisionDate": key["revisionDate"], "object": "apiKey"})


def find_key(world: World, organization_id: str, kind: int) -> Row | None:
    """Return an organization's API key, if it was ever created."""
    return world.one("organization_api_key", organizationId=organization_id, type=kind)


def create_key(world: World, organization_id: str, kind: int) -> Row:
    """Create an organization's API key."""
    row = {"organizationId": organization_id, "type": kind, "apiKey": _random(), "revisionDate": iso(world.now())}
    return world.put("organization_api_key", {"id": f"{organization_id}/{kind}", **row})


def _random() -> str:
    return people.secret(secrets.token_hex(16))


@routes.get("/organizations/<organization_id>/api-key-information")
@routes.get("/organizations/<organization_id>/api-key-information/<kind>")
def api_key_information(organization_id: str, kind: str | None = None) -> Response:
    """Which keys exist, without the keys."""
    who, world = caller(), here()
    wanted = {"0": 0, "1": 1, "2": 2, "Default": 0, "BillingSync": 1, "Scim": 2}.get(kind or "")
    row = world.get("organization", guid(organization_id, crash()))
    if not row or not (who.may("managescim", row["id"]) if wanted == 2 else who.owns(row["id"])):
        raise not_found()
    keys = [key for key in world.find("organization_api_key", organizationId=row["id"]) if kind is None or key["type"] == wanted]
    return listed({"keyType": key["type"], "revisionDate": key["revisionDate"], "object": "keyInformation"} for key in keys)


def creates_nothing(world: World, path: str, data: bytes) -> bool:
    """Say whether a POST to an api-key route only reads, because the key is already there."""
    found = re.fullmatch(r"/organizations/([^/]+)/api-key/?", path)
    if not found:
        return path.rstrip("/") == "/accounts/api-key"
    kind = re.search(rb'"type"\s*:\s*"?(\d)', data, re.IGNORECASE)
    return find_key(world, found[1].lower(), int(kind[1]) if kind else 0) is not None
