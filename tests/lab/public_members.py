"""The public API: members. Source: bitwarden/server src/Api/AdminConsole/Public/Controllers/MembersController.cs."""

from __future__ import annotations

from flask import Response

from tests.lab import access, compliance, emails, member_acts, seats
from tests.lab.collections import external_id_in
from tests.lab.core import Refusal, World, bad_request, invalid, not_found
from tests.lab.member_invites import add, find, remind
from tests.lab.member_rows import CUSTOM, OWNER, has_owner, new_member
from tests.lab.member_rules import permissions_in, role_in
from tests.lab.public_web import blueprint, listed, organization, own, owned
from tests.lab.rights import Actor
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, empty, guids, here

routes = blueprint("public_members")


def _listed(world: World, row: Row) -> Row:
    """Show a member as the list does: without the collections."""
    user = world.get("user", row["userId"]) or {}
    return {
        "object": "member",
        **{name: row[name] for name in ("id", "userId", "status", "type")},
        "name": user.get("name"),
        "email": user.get("email", row["email"]),
        "twoFactorEnabled": compliance.two_step(user),
        "externalId": row.get("externalId"),
        "permissions": row["permissions"] if row["type"] == CUSTOM else None,
        "collections": None,
        "resetPasswordEnrolled": bool(row.get("resetPasswordKey")),
        "ssoExternalId": None,
    }


def _member(world: World, row: Row) -> Row:
    return {**_listed(world, row), "collections": access.held(world, "memberId", row["id"])}


@routes.get("/public/members")
def read_all() -> Response:
    """The members."""
    by = organization()
    return listed(_listed(by.world, row) for row in by.world.find("member", organizationId=by.id))


@routes.get("/public/members/<member_id>")
def read(member_id: str) -> Response:
    """One member."""
    by, row = owned("member", member_id)
    return answer(_member(by.world, row))


def _role(by: Actor, fields: Fields) -> tuple[int, Row | None]:
    role, permissions = role_in(fields), permissions_in(fields)
    if permissions is not None and role != CUSTOM:
        raise invalid("Permissions", "Only users with the Custom role may use custom permissions.")
    if role == CUSTOM and not by.organization["useCustomPermissions"]:
        raise bad_request("To enable custom permissions the organization must be on an Enterprise plan.")
    return role, permissions


@routes.post("/public/members")
def create() -> Response:
    """Invite one address."""
    by, fields = organization(), body()
    email = str(fields.get("email") or "")
    if not email:
        raise invalid("Email", "The Email field is required.")
    if not emails.is_email(email) or len(email) > 256:
        raise invalid("Email", "The Email field is not a supported e-mail address format.")
    role, permissions = _role(by, fields)
    external_id, selections = external_id_in(fields), access.entries(fields, "collections") or []
    if find(by.world, by.id, email.lower()):
        raise bad_request("This user has already been invited.")
    access.check_exclusive(selections)
    _take_seat(by)
    if role != OWNER and not has_owner(by.world, by.id):
        raise bad_request(member_acts.NO_OWNER)
    nothing = permissions_in(Fields({"permissions": {}}))
    held = {"permissions": (permissions or nothing) if role == CUSTOM else None, "externalId": external_id}
    row = add(by, new_member(by.world, by.id, email, role, **held), selections, guids(fields, "groups"))
    return answer(_member(by.world, row))


def _take_seat(by: Actor) -> None:
    try:
        seats.take(by.world, by.organization, 1)
    except Refusal:
        if by.world.cloud or not by.world.has("seats of the public API"):
            raise
        raise bad_request("Cannot auto scale self-host.") from None


@routes.put("/public/members/<member_id>")
def update(member_id: str) -> Response:
    """Replace a member; collections and external id that are left out are taken away, groups stay."""
    (by, row), fields = owned("member", member_id), body()
    role, permissions = _role(by, fields)
    kept = row["permissions"] if role == CUSTOM else None
    changed = {**row, "type": role, "permissions": permissions or kept, "externalId": external_id_in(fields)}
    selections = access.entries(fields, "collections") or []
    if len(access.known(by.world, by.id, "collection", selections)) < len(selections):
        raise not_found()
    groups = None if fields.get("groups") is None else guids(fields, "groups")
    member_acts.change(by, row, changed, selections, groups)
    return answer(_member(by.world, changed))


@routes.get("/public/members/<member_id>/group-ids")
def read_groups(member_id: str) -> Response:
    """The groups that a member is in."""
    by, row = owned("member", member_id)
    return answer(access.groups_of(by.world, row["id"]))


@routes.put("/public/members/<member_id>/group-ids")
def update_groups(member_id: str) -> Response:
    """Let a member be in exactly these groups."""
    by, row = owned("member", member_id)
    access.replace_groups(by.world, row["id"], own(by, "group", guids(body(), "groupIds")))
    by.record(1504, organizationUserId=row["id"])
    return empty()


@routes.delete("/public/members/<member_id>")
def delete(member_id: str) -> Response:
    """Remove a member."""
    member_acts.dismiss(*owned("member", member_id))
    return empty()


@routes.post("/public/members/<member_id>/reinvite")
def reinvite(member_id: str) -> Response:
    """Mail an invitation once more."""
    by, row = owned("member", member_id)
    remind(by.world, row)
    return empty()


@routes.post("/public/members/<member_id>/revoke")
def revoke(member_id: str) -> Response:
    """Revoke a member."""
    _demand_newer()
    member_acts.suspend(*owned("member", member_id))
    return empty()


@routes.post("/public/members/<member_id>/restore")
def restore(member_id: str) -> Response:
    """Restore a member."""
    _demand_newer()
    by, row = owned("member", member_id)
    member_acts.check_revoked(row)
    seats.take(by.world, by.organization, 1)
    member_acts.restore(by, row)
    return empty()


def _demand_newer() -> None:
    if not here().has("public revoke and restore"):
        raise not_found()
