"""Single items of an organization, for members who may edit them; for provider users they are not there.

Source: bitwarden/server src/Api/Vault/Controllers/CiphersController.cs.
"""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab import access, cipher_shapes
from tests.lab.ciphers import place, places_of
from tests.lab.core import Refusal, bad_request, iso, not_found
from tests.lab.rights import Rights, rights
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, caller, empty, guid, guids, here

routes = Blueprint("cipher_items", __name__)

_MOST_DELETED = 500


def _content(fields: Fields, at: str) -> Row:
    reading = cipher_shapes.Reading()
    content = reading.cipher(fields, at)
    if reading.problems:
        raise Refusal(400, "The model state is invalid.", reading.problems)
    return content


def _found(cipher_id: str) -> tuple[Rights, Row]:
    caller()
    row = here().get("cipher", guid(cipher_id))
    if not row:
        raise not_found()
    may = rights(row["organizationId"])
    if not may.edits_items():
        raise not_found()
    return may, row


def _create(*, by_admin: bool) -> Row:
    caller()
    fields = body()
    inner = Fields(fields.get("cipher") or {})
    content, collection_ids = _content(inner, "Cipher."), guids(fields, "collectionIds")
    may = rights(inner.get("organizationId", ""))
    if not (may.edits_items() if by_admin else _writes_into(may, collection_ids)):
        raise not_found()
    row = may.world.put("cipher", cipher_shapes.new_cipher(may.world, may.id, content))
    _place(may, row, collection_ids)
    may.record(1100, cipherId=row["id"])
    return row


def _writes_into(may: Rights, collection_ids: list[str]) -> bool:
    if not collection_ids:
        raise bad_request("You must select at least one collection.")
    ways = [access.within(may.world, may.member, one) for one in collection_ids]
    return may.edits_items() or all(way and not way["readOnly"] for way in ways)


def _place(may: Rights, row: Row, collection_ids: list[str]) -> None:
    for one in access.known(may.world, may.id, "collection", [{"id": one} for one in collection_ids]):
        place(may.world, row["id"], one["id"])


@routes.post("/ciphers/create")
def create() -> Response:
    """Create an item in collections that the caller may write into."""
    row = _create(by_admin=False)
    allowed = [{"readOnly": False, "hidePasswords": False}]
    return answer(cipher_shapes.details(row, allowed, places_of(here(), row["id"])) | {"object": "cipher"})


@routes.post("/ciphers/admin")
def create_as_admin() -> Response:
    """Create an item anywhere, or nowhere."""
    return answer(cipher_shapes.mini(_create(by_admin=True)))


@routes.put("/ciphers/<cipher_id>/admin")
@routes.post("/ciphers/<cipher_id>/admin")
def update_as_admin(cipher_id: str) -> Response:
    """Replace an item's content."""
    may, row = _found(cipher_id)
    row = may.world.put("cipher", {**row, **_content(body(), ""), "revisionDate": iso(may.world.now())})
    may.record(1101, cipherId=row["id"])
    return answer(cipher_shapes.mini(row))


@routes.put("/ciphers/<cipher_id>/collections-admin")
def move_as_admin(cipher_id: str) -> Response:
    """Let an item be in exactly these collections."""
    may, row = _found(cipher_id)
    for one in may.world.find("place", cipherId=row["id"]):
        may.world.delete("place", one["id"])
    _place(may, row, guids(body(), "collectionIds"))
    return answer(cipher_shapes.mini_details(row, places_of(may.world, row["id"])))


@routes.post("/ciphers/bulk-collections")
def move_many() -> Response:
    """Put items into collections, or take them out."""
    fields = body()
    may = rights(fields.get("organizationId", ""))
    rows = [_found(one)[1] for one in guids(fields, "cipherIds")]
    for row in rows:
        if fields.get("removeCollections"):
            for one in guids(fields, "collectionIds"):
                may.world.delete("place", f"{row['id']}/{one}")
        else:
            _place(may, row, guids(fields, "collectionIds"))
    return empty()


@routes.delete("/ciphers/<cipher_id>/admin")
@routes.post("/ciphers/<cipher_id>/delete-admin")
def delete_as_admin(cipher_id: str) -> Response:
    """Delete an item for good."""
    may, row = _found(cipher_id)
    _delete(may, row)
    return empty()


@routes.delete("/ciphers/admin")
@routes.post("/ciphers/delete-admin")
def delete_many_as_admin() -> Response:
    """Delete items for good."""
    ids = guids(body(), "ids")
    if here().cloud and len(ids) > _MOST_DELETED:
        raise bad_request(f"You can only delete up to {_MOST_DELETED} items at a time.")
    for may, row in [_found(one) for one in ids]:
        _delete(may, row)
    return empty()


def _delete(may: Rights, row: Row) -> None:
    for one in may.world.find("place", cipherId=row["id"]):
        may.world.delete("place", one["id"])
    may.world.delete("cipher", row["id"])
    may.record(1102, cipherId=row["id"])
