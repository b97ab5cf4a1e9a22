"""Connections of an organization: 1 cloud billing sync, 2 SCIM.

Source: bitwarden/server AdminConsole/Controllers/OrganizationConnectionsController.cs, BillingSyncConfig.cs.
"""

from __future__ import annotations

import typing as t
import uuid

from flask import Blueprint, Response

from tests.lab.core import Refusal, World, bad_request, crash, invalid, iso, not_found, parse
from tests.lab.license_checks import claims_of, parse_stored, signature_holds
from tests.lab.state import Row
from tests.lab.web import Caller, Fields, answer, body, caller, empty, guid, here

routes = Blueprint("connections", __name__)

_NAMES = {1: "CloudBillingSync", 2: "Scim"}
_NONE: Row = {
    "id": None,
    "type": 0,
    "organizationId": "00000000-0000-0000-0000-000000000000",
    "enabled": False,
    "config": None,
}
# config: property on disk -> types that it may have
_CONFIGS: dict[int, dict[str, tuple[type, ...]]] = {
    1: {"BillingSyncKey": (str,), "CloudOrganizationId": (str,), "LastLicenseSync": (str,)},
    2: {"Enabled": (bool,), "ScimProvider": (int,), "InviteUsersAfterProvisioning": (bool,)},
}


def _shown(row: Row) -> Response:
    """Camel case outside, the stored text with its own spelling inside."""
    return answer({name: row[name] for name in _NONE})


def _allowed(who: Caller, organization_id: str, kind: int) -> bool:
    return who.may("managescim", organization_id) if kind == 2 else who.owns(organization_id)


@routes.get("/organizations/connections/enabled")
def enabled() -> Response:
    """A bare boolean: may this server talk to the cloud at all."""
    caller()
    world = here()
    return answer(not world.cloud and world.core.selfhost.flag("enableCloudCommunication"))


@routes.get("/organizations/connections/<organization_id>/<kind>")
def read(organization_id: str, kind: str) -> Response:
    """The connection of a type, in clear; an empty shape when there is none."""
    who, world = caller(), here()
    number = {"1": 1, "2": 2, **{name.lower(): number for number, name in _NAMES.items()}}.get(kind.lower())
    if number is None:
        raise invalid("type", f"The value '{kind}' is not valid.")
    organization_id = guid(organization_id)
    if not _allowed(who, organization_id, number):
        raise bad_request(f"You do not have permission to retrieve a connection of type {_NAMES[number]}.")
    if number == 1 and world.cloud:
        raise bad_request("Cannot get a CloudBillingSync connection outside of a self-hosted instance.")
    return _shown(world.one("connection", organizationId=organization_id, type=number) or _NONE)


@routes.post("/organizations/connections")
def create() -> Response:
    """Create a connection; nothing is asked of the cloud."""
    who, world, fields = caller(), here(), body()
    organization_id, kind = guid(fields.get("organizationId", "")), fields.get("type", 0)
    checked = kind if world.has("create checks type") else 1
    if not _allowed(who, organization_id, checked):
        raise bad_request(f"You do not have permission to create a connection of type {_NAMES.get(kind, kind)}.")
    if world.find("connection", organizationId=organization_id, type=kind):
        raise bad_request(
            f"The requested organization already has a connection of type {_NAMES[kind]}."
            " Only one of each connection type may exist per organization."
        )
    row = {"id": str(uuid.uuid4()), "type": kind, "organizationId": organization_id}
    return _shown(world.put("connection", {**row, **_content(world, fields, organization_id, kind, "create")}))


@routes.put("/organizations/connections/<connection_id>")
def update(connection_id: str) -> Response:
    """Replace a connection's content; what the request leaves out is lost."""
    who, world, fields = caller(), here(), body()
    row = world.get("connection", guid(connection_id))
    organization_id = guid(fields.get("organizationId", ""))
    if not row or row["organizationId"] != organization_id:
        raise not_found()
    if not _allowed(who, organization_id, row["type"]):
        raise bad_request("You do not have permission to update this connection.")
    kind = fields.get("type", 0)
    if kind != row["type"] and world.has("type is fixed"):
        raise bad_request("The connection type cannot be changed.")
    return _shown(world.put("connection", {**row, "type": kind, **_content(world, fields, organization_id, kind, "update")}))


def _content(world: World, fields: Fields, organization_id: str, kind: int, verb: str) -> Row:
    if kind not in _NAMES:
        raise bad_request(f"Unknown Organization connection Type: {kind}")
    if kind == 1 and world.cloud:
        raise bad_request(f"Cannot {verb} a CloudBillingSync connection outside of a self-hosted instance.")
    config = _config(fields.get("config"), kind)
    if kind == 1:
        config["CloudOrganizationId"] = _licensed_organization(world, organization_id)
    return {"enabled": bool(fields.get("enabled")), "config": config}


def _config(given: t.Any, kind: int) -> Row:
    if given is None:
        raise crash()
    if not isinstance(given, dict):
        raise bad_request("Organization Connection configuration malformed")
    values = Fields(given)
    config = {name: values.get(name) for name in _CONFIGS[kind]}
    for name, value in config.items():
        # A boolean is an int to Python, not to the server.
        if value is not None and type(value) not in _CONFIGS[kind][name]:
            raise bad_request("Organization Connection configuration malformed")
    if kind == 1 and config["LastLicenseSync"]:
        try:
            config["LastLicenseSync"] = iso(parse(config["LastLicenseSync"])).replace("Z", "+00:00")
        except ValueError:
            raise bad_request("Organization Connection configuration malformed") from None
    return config


def _licensed_organization(world: World, organization_id: str) -> str:
    """Return the cloud's id from the stored license, which must verify."""
    stored = world.core.selfhost.read_license(organization_id)
    if stored is None:
        raise bad_request("Cannot verify license file.") if world.has("missing license handled") else crash()
    try:
        found = parse_stored(stored)
        if claims_of(world, found) is None and not signature_holds(found):
            raise bad_request("Cannot verify license file.")
    except Refusal:
        raise bad_request("Cannot verify license file.") from None
    return str(found["id"])


@routes.delete("/organizations/connections/<connection_id>")
def delete(connection_id: str) -> Response:
    """Remove a connection."""
    who, world = caller(), here()
    row = world.get("connection", guid(connection_id))
    if not row:
        raise not_found()
    if not _allowed(who, row["organizationId"], row["type"]):
        raise bad_request(f"You do not have permission to remove this connection of type {_NAMES[row['type']]}.")
    world.delete("connection", row["id"])
    return empty()


@routes.post("/organizations/connections/<connection_id>/delete")
def delete_alias(connection_id: str) -> Response:
    """The same under its old address."""
    if here().has("no delete alias"):
        raise not_found()
    return delete(connection_id)


def sync_config(connection: Row) -> Row:
    """Return the configuration of an enabled billing sync connection, or refuse as every sync does."""
    organization_id = connection["organizationId"]
    if not connection["enabled"]:
        raise bad_request(f"Connection disabled for organization {organization_id}")
    config: Row | None = connection["config"]
    if not config:
        raise bad_request(f"No saved Connection config for organization {organization_id}")
    if not config.get("BillingSyncKey"):
        raise bad_request("Failed to get Billing Sync Key")
    return config
