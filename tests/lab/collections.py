"""Collections of an organization, and who has access to them.

Source: bitwarden/server AdminConsole/Controllers/CollectionsController.cs, OrganizationFeatures/Collections/*.
"""

from __future__ import annotations

import typing as t
import uuid

from flask import Blueprint, Response

from tests.lab import access, encrypted
from tests.lab.core import World, bad_request, invalid, not_found
from tests.lab.rights import Actor, Rights, rights
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, caller, empty, guid, guids, here, listed

routes = Blueprint("collections", __name__)

SHARED, DEFAULT = 0, 1
_BASE = "/organizations/<organization_id>/collections"
_ONE = f"{_BASE}/<collection_id>"
_OF_DEFAULT = "collections with the type as DefaultUserCollection."
_NAMES = ("id", "organizationId", "name", "externalId", "type", "defaultUserCollectionEmail")


def shown(row: Row, kind: str = "collection") -> Row:
    """Show a collection."""
    return {"object": kind, **{name: row.get(name) for name in _NAMES}}


def assigned(row: Row, allowed: Row) -> Row:
    """Show a collection to somebody who has access to it."""
    return {**shown(row, "collectionDetails"), **allowed}


def _detailed(world: World, row: Row, member: Row | None) -> Row:
    allowed = access.within(world, member, row["id"])
    return {
        **shown(row, "collectionAccessDetails"),
        "groups": access.holders(world, row["id"], "groupId"),
        "users": access.holders(world, row["id"], "memberId"),
        "assigned": allowed is not None,
        **(allowed or dict.fromkeys(access.FLAGS, False)),
        "unmanaged": access.orphaned(world, row["id"]),
    }


def _written(may: Rights, row: Row) -> Response:
    """What a write answers: a provider user is not told who has access."""
    if not may.only_provider:
        return answer(_detailed(may.world, row, may.member))
    blind = {"groups": None, "users": None, "assigned": False, **dict.fromkeys(access.FLAGS, False), "unmanaged": False}
    return answer({**shown(row, "collectionAccessDetails"), **blind})


def _found(collection_id: str) -> tuple[Rights, Row]:
    caller()
    row = here().get("collection", guid(collection_id))
    if not row:
        raise not_found()
    return rights(row["organizationId"]), row


@routes.get(_BASE)
def read_all(organization_id: str) -> Response:
    """The shared collections: all of them, or those that the caller manages."""
    may = rights(organization_id)
    rows = may.world.find("collection", organizationId=may.id, type=SHARED)
    if not may.reads_all("accessimportexport", "managegroups"):
        mine = access.effective(may.world, may.member) if may.member else {}
        rows = [row for row in rows if mine.get(row["id"], {}).get("manage")]
    return listed(shown(row) for row in rows)


@routes.get(f"{_BASE}/details")
def read_all_details(organization_id: str) -> Response:
    """The same with access; a provider user's look is recorded."""
    may = rights(organization_id)
    if may.provider:
        may.record(1903)
        may.record(1603)
    rows = may.world.find("collection", organizationId=may.id, type=SHARED)
    details = [_detailed(may.world, row, may.member) for row in rows]
    everything = may.reads_all("manageusers", "managegroups")
    return listed(row for row in details if everything or row["manage"])


@routes.get(_ONE)
def read(organization_id: str, collection_id: str) -> Response:
    """One collection."""
    may, row = _found(collection_id)
    if not may.reads([row]):
        raise not_found()
    return answer(shown(row))


@routes.get(f"{_ONE}/details")
def read_details(organization_id: str, collection_id: str) -> Response:
    """One collection with access."""
    may, row = _found(collection_id)
    if not may.reads([row], "manageusers"):
        raise not_found()
    return answer(_detailed(may.world, row, may.member))


@routes.get(f"{_ONE}/users")
def read_users(organization_id: str, collection_id: str) -> Response:
    """The members with direct access, without the list wrapper."""
    may, row = _found(collection_id)
    if not may.reads([row]):
        raise not_found()
    return answer(access.holders(may.world, row["id"], "memberId"))


@routes.get("/collections")
def read_mine() -> Response:
    """What the caller has access to, in all organizations."""
    who = caller()
    return listed(collections_of_user(here(), who.id))


def collections_of_user(world: World, user_id: str) -> list[Row]:
    """Return the collections that a user has access to, as clients keep them."""
    found = []
    for member in world.find("member", userId=user_id, status=2):
        for collection_id, allowed in access.effective(world, member).items():
            row = world.get("collection", collection_id)
            found += [assigned(row, allowed)] if row else []
    return found


@routes.post(_BASE)
def create(organization_id: str) -> Response:
    """Create a collection."""
    may, fields = rights(organization_id), body()
    encrypted.check("Name", fields.get("name"))
    external_id = external_id_in(fields)
    groups, users = access.entries(fields, "groups"), access.entries(fields, "users")
    if not may.creates():
        raise not_found()
    access.check_exclusive(groups)
    _demand_manager(may.organization, groups, users)
    check_limit(may.world, may.organization, 1, "You have reached the maximum number of collections ({}) for this organization.")
    row = new_collection(may.id, fields.get("name"), external_id)
    may.world.put("collection", row)
    _save_access(may, row, groups or [], users or [])
    may.record(1300, collectionId=row["id"])
    return _written(may, row)


def new_collection(organization_id: str, name: str, external_id: str | None = None) -> Row:
    """Return a new shared collection."""
    row = {"id": str(uuid.uuid4()), "organizationId": organization_id, "name": name, "externalId": external_id}
    return {**row, "type": SHARED, "defaultUserCollectionEmail": None}


