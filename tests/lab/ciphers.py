"""Items of an organization: imported, read and exported.

Source: bitwarden/server ImportCiphersController.cs, ImportCiphersCommand.cs, CiphersController.cs, ExportController.cs.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from flask import Blueprint, Response, request

from tests.lab import access, cipher_shapes, encrypted
from tests.lab.collections import DEFAULT, SHARED, check_limit, new_collection, shown
from tests.lab.core import Refusal, World, bad_request, not_found
from tests.lab.rights import Rights, rights
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, caller, empty, here, listed

routes = Blueprint("ciphers", __name__)

_CLOUD_LIMITS = {
    "ciphers": 40000,
    "collectionRelationships": 80000,
    "collections": 2000,
    "folders": 2000,
    "folderRelationships": 80000,
}
_LARGEST_BODY = 30_000_000
_MANAGE = {"readOnly": False, "hidePasswords": False, "manage": True}


@dataclass
class _Import:
    """What a request brings: contents, collections (known ones with their id), and which is in which."""

    contents: list[Row] = field(default_factory=list)
    collections: list[Row] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)


@routes.post("/ciphers/import-organization")
def import_organization() -> Response:
    """Import items and new collections; each call makes new items, and without items nothing happens at all."""
    caller()
    if len(request.get_data()) > _LARGEST_BODY:
        raise Refusal(413)
    fields = body()
    wanted = _read(fields)
    if here().cloud and any(len(fields.get(name) or []) > most for name, most in _CLOUD_LIMITS.items()):
        raise bad_request("You cannot import this much data at once.")
    if not request.args.get("organizationId"):
        raise bad_request("No organization ID found in the import data.")
    may = rights(request.args["organizationId"])
    known = access.known(may.world, may.id, "collection", wanted.collections)
    _check_permission(may, known, len(known) < len(wanted.collections))
    if may.member is None and not may.provider:
        raise Refusal(401, "Unauthorized.")
    text = "This organization can only have a maximum of {} collections."
    check_limit(may.world, may.organization, len(wanted.collections), text)
    if wanted.contents:
        _store(may, wanted, {row["id"] for row in known})
    return empty()


def _read(fields: Fields) -> _Import:
    """Read the request, and refuse everything that is wrong in it at once."""
    reading, found = cipher_shapes.Reading(), _Import()
    for number, entry in enumerate(map(Fields, fields.get("ciphers") or [])):
        found.contents.append(reading.cipher(entry, f"Ciphers[{number}]."))
    for number, entry in enumerate(map(Fields, fields.get("collections") or [])):
        name = entry.get("name")
        wrong = encrypted.problem("Name", name, 1000) if name else "The Name field is required."
        if wrong:
            reading.problems[f"Collections[{number}].Name"] = [wrong]
        found.collections.append({"id": entry.get("id"), "name": name, "externalId": entry.get("externalId")})
    if reading.problems:
        raise Refusal(400, "The model state is invalid.", reading.problems)
    for pair in map(Fields, fields.get("collectionRelationships") or []):
        place = (pair.get("key"), pair.get("value"))
        if place[0] in range(len(found.contents)) and place[1] in range(len(found.collections)):
            found.places.append(place)
    return found


def _check_permission(may: Rights, known: list[Row], some_new: bool) -> None:
    """Whoever may import and export, or may create the new collections and change the known ones."""
    if may.who.may("accessimportexport", may.id):
        return
    creates = some_new or not known
    if (creates and not may.creates()) or not may.updates(known):
        raise bad_request("Not enough privileges to import into this organization.")


def _store(may: Rights, wanted: _Import, known: set[str]) -> None:
    ids = [row["id"] if row["id"] in known else _new_collection(may, row) for row in wanted.collections]
    made_ciphers = [may.world.put("cipher", cipher_shapes.new_cipher(may.world, may.id, one)) for one in wanted.contents]
    for cipher, collection in wanted.places:
        place(may.world, made_ciphers[cipher]["id"], ids[collection])


def _new_collection(may: Rights, row: Row) -> str:
    """Create a collection that only the importing member has access to."""
    made = may.world.put("collection", new_collection(may.id, row["name"], row["externalId"]))
    if may.member:
        access.grant(may.world, made["id"], "memberId", {"id": may.member["id"], **_MANAGE})
    return str(made["id"])


def place(world: World, cipher_id: str, collection_id: str) -> None:
    """Put an item into a collection."""
    world.put("place", {"id": f"{cipher_id}/{collection_id}", "cipherId": cipher_id, "collectionId": collection_id})


def places_of(world: World, cipher_id: str) -> list[str]:
    """Return the collections that an item is in."""
    return [row["collectionId"] for row in world.find("place", cipherId=cipher_id)]


# Reading.


@routes.get("/ciphers/organization-details")
def organization_details() -> Response:
    """All items of an organization, the trash included."""
    may = rights(request.args.get("organizationId", ""))
    if not may.reads_items():
        raise not_found()
    own_too = may.world.has("items of members") and request.args.get("includeMemberItems", "").lower() == "true"
    return listed(_all_items(may.world, may.id, own_too=own_too))


def _all_items(world: World, organization_id: str, *, own_too: bool = False) -> list[Row]:
    """Show an organization's items, without those that members keep for themselves."""
    own = set() if own_too else {row["id"] for row in world.find("collection", organizationId=organization_id, type=DEFAULT)}
    found = []
    for row in world.find("cipher", organizationId=organization_id):
        collection_ids = places_of(world, row["id"])
        if not own.intersection(collection_ids):
            found.append(cipher_shapes.mini_details(row, collection_ids))
    return found


@routes.get("/ciphers/organization-details/assigned")
def assigned() -> Response:
    """The caller's items of an organization; nothing for provider users."""
    may = rights(request.args.get("organizationId", ""))
    if not may.member:
        raise not_found()
    return listed(_items_of(may.world, may.member))


def items_of_user(world: World, user_id: str) -> list[Row]:
    """Return the organizations' items that a user has access to, as clients keep them."""
    return [item for member in world.find("member", userId=user_id, status=2) for item in _items_of(world, member)]


def _items_of(world: World, member: Row) -> list[Row]:
    mine = access.effective(world, member)
    ways: dict[str, list[str]] = {}
    for collection_id in mine:
        for row in world.find("place", collectionId=collection_id):
            ways.setdefault(row["cipherId"], []).append(collection_id)
    rows = ((world.get("cipher", cipher_id), ids) for cipher_id, ids in ways.items())
    return [cipher_shapes.details(row, [mine[one] for one in ids], ids) for row, ids in rows if row]


@routes.get("/organizations/<organization_id>/export")
def export(organization_id: str) -> Response:
    """Collections and items: all of them, or those that a member manages; nothing for provider users."""
    may = rights(organization_id)
    if may.role is None or not may.member:
        raise not_found()
    collections = may.world.find("collection", organizationId=may.id, type=SHARED)
    items = _all_items(may.world, may.id)
    if not may.who.may("accessimportexport", may.id):
        mine = access.effective(may.world, may.member)
        managed = {collection_id for collection_id, allowed in mine.items() if allowed["manage"]}
        collections = [row for row in collections if row["id"] in managed]
        items = [item for item in items if managed.intersection(item["collectionIds"])]
    found: dict[str, t.Any] = {"collections": [shown(row) for row in collections], "ciphers": items}
    return answer({"object": "organizationExport", **found})
