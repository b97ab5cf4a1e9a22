"""Members of an organization, as far as they are read. Source: bitwarden/server OrganizationUsersController.cs."""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab.core import Refusal, World, not_found
from tests.lab.state import Row
from tests.lab.web import answer, caller, guid, here, listed

routes = Blueprint("members", __name__)


@routes.get("/organizations/<organization_id>/users")
def members(organization_id: str) -> Response:
    """Everybody in an organization."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    if not who.may("manageusers", organization_id):
        raise not_found()
    return listed(_member(world, row) for row in world.find("member", organizationId=organization_id))


@routes.get("/organizations/<organization_id>/users/mini-details")
def members_briefly(organization_id: str) -> Response:
    """The same for every member; somebody else gets 403 with an empty body."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    if not who.member_of(organization_id) and not who.provides(organization_id):
        raise Refusal(403)
    names = ("id", "userId", "type", "status", "name", "email")
    rows = (_member(world, row) for row in world.find("member", organizationId=organization_id))
    return listed({"object": "organizationUserUserMiniDetails", **{name: row[name] for name in names}} for row in rows)


@routes.get("/organizations/<organization_id>/users/<member_id>")
def member(organization_id: str, member_id: str) -> Response:
    """One member, without name and e-mail."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    if not who.may("manageusers", organization_id):
        raise Refusal(403)
    row = world.get("member", guid(member_id))
    if not row or row["organizationId"] != organization_id:
        raise not_found()
    shown = {name: value for name, value in _member(world, row).items() if name not in ("name", "email")}
    return answer({**shown, "object": "organizationUserDetails"})


def _member(world: World, row: Row) -> Row:
    user = world.get("user", row["userId"]) or {}
    found = {
        "object": "organizationUserUserDetails",
        **{name: row[name] for name in ("id", "userId", "type", "status")},
        "externalId": None,
        "accessSecretsManager": False,
        "resetPasswordEnrolled": False,
        "usesKeyConnector": False,
        "hasMasterPassword": bool(user),
        "name": user.get("name"),
        "email": user.get("email", row["email"]),
        "avatarColor": None,
        "twoFactorEnabled": False,
        "ssoBound": False,
        "claimedByOrganization": False,
        "collections": [],
        "groups": [],
    }
    return found | ({"permissions": row["permissions"]} if row.get("permissions") else {})
