"""Licenses on a self-hosted server: first one, next one, sync.

Source: bitwarden/server src/Api/Controllers/SelfHosted/SelfHostedOrganizationLicensesController.cs.
"""

from __future__ import annotations

import json
import uuid

from flask import Blueprint, Response, request

from tests.lab import crypto, views
from tests.lab.connections import sync_config
from tests.lab.core import World, bad_request, crash, invalid, iso, not_found
from tests.lab.license_checks import check_contents, check_usable, claims_of, from_claims, parse_license
from tests.lab.organization_keys import create_key
from tests.lab.state import Row
from tests.lab.web import Fields, answer, caller, empty, guid, selfhost_only

routes = Blueprint("licenses", __name__)

_LARGEST = 51200
_UNREACHABLE = "An error has occurred. Check your internet connection and ensure the billing token is correct."


def _uploaded() -> Row:
    """Return the license part of a multipart request."""
    files = Fields(request.files.to_dict())
    if files.get("license") is None:
        raise invalid("License", "The License field is required.")
    if (request.content_length or _LARGEST + 1) > _LARGEST:
        raise bad_request("Invalid license")
    return parse_license(files.get("license").read())


@routes.post("/organizations/licenses/self-hosted")
def create() -> Response:
    """Create an organization from its first license; the caller becomes its owner."""
    world = selfhost_only()
    who, form = caller(), Fields(request.form.to_dict())
    license_row = _uploaded()
    if not form.get("key"):
        raise invalid("Key", "The Key field is required.")
    name = form.get("collectionName")
    if name and not crypto.is_enc_string(name):
        raise invalid("CollectionName", "CollectionName is not a valid encrypted string.")
    if license_row["licenseType"] != 1:
        raise bad_request(world.text("premium"))
    claims = claims_of(world, license_row)
    check_usable(world, license_row, claims)
    if world.one("organization", licenseKey=license_row["licenseKey"], enabled=True):
        raise bad_request(world.text("in use"))
    _check_single_organization(world, who.id)
    effective = from_claims(license_row, claims) if claims else license_row
    row = _new_organization(world, effective, form)
    member = {"organizationId": row["id"], "userId": who.id, "email": who.row["email"], "type": 0, "status": 2}
    world.put("member", {"id": str(uuid.uuid4()), **member, "key": form.get("key")})
    if name:
        world.put(
            "collection", {"id": str(uuid.uuid4()), "organizationId": row["id"], "name": name, "externalId": None, "type": 0}
        )
    world.core.selfhost.write_license(row["id"], license_row)
    return answer(views.organization(row))


def _check_single_organization(world: World, user_id: str) -> None:
    for member in world.find("member", userId=user_id, status=2):
        if world.one("policy", organizationId=member["organizationId"], type=3, enabled=True):
            raise bad_request(world.text("single organization"))


def _new_organization(world: World, effective: Row, form: Fields) -> Row:
    keys = {"publicKey": form.get("keys.publicKey"), "privateKey": form.get("keys.encryptedPrivateKey")}
    row = {"id": str(uuid.uuid4()), "identifier": None, **keys, **views.SETTINGS, **licensed(effective), "maxStorageGb": 10240}
    create_key(world, row["id"], 0)
    return world.put("organization", row)


def licensed(effective: Row) -> Row:
    """Return what an organization's row takes from its license."""
    names = ("name", "businessName", "billingEmail", "plan", "planType", "seats", "enabled", "licenseKey")
    limits = [name for name in views.LIMITS if name != "maxStorageGb"]
    row = {name: effective[name] for name in (*names, *limits, *views.ABILITIES)}
    return {**row, "expirationDate": effective["expires"]}


def _organization(world: World, organization_id: str) -> Row:
    who = caller()
    row = world.get("organization", guid(organization_id, crash()))
    if not row or not who.owns(row["id"]):
        raise not_found()
    return row


@routes.post("/organizations/licenses/self-hosted/<organization_id>")
def update(organization_id: str) -> Response:
    """Apply a license to an organization that is already there."""
    world = selfhost_only()
    row = _organization(world, organization_id)
    apply(world, row, _uploaded())
    return empty()


def apply(world: World, row: Row, license_row: Row) -> None:
    """Check a license and put it in force; nothing is written before every check has passed."""
    others = [found for found in world.find("organization", licenseKey=license_row["licenseKey"]) if found["id"] != row["id"]]
    if others:
        raise bad_request(world.text("in use"))
    claims = claims_of(world, license_row)
    check_usable(world, license_row, claims)
    effective = license_row
    if claims and world.has("update from claims"):
        effective = from_claims(license_row, claims)
    check_contents(world, effective, row["id"])
    world.core.selfhost.write_license(row["id"], effective)
    world.put("organization", {**row, **licensed(effective)})


@routes.post("/organizations/licenses/self-hosted/<organization_id>/sync")
def sync(organization_id: str) -> Response:
    """Fetch the license from the cloud and apply it."""
    world = selfhost_only()
    row = _organization(world, organization_id)
    connection = world.one("connection", organizationId=row["id"], type=1)
    if not connection:
        raise not_found()
    if not world.core.selfhost.flag("enableCloudCommunication"):
        raise bad_request("Cloud communication is disabled in global settings")
    config = sync_config(connection)
    path = f"licenses/organization/{config['CloudOrganizationId']}"
    keys = {"licenseKey": row["licenseKey"], "billingSyncKey": config["BillingSyncKey"]}
    found = world.core.selfhost.ask_cloud("GET", path, "api.licensing", keys)
    if found is None:
        raise bad_request(_UNREACHABLE)
    apply(world, row, parse_license(json.dumps(found).encode()))
    synced = {**config, "LastLicenseSync": _stamp(world)}
    world.put("connection", {**connection, "config": synced})
    return empty()


def _stamp(world: World) -> str:
    """The server's clock, offset included."""
    return iso(world.now()).replace("Z", "+00:00")
