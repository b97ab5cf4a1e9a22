"""The end of an organization. Source: bitwarden/server OrganizationsController.cs, OrganizationDeleteCommand.cs."""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab import access, collections
from tests.lab.core import World, bad_request
from tests.lab.provider_access import is_billable
from tests.lab.provider_seats import MANAGED, scale
from tests.lab.sso import KEY_CONNECTOR, decryption
from tests.lab.state import Row
from tests.lab.web import body, empty, here, owned, proven

routes = Blueprint("organization_delete", __name__)

# kinds of rows that belong to an organization
_CONTENTS = (
    "member",
    "group",
    "policy",
    "sso",
    "cipher",
    "connection",
    "domain",
    "organization_api_key",
    "organization_installation",
    "provider_organization",
)


@routes.delete("/organizations/<organization_id>")
@routes.post("/organizations/<organization_id>/delete")
def delete(organization_id: str) -> Response:
    """Delete an organization with all that is in it; the proof is the caller's own password."""
    who, row = owned(organization_id)
    proven(who, body(), "", "User verification failed.")
    world = here()
    if decryption(world, row["id"]) == KEY_CONNECTOR:
        raise bad_request("You cannot delete an organization vault that is using Key Connector.")
    _give_seats_back(world, row)
    for collection in world.find("collection", organizationId=row["id"]):
        collections.remove(world, collection)
    for group in world.find("group", organizationId=row["id"]):
        access.leave(world, groupId=group["id"])
    for kind in _CONTENTS:
        for found in world.find(kind, organizationId=row["id"]):
            world.delete(kind, found["id"])
    world.delete("organization", row["id"])
    return empty()


def _give_seats_back(world: World, row: Row) -> None:
    link = world.one("provider_organization", organizationId=row["id"])
    provider = world.get("provider", link["providerId"]) if link else None
    if provider and row.get("status") == MANAGED and is_billable(provider):
        scale(world, provider, row["planType"], -row["seats"])
