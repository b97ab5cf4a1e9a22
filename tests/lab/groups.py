"""Groups of an organization.

Source: bitwarden/server AdminConsole/Controllers/GroupsController.cs, OrganizationFeatures/Groups/*.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response

from tests.lab import access
from tests.lab.core import Refusal, World, bad_request, crash, invalid, not_found
from tests.lab.rights import Actor, Rights, demand, rights
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, empty, guid, guids, listed

routes = Blueprint("groups", __name__)

_BASE = "/organizations/<organization_id>/groups"
_ONE = f"{_BASE}/<group_id>"


def shown(row: Row) -> Row:
    """Show a group; who is in it stands elsewhere."""
    return {"object": "group", **{name: row.get(name) for name in ("id", "organizationId", "name", "externalId")}}


def _detailed(world: World, row: Row) -> Row:
    return {**shown(row), "object": "groupDetails", "collections": access.held(world, "groupId", row["id"])}


def _found(organization_id: str, group_id: str) -> tuple[Rights, Row]:
    may = demand(organization_id, "managegroups")
    row = may.world.get("group", guid(group_id))
    if not row or row["organizationId"] != may.id:
        raise not_found()
    return may, row


@routes.get(_BASE)
def read_all(organization_id: str) -> Response:
    """The groups, for everybody who has to do with collections."""
    may = rights(organization_id)
    if not (may.creates() or may.manages_any() or may.reads_all("manageusers", "managegroups", "accessreports")):
        raise Refusal(403)
    return listed(shown(row) for row in may.world.find("group", organizationId=may.id))


@routes.get(f"{_BASE}/details")
def read_all_details(organization_id: str) -> Response:
    """The groups with the collections they have access to."""
    may = demand(organization_id, "manageusers", "managegroups")
    return listed(_detailed(may.world, row) for row in may.world.find("group", organizationId=may.id))


@routes.get(_ONE)
def read(organization_id: str, group_id: str) -> Response:
    """One group."""
    return answer(shown(_found(organization_id, group_id)[1]))


@routes.get(f"{_ONE}/details")
def read_details(organization_id: str, group_id: str) -> Response:
    """One group with its collections."""
    may, row = _found(organization_id, group_id)
    return answer(_detailed(may.world, row))


@routes.get(f"{_ONE}/users")
def read_users(organization_id: str, group_id: str) -> Response:
    """The ids of a group's members, without the list wrapper."""
    may, row = _found(organization_id, group_id)
    return answer(access.members_of(may.world, row["id"]))


def name_in(fields: Fields) -> str:
    """Return the name of a request."""
    name = fields.get("name")
    if not name:
        raise invalid("Name", "The Name field is required.")
    if len(name) > 100:
        raise invalid("Name", "The field Name must be a string with a maximum length of 100.")
    return str(name)


def check_usable(by: Actor) -> None:
    """Refuse where the plan has no groups."""
    if not by.organization["useGroups"]:
        raise bad_request("This organization cannot use groups.")


@routes.post(_BASE)
def create(organization_id: str) -> Response:
    """Create a group; members that nobody knows are left out."""
    may, fields = demand(organization_id, "managegroups"), body()
    row: Row = {"id": str(uuid.uuid4()), "organizationId": may.id, "name": name_in(fields), "externalId": None}
    selections = access.entries(fields, "collections") or []
    collections = [found for found in (may.world.get("collection", one["id"]) for one in selections) if found]
    if selections and not (collections and may.changes_groups(collections)):
        raise not_found()
    check_usable(may)
    access.check_exclusive(selections)
    may.world.put("group", row)
    access.replace_held(may.world, "groupId", row["id"], access.known(may.world, may.id, "collection", selections))
    members = [{"id": one} for one in guids(fields, "users")]
    set_members(may, row, [one["id"] for one in access.known(may.world, may.id, "member", members)])
    may.record(1400, groupId=row["id"])
    return answer(shown(row))


