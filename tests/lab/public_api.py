"""The public API: collections, groups, policies and events, with an organization's own key.

Source: bitwarden/server src/Api/AdminConsole/Public/Controllers/*, src/Api/Dirt/Public/Controllers/EventsController.cs.
"""

from __future__ import annotations

import uuid

from flask import Response, request

from tests.lab import access, collections, groups, policy_data, policy_rules
from tests.lab.collections import SHARED, external_id_in
from tests.lab.core import World, bad_request, invalid, not_found
from tests.lab.events import pick
from tests.lab.policies import own_name
from tests.lab.public_web import blueprint, listed, organization, own, owned
from tests.lab.rights import Actor
from tests.lab.state import Row
from tests.lab.web import answer, body, empty, guids

routes = blueprint("public_api")


# Collections: nothing of their names, which are ciphertext.


def _collection(world: World, row: Row) -> Row:
    held = access.holders(world, row["id"], "groupId")
    return {"object": "collection", "id": row["id"], "externalId": row["externalId"], "groups": held}


@routes.get("/public/collections")
def read_collections() -> Response:
    """The shared collections."""
    by = organization()
    return listed(_collection(by.world, row) for row in by.world.find("collection", organizationId=by.id, type=SHARED))


@routes.get("/public/collections/<collection_id>")
def read_collection(collection_id: str) -> Response:
    """One collection."""
    by, row = owned("collection", collection_id)
    return answer(_collection(by.world, row))


@routes.put("/public/collections/<collection_id>")
def update_collection(collection_id: str) -> Response:
    """Replace external id and groups; older releases also take all direct access away."""
    (by, row), fields = owned("collection", collection_id), body()
    row["externalId"] = external_id_in(fields)
    collections.change(by, row, access.entries(fields, "groups"), None)
    return answer(_collection(by.world, row))


@routes.delete("/public/collections/<collection_id>")
def delete_collection(collection_id: str) -> Response:
    """Delete a collection."""
    by, row = owned("collection", collection_id)
    collections.discard(by, [row])
    return empty()


# Groups.


def _group(world: World, row: Row) -> Row:
    about = {name: row[name] for name in ("id", "name", "externalId")}
    return {"object": "group", **about, "collections": access.held(world, "groupId", row["id"])}


@routes.get("/public/groups")
def read_groups() -> Response:
    """The groups."""
    by = organization()
    return listed(_group(by.world, row) for row in by.world.find("group", organizationId=by.id))


@routes.get("/public/groups/<group_id>")
def read_group(group_id: str) -> Response:
    """One group."""
    by, row = owned("group", group_id)
    return answer(_group(by.world, row))


@routes.post("/public/groups")
def create_group() -> Response:
    """Create a group, without members."""
    by = organization()
    row = _save_group(by, {"id": str(uuid.uuid4()), "organizationId": by.id})
    by.record(1400, groupId=row["id"])
    return answer(_group(by.world, row))


@routes.put("/public/groups/<group_id>")
def update_group(group_id: str) -> Response:
    """Replace name, external id and, where they are given, collections."""
    by, row = owned("group", group_id)
    row = _save_group(by, row)
    by.record(1401, groupId=row["id"])
    return answer(_group(by.world, row))


def _save_group(by: Actor, row: Row) -> Row:
    fields = body()
    row |= {"name": groups.name_in(fields), "externalId": external_id_in(fields)}
    selections = access.entries(fields, "collections")
    groups.check_usable(by)
    access.check_exclusive(selections)
    by.world.put("group", row)
    if selections is not None:
        access.replace_held(by.world, "groupId", row["id"], access.known(by.world, by.id, "collection", selections))
    return row


@routes.delete("/public/groups/<group_id>")
def delete_group(group_id: str) -> Response:
    """Delete a group."""
    groups.discard(*owned("group", group_id))
    return empty()


@routes.get("/public/groups/<group_id>/member-ids")
def read_group_members(group_id: str) -> Response:
    """Who is in a group."""
    by, row = owned("group", group_id)
    return answer(access.members_of(by.world, row["id"]))


@routes.put("/public/groups/<group_id>/member-ids")
def update_group_members(group_id: str) -> Response:
    """Let exactly these members be in a group; foreign ones do not matter."""
    by, row = owned("group", group_id)
    groups.set_members(by, row, own(by, "member", guids(body(), "memberIds")))
    return empty()


# Policies: flat on every release.


def _policy(row: Row) -> Row:
    return {"object": "policy", **{name: row[name] for name in ("id", "type", "enabled", "data")}}


@routes.get("/public/policies")
def read_policies() -> Response:
    """What was saved at least once."""
    by = organization()
    return listed(_policy(row) for row in by.world.find("policy", organizationId=by.id))


@routes.get("/public/policies/<int:kind>")
def read_policy(kind: int) -> Response:
    """One policy; never saved is 404."""
    by = organization()
    row = policy_rules.stored(by.world, by.id, kind)
    if not row:
        raise not_found()
    return answer(_policy(row))


@routes.put("/public/policies/<int:kind>")
def update_policy(kind: int) -> Response:
    """Save a policy."""
    by, fields = organization(), body()
    if not policy_data.exists(by.world.version, kind):
        raise invalid("type", f"The value '{kind}' is not valid.")
    if fields.get("enabled") is None:
        raise invalid("Enabled", "The Enabled field is required.")
    name = own_name(fields) if by.world.has("policy type in the path") else None
    wish = policy_rules.Wish(kind, bool(fields.get("enabled")), policy_data.checked(kind, fields.get("data")), name)
    return answer(_policy(policy_rules.save(by, wish)))


# Events.

_SAME = ("type", "collectionId", "groupId", "policyId", "actingUserId", "installationId", "date", "ipAddress")
_SECRETS = ("secretId", "projectId", "serviceAccountId")


@routes.get("/public/events")
def read_events() -> Response:
    """The event log, newest first."""
    by = organization()
    match = {"actingUserId": request.args.get("actingUserId"), "cipherId": request.args.get("itemId")}
    wanted = {name: value for name, value in match.items() if value}
    rows, token = pick(by.world, bad_request("Date range must be < 367 days."), organizationId=by.id, **wanted)
    return answer({"object": "list", "data": [_event(row) for row in rows], "continuationToken": token})


def _event(row: Row) -> Row:
    same = {name: row[name] for name in (*_SAME, *_SECRETS)}
    return {
        "object": "event",
        **same,
        "itemId": row["cipherId"],
        "memberId": row["organizationUserId"],
        "device": row["deviceType"],
    }
