"""Changing members. Source: bitwarden/server OrganizationUsersController.cs, UpdateOrganizationUserCommand.cs."""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab import access, member_acts, my_items
from tests.lab.core import bad_request, crash, not_found
from tests.lab.member_rules import check_role, permissions_in, role_in
from tests.lab.members import ONE
from tests.lab.rights import Rights, found_member
from tests.lab.state import Row
from tests.lab.web import Fields, body, empty, guids

routes = Blueprint("member_changes", __name__)


@routes.put(ONE)
@routes.post(ONE)
def update(organization_id: str, member_id: str) -> Response:
    """Replace role and direct access; without collections the server breaks, without groups they stay."""
    (may, row), fields = found_member(organization_id, member_id), body()
    role, permissions = role_in(fields), permissions_in(fields)
    selections, name = access.entries(fields, "collections"), my_items.name_in(fields)
    if selections is None:
        raise crash()
    kept = _check_collections(may, row, selections)
    check_role(may, row["type"], role, permissions)
    changed = {**row, "type": role, "permissions": permissions, "accessSecretsManager": _secrets_manager(may, row, fields)}
    limited = row["userId"] == may.who.id and _admins_are_limited(may)
    groups = None if fields.get("groups") is None or limited else guids(fields, "groups")
    member_acts.change(may, row, changed, selections + kept, groups)
    if role >= 2 > row["type"]:
        my_items.give(may.world, may.organization, changed, name)
    return empty()


def _admins_are_limited(may: Rights) -> bool:
    return not may.organization["allowAdminAccessToAllCollectionItems"]


def _check_collections(may: Rights, row: Row, selections: list[Row]) -> list[Row]:
    """Demand rights on what is posted, and return what stays because the caller may not change it."""
    before = {one["id"]: one for one in access.held(may.world, "memberId", row["id"])}
    posted = {one["id"] for one in selections}
    if row["userId"] == may.who.id and _admins_are_limited(may) and not posted <= set(before):
        raise bad_request("You cannot add yourself to a collection.")
    for one in selections:
        collection = may.world.get("collection", one["id"])
        if not collection or collection["organizationId"] != may.id or not may.changes_users([collection]):
            raise not_found()
    others = (may.world.get("collection", one) for one in before if one not in posted)
    return [before[one["id"]] for one in others if one and not may.changes_users([one])]


def _secrets_manager(may: Rights, row: Row, fields: Fields) -> bool:
    wanted = bool(fields.get("accessSecretsManager"))
    if wanted and not row.get("accessSecretsManager"):
        limit = may.organization["smSeats"]
        taken = may.world.count("member", organizationId=may.id, accessSecretsManager=True)
        if limit is not None and taken >= limit and not may.world.cloud:
            raise bad_request("Cannot autoscale on a self-hosted instance.")
    return wanted