@routes.put(_ONE)
@routes.post(_ONE)
def update(organization_id: str, group_id: str) -> Response:
    """Replace name, collections and members; the collections must be there, the members sometimes."""
    (may, row), fields = _found(organization_id, group_id), body()
    name, selections = name_in(fields), access.entries(fields, "collections")
    members = None if fields.get("users") is None else guids(fields, "users")
    _check_self(may, row, members)
    if selections is None:
        raise crash()
    kept = _check_collections(may, row, selections)
    check_usable(may)
    access.check_exclusive(selections)
    if members is not None and len(access.known(may.world, may.id, "member", [{"id": one} for one in members])) < len(members):
        raise not_found()
    may.world.put("group", {**row, "name": name})
    access.replace_held(may.world, "groupId", row["id"], selections + kept)
    if members is not None:
        set_members(may, row, members)
    may.record(1401, groupId=row["id"])
    return answer(shown({**row, "name": name}))


def _check_self(may: Rights, row: Row, members: list[str] | None) -> None:
    """Where admins do not reach everything, a member cannot add himself; a missing list breaks the server there."""
    if may.organization["allowAdminAccessToAllCollectionItems"] or not may.member:
        return
    own = may.member["id"]
    if own in access.members_of(may.world, row["id"]):
        return
    if members is None:
        raise crash()
    if own in members:
        raise bad_request("You cannot add yourself to groups.")


def _check_collections(may: Rights, row: Row, selections: list[Row]) -> list[Row]:
    """Demand rights on what is posted, and return what the group keeps because the caller may not change it."""
    for one in selections:
        collection = may.world.get("collection", one["id"])
        if not collection or collection["organizationId"] != may.id or not may.changes_groups([collection]):
            raise not_found()
    posted = {one["id"] for one in selections}
    others = (one for one in access.held(may.world, "groupId", row["id"]) if one["id"] not in posted)
    return [one for one in others if not may.changes_groups([may.world.get("collection", one["id"]) or {}])]


def set_members(by: Actor, row: Row, members: list[str]) -> None:
    """Let exactly these members be in a group."""
    before = set(access.members_of(by.world, row["id"]))
    access.replace_members(by.world, row["id"], members)
    for member_id in before ^ set(members):
        by.record(1504, organizationUserId=member_id)


@routes.delete(_ONE)
@routes.post(f"{_ONE}/delete")
def delete(organization_id: str, group_id: str) -> Response:
    """Delete a group."""
    may, row = _found(organization_id, group_id)
    return _delete(may, [row])


@routes.delete(_BASE)
@routes.post(f"{_BASE}/delete")
def delete_many(organization_id: str) -> Response:
    """Delete groups; unknown ones do not matter, foreign ones do."""
    may = demand(organization_id, "managegroups")
    rows = [row for row in (may.world.get("group", one) for one in guids(body(), "ids")) if row]
    if any(row["organizationId"] != may.id for row in rows):
        raise not_found()
    return _delete(may, rows)


def _delete(may: Rights, rows: list[Row]) -> Response:
    for row in rows:
        discard(may, row)
    return empty()


def discard(by: Actor, row: Row) -> None:
    """Take a group away, with its members' membership and its access."""
    access.drop(by.world, groupId=row["id"])
    access.leave(by.world, groupId=row["id"])
    by.world.delete("group", row["id"])
    by.record(1402, groupId=row["id"])


@routes.delete(f"{_ONE}/user/<member_id>")
@routes.post(f"{_ONE}/delete-user/<member_id>")
def delete_user(organization_id: str, group_id: str, member_id: str) -> Response:
    """Take one member out of a group."""
    may, row = _found(organization_id, group_id)
    member = may.world.get("member", guid(member_id))
    if not member or member["organizationId"] != may.id:
        raise not_found()
    may.world.delete("group_member", f"{row['id']}/{member['id']}")
    may.record(1504, organizationUserId=member["id"])
    return empty()