def external_id_in(fields: Fields) -> str | None:
    """Return the external id of a request."""
    value = fields.get("externalId")
    if value is not None and len(value) > 300:
        raise invalid("ExternalId", "The field ExternalId must be a string with a maximum length of 300.")
    return value or None


def _demand_manager(organization: Row, *lists: t.Iterable[Row] | None) -> None:
    if not organization["allowAdminAccessToAllCollectionItems"] and not access.someone_manages(*lists):
        raise bad_request("At least one member or group must have can manage permission.")


def check_limit(world: World, organization: Row, more: int, text: str) -> None:
    """Refuse more collections than the plan allows."""
    most = organization["maxCollections"]
    if most is not None and world.count("collection", organizationId=organization["id"], type=SHARED) + more > most:
        raise bad_request(text.format(most))


def _save_access(by: Actor, row: Row, groups: list[Row] | None, users: list[Row] | None) -> None:
    """Replace the lists that are given; groups count only where the organization may use them."""
    for side, kind, selections in (("groupId", "group", groups), ("memberId", "member", users)):
        if selections is not None and (kind == "member" or by.organization["useGroups"]):
            access.replace_holders(by.world, row["id"], side, access.known(by.world, by.id, kind, selections))


@routes.put(_ONE)
@routes.post(_ONE)
def update(organization_id: str, collection_id: str) -> Response:
    """Change a collection; what is left out of the access lists depends on the release."""
    (may, row), fields = _found(collection_id), body()
    encrypted.check("Name", fields.get("name"), required=not may.world.has("collection name optional"))
    external_id = external_id_in(fields)
    groups, users = access.entries(fields, "groups"), access.entries(fields, "users")
    if not may.updates([row]):
        raise not_found()
    if fields.get("name") and not row.get("defaultUserCollectionEmail"):
        row["name"] = fields.get("name")
    row["externalId"] = external_id
    change(may, row, groups, users)
    return _written(may, row)


def change(by: Actor, row: Row, groups: list[Row] | None, users: list[Row] | None) -> None:
    """Store a changed collection; lists that are not given stay, or in older releases are cleared."""
    if row["type"] == DEFAULT:
        raise bad_request("You cannot edit a collection with the type as DefaultUserCollection.")
    access.check_exclusive(groups)
    if by.world.has("collection update keeps access"):
        kept = [access.holders(by.world, row["id"], side) for side in access.SIDES]
        _demand_manager(by.organization, *(kept[n] if given is None else given for n, given in enumerate((groups, users))))
    else:
        groups, users = groups or [], users or []
        _demand_manager(by.organization, groups, users)
    by.world.put("collection", row)
    _save_access(by, row, groups, users)
    by.record(1301, collectionId=row["id"])


@routes.delete(_ONE)
@routes.post(f"{_ONE}/delete")
def delete(organization_id: str, collection_id: str) -> Response:
    """Delete a collection; its items stay."""
    may, row = _found(collection_id)
    return _delete(may, [row])


@routes.delete(_BASE)
@routes.post(f"{_BASE}/delete")
def delete_many(organization_id: str) -> Response:
    """Delete collections, all or none; unknown ones do not matter unless all are."""
    caller()
    rows = [row for row in (here().get("collection", one) for one in guids(body(), "ids")) if row]
    if not rows:
        raise not_found()
    if len({row["organizationId"] for row in rows}) > 1:
        raise bad_request("Requested collections must belong to the same organization.")
    return _delete(rights(rows[0]["organizationId"]), rows)


def _delete(may: Rights, rows: list[Row]) -> Response:
    if not may.deletes(rows):
        raise not_found()
    discard(may, rows)
    return empty()


def discard(by: Actor, rows: list[Row]) -> None:
    """Delete shared collections."""
    if any(row["type"] == DEFAULT for row in rows):
        raise bad_request("You cannot delete a collection with the type as DefaultUserCollection.")
    for row in rows:
        remove(by.world, row)
        by.record(1302, collectionId=row["id"])


def remove(world: World, row: Row) -> None:
    """Take a collection away, with all access and every item's place in it."""
    access.drop(world, collectionId=row["id"])
    for place in world.find("place", collectionId=row["id"]):
        world.delete("place", place["id"])
    world.delete("collection", row["id"])


@routes.post(f"{_BASE}/bulk-access")
def add_access(organization_id: str) -> Response:
    """Give access to many collections: adds or changes, and takes nothing away."""
    may, fields = rights(organization_id), body()
    wanted = guids(fields, "collectionIds")
    rows = [row for row in (may.world.get("collection", one) for one in wanted) if row and row["organizationId"] == may.id]
    if not rows or len(rows) != len(wanted) or not (may.changes_users(rows) and may.changes_groups(rows)):
        raise not_found()
    if any(row["type"] == DEFAULT for row in rows):
        raise bad_request(f"You cannot add access to {_OF_DEFAULT}")
    lists = {"memberId": access.entries(fields, "users"), "groupId": access.entries(fields, "groups")}
    for side, selections in lists.items():
        _demand_all(may, side, selections or [])
    for row in rows:
        for side, selections in lists.items():
            for one in selections or []:
                access.grant(may.world, row["id"], side, one)
        may.record(1301, collectionId=row["id"])
    return empty()


def _demand_all(may: Rights, side: str, selections: list[Row]) -> None:
    kind, word = {"memberId": ("member", "users"), "groupId": ("group", "groups")}[side]
    found = [may.world.get(kind, one["id"]) for one in selections]
    if None in found:
        raise bad_request(f"One or more {word} do not exist.")
    if any(row and row["organizationId"] != may.id for row in found):
        raise bad_request(f"One or more {word} do not belong to the same organization as the collection being assigned.")
