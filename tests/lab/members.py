"""Members of an organization, as they are read. Source: bitwarden/server OrganizationUsersController.cs."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tests.lab import access, compliance
from tests.lab.core import Refusal, World, not_found
from tests.lab.member_rows import ACCEPTED, CONFIRMED
from tests.lab.rights import demand, found_member
from tests.lab.state import Row
from tests.lab.web import answer, body, caller, guid, guids, here, listed

routes = Blueprint("members", __name__)

BASE = "/organizations/<organization_id>/users"
ONE = f"{BASE}/<member_id>"
_BRIEF = ("id", "userId", "type", "status", "name", "email")
_LISTED_ONLY = ("name", "email", "avatarColor", "twoFactorEnabled", "ssoBound", "revocationReason")


@routes.get(BASE)
def members(organization_id: str) -> Response:
    """Everybody in an organization, or only who is enrolled in account recovery."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    rows = world.find("member", organizationId=organization_id)
    if not who.may("manageusers", organization_id):
        if not who.may("manageresetpassword", organization_id):
            raise not_found()
        rows = [row for row in rows if row["status"] == CONFIRMED and row.get("resetPasswordKey")]
    return listed(_listed(world, row) for row in rows)


def _asked(name: str) -> bool:
    return request.args.get(name, "").lower() == "true"


def _listed(world: World, row: Row) -> Row:
    collections = access.held(world, "memberId", row["id"]) if _asked("includeCollections") else []
    groups = access.groups_of(world, row["id"]) if _asked("includeGroups") else []
    return {**_member(world, row), "collections": collections, "groups": groups}


@routes.get(f"{BASE}/mini-details")
def members_briefly(organization_id: str) -> Response:
    """The same for every member; somebody else gets 403 with an empty body."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    if not who.member_of(organization_id) and not who.provides(organization_id):
        raise Refusal(403)
    rows = (_member(world, row) for row in world.find("member", organizationId=organization_id))
    return listed({"object": "organizationUserUserMiniDetails", **{name: row[name] for name in _BRIEF}} for row in rows)


@routes.get(ONE)
def member(organization_id: str, member_id: str) -> Response:
    """One member, without name and e-mail, always with collections."""
    may, row = found_member(organization_id, member_id)
    shown = {name: value for name, value in _member(may.world, row).items() if name not in _LISTED_ONLY}
    groups = access.groups_of(may.world, row["id"]) if _asked("includeGroups") else []
    more = {"ssoExternalId": None, "collections": access.held(may.world, "memberId", row["id"]), "groups": groups}
    return answer({**shown, **more, "object": "organizationUserDetails"})


def _member(world: World, row: Row) -> Row:
    user = world.get("user", row["userId"]) or {}
    found = {
        "object": "organizationUserUserDetails",
        **{name: row[name] for name in ("id", "userId", "type", "status")},
        "externalId": row.get("externalId"),
        "accessSecretsManager": bool(row.get("accessSecretsManager")),
        "resetPasswordEnrolled": bool(row.get("resetPasswordKey")),
        "usesKeyConnector": bool(user.get("usesKeyConnector")),
        "hasMasterPassword": bool(user.get("passwordHash")),
        "name": user.get("name"),
        "email": user.get("email", row["email"]),
        "avatarColor": None,
        "twoFactorEnabled": compliance.two_step(user),
        "ssoBound": False,
        "claimedByOrganization": compliance.claimed(world, row),
    }
    if world.has("revocation reason"):
        found["revocationReason"] = row.get("revocationReason")
    if world.has("creation date of members"):
        found["creationDate"] = row.get("creationDate")
    return found | ({"permissions": row["permissions"]} if row.get("permissions") else {})


@routes.post(f"{BASE}/public-keys")
def public_keys(organization_id: str) -> Response:
    """The public keys of those who have accepted."""
    may, found = demand(organization_id, "manageusers"), []
    for row in (may.world.get("member", one) for one in guids(body(), "ids")):
        user = may.world.get("user", row["userId"]) if row else None
        if row and user and row["organizationId"] == may.id and row["status"] == ACCEPTED and user["publicKey"]:
            key = {"id": row["id"], "userId": user["id"], "key": user["publicKey"]}
            found.append({"object": "organizationUserPublicKeyResponseModel", **key})
    return listed(found)
