"""Who is in which group, and who has access to which collection: directly, and through groups.

An access row joins a collection with a group or a member; its side is C(groupId) or C(memberId).
Source: bitwarden/server SelectionReadOnlyRequestModel.cs, UserCollectionDetails.sql.
"""

from __future__ import annotations

import typing as t

from tests.lab.core import World, bad_request, invalid
from tests.lab.state import Row
from tests.lab.web import Fields, guid

FLAGS = ("readOnly", "hidePasswords", "manage")
SIDES = ("groupId", "memberId")
_EXCLUSIVE = (
    "The Manage property is mutually exclusive and cannot be true while the ReadOnly or HidePasswords properties are also true."
)


def entries(fields: Fields, name: str) -> list[Row] | None:
    """Read the access objects of a request; None when they are absent."""
    given = fields.get(name)
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise invalid(f"$.{name}", "The JSON value could not be converted.")
    found = []
    for number, entry in enumerate(map(Fields, given)):
        wrong = invalid(f"$.{name}[{number}].id", "The JSON value could not be converted to System.Guid.")
        found.append({"id": guid(entry.get("id"), wrong), **{flag: bool(entry.get(flag)) for flag in FLAGS}})
    return found


def check_exclusive(selections: t.Iterable[Row] | None) -> None:
    """Refuse who may manage and yet not read or write."""
    if any(one["manage"] and (one["readOnly"] or one["hidePasswords"]) for one in selections or ()):
        raise bad_request(_EXCLUSIVE)


def someone_manages(*lists: t.Iterable[Row] | None) -> bool:
    """Say whether anybody in these lists may manage."""
    return any(one["manage"] for selections in lists for one in selections or ())


# Access rows.


def grant(world: World, collection_id: str, side: str, selection: Row) -> None:
    """Give a group or member access to a collection, or change what it has."""
    row = {"id": f"{collection_id}/{selection['id']}", "collectionId": collection_id, **dict.fromkeys(SIDES)}
    world.put("access", {**row, side: selection["id"], **{flag: selection[flag] for flag in FLAGS}})


def known(world: World, organization_id: str, kind: str, selections: t.Iterable[Row]) -> list[Row]:
    """Return the selections whose C(group), C(member) or C(collection) belongs to an organization."""
    return [one for one in selections if (world.get(kind, one["id"]) or {}).get("organizationId") == organization_id]


def replace_holders(world: World, collection_id: str, side: str, selections: t.Iterable[Row]) -> None:
    """Let exactly these groups (or members) have access to a collection."""
    for one in holders(world, collection_id, side):
        world.delete("access", f"{collection_id}/{one['id']}")
    for one in selections:
        grant(world, collection_id, side, one)


def replace_held(world: World, side: str, holder_id: str, selections: t.Iterable[Row]) -> None:
    """Let a group (or member) have access to exactly these collections; default collections stay."""
    for one in held(world, side, holder_id):
        world.delete("access", f"{one['id']}/{holder_id}")
    for one in selections:
        grant(world, one["id"], side, {**one, "id": holder_id})


def holders(world: World, collection_id: str, side: str) -> list[Row]:
    """Return the groups (or members) that have access to a collection, with what they may do."""
    rows = world.find("access", collectionId=collection_id)
    return [{"id": row[side], **{flag: row[flag] for flag in FLAGS}} for row in rows if row[side]]


def held(world: World, side: str, holder_id: str) -> list[Row]:
    """Return the shared collections that a group (or member) has direct access to."""
    rows = world.find("access", **{side: holder_id})
    return [{"id": row["collectionId"], **{flag: row[flag] for flag in FLAGS}} for row in rows if _shared(world, row)]


def _shared(world: World, row: Row) -> bool:
    return (world.get("collection", row["collectionId"]) or {}).get("type") == 0


def drop(world: World, **match: str) -> None:
    """End all access of a collection, group or member."""
    for row in world.find("access", **match):
        world.delete("access", row["id"])


# Groups.


def groups_of(world: World, member_id: str) -> list[str]:
    """Return the groups of a member."""
    return [row["groupId"] for row in world.find("group_member", memberId=member_id)]


def members_of(world: World, group_id: str) -> list[str]:
    """Return the members of a group."""
    return [row["memberId"] for row in world.find("group_member", groupId=group_id)]


def join(world: World, group_id: str, member_id: str) -> None:
    """Put a member into a group."""
    world.put("group_member", {"id": f"{group_id}/{member_id}", "groupId": group_id, "memberId": member_id})


def replace_groups(world: World, member_id: str, group_ids: t.Iterable[str]) -> None:
    """Let a member be in exactly these groups."""
    leave(world, memberId=member_id)
    for group_id in group_ids:
        join(world, group_id, member_id)


def replace_members(world: World, group_id: str, member_ids: t.Iterable[str]) -> None:
    """Let exactly these members be in a group."""
    leave(world, groupId=group_id)
    for member_id in member_ids:
        join(world, group_id, member_id)


def leave(world: World, **match: str) -> None:
    """End the memberships of a group, or of a member in all groups."""
    for row in world.find("group_member", **match):
        world.delete("group_member", row["id"])


# What it comes to.


def effective(world: World, member: Row) -> dict[str, Row]:
    """Return what a member may do in each collection."""
    ways: dict[str, list[Row]] = {}
    for holder in _holders(world, member):
        for row in world.find("access", **holder):
            ways.setdefault(row["collectionId"], []).append(row)
    return {collection_id: _most(rows) for collection_id, rows in ways.items()}


def within(world: World, member: Row | None, collection_id: str) -> Row | None:
    """Return what a member may do in one collection, None when it is nothing."""
    if member is None:
        return None
    ids = (next(iter(holder.values())) for holder in _holders(world, member))
    rows = [row for row in (world.get("access", f"{collection_id}/{holder}") for holder in ids) if row]
    return _most(rows) if rows else None


def _holders(world: World, member: Row) -> list[dict[str, str]]:
    return [{"memberId": member["id"]}, *({"groupId": group_id} for group_id in groups_of(world, member["id"]))]


def _most(rows: list[Row]) -> Row:
    """The most that any way allows."""
    least = {flag: all(row[flag] for row in rows) for flag in ("readOnly", "hidePasswords")}
    return {**least, "manage": any(row["manage"] for row in rows)}


def orphaned(world: World, collection_id: str) -> bool:
    """Say whether nobody may manage a collection."""
    return not world.one("access", collectionId=collection_id, manage=True)
