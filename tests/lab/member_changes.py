"""Changing, revoking, restoring and removing members.

Source: bitwarden/server OrganizationUsersController.cs, {Update,Revoke,Restore,Remove}OrganizationUserCommand.cs.
"""

from __future__ import annotations

import typing as t

from flask import Blueprint, Response

from tests.lab import access, compliance, my_items, seats
from tests.lab.core import bad_request, crash, not_found
from tests.lab.events import record_event
from tests.lab.member_rows import CONFIRMED, INVITED, OWNER, REVOKED, before_revocation, has_owner, remove, revoke
from tests.lab.member_rules import NO_OWNER, bulk, check_role, check_target, chosen, each, permissions_in, role_in
from tests.lab.members import BASE, ONE
from tests.lab.rights import Rights, demand, found_member, rights
from tests.lab.state import Row
from tests.lab.web import Fields, body, empty, guids, here

routes = Blueprint("member_changes", __name__)

_CLAIMED = "Cannot remove member accounts claimed by the organization. To offboard a member, revoke or delete the account."
_MANUAL = 1


@routes.put(ONE)
@routes.post(ONE)
def update(organization_id: str, member_id: str) -> Response:
    """Replace role and direct access; without collections the server breaks, without groups they stay."""
    (may, row), fields = found_member(organization_id, member_id), body()
    role, permissions = role_in(fields), permissions_in(fields)
    selections = access.entries(fields, "collections")
    if selections is None:
        raise crash()
    groups = None if fields.get("groups") is None else guids(fields, "groups")
    kept = _check_collections(may, row, selections)
    if groups and len(access.known(may.world, may.id, "group", [{"id": one} for one in groups])) < len(groups):
        raise not_found()
    access.check_exclusive(selections)
    changed = {**row, "type": role, "permissions": permissions}
    changed["accessSecretsManager"] = _secrets_manager(may, row, fields)
    _check_update(may, row, changed)
    may.world.put("member", changed)
    access.replace_held(may.world, "memberId", row["id"], selections + kept)
    if role >= 2 > row["type"]:
        my_items.give(may.world, may.organization, changed, my_items.name_in(fields))
    if groups is not None and not (row["userId"] == may.who.id and _admins_are_limited(may)):
        access.replace_groups(may.world, row["id"], groups)
        record_event(may.world, 1504, may.id, may.who, organizationUserId=row["id"])
    record_event(may.world, 1502, may.id, may.who, organizationUserId=row["id"])
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


def _check_update(may: Rights, row: Row, changed: Row) -> None:
    check_role(may, row["type"], changed["type"], changed["permissions"])
    if row["userId"] and compliance.leads_other_free_one(may.world, changed, row["userId"]):
        raise bad_request("User can only be an admin of 1 free organization vault.")
    if changed["type"] != OWNER and not has_owner(may.world, may.id, [row["id"]]):
        raise bad_request(NO_OWNER)


def _secrets_manager(may: Rights, row: Row, fields: Fields) -> bool:
    wanted = bool(fields.get("accessSecretsManager"))
    if wanted and not row.get("accessSecretsManager"):
        limit = may.organization["smSeats"]
        taken = may.world.count("member", organizationId=may.id, accessSecretsManager=True)
        if limit is not None and taken >= limit and not may.world.cloud:
            raise bad_request("Cannot autoscale on a self-hosted instance.")
    return wanted


# Removing.


@routes.delete(ONE)
@routes.post(f"{ONE}/remove")
def remove_one(organization_id: str, member_id: str) -> Response:
    """Remove a member."""
    may, row = found_member(organization_id, member_id)
    _remove(may, row)
    return empty()


@routes.delete(BASE)
@routes.post(f"{BASE}/remove")
def remove_many(organization_id: str) -> Response:
    """Remove members."""
    may = demand(organization_id, "manageusers")
    rows = chosen(may, guids(body(), "ids"))
    if not rows:
        raise bad_request("Users invalid.")
    _keep_an_owner(may, rows)
    return bulk(each(rows, lambda row: _remove(may, row)))


def _remove(may: Rights, row: Row) -> None:
    check_target(may, row, "remove")
    _keep_an_owner(may, [row])
    if compliance.claimed(may.world, row):
        raise bad_request(_CLAIMED)
    remove(may.world, row)
    record_event(may.world, 1503, may.id, may.who, organizationUserId=row["id"])


def _keep_an_owner(may: Rights, rows: list[Row]) -> None:
    owners = [row["id"] for row in rows if row["type"] == OWNER and row["status"] == CONFIRMED]
    if owners and not has_owner(may.world, may.id, owners):
        raise bad_request(NO_OWNER)


@routes.post("/organizations/<organization_id>/leave")
def leave(organization_id: str) -> Response:
    """Leave by one's own wish."""
    may = rights(organization_id)
    if not may.member or may.role is None:
        raise not_found()
    _keep_an_owner(may, [may.member])
    remove(may.world, may.member)
    record_event(may.world, 1516, may.id, may.who, organizationUserId=may.member["id"])
    return empty()


# Revoking and restoring.


@routes.route(f"{ONE}/revoke", methods=["PUT", "PATCH"])
def revoke_one(organization_id: str, member_id: str) -> Response:
    """Revoke a member; his data and his place stay."""
    may, row = found_member(organization_id, member_id)
    _revoke(may, row)
    return empty()


@routes.route(f"{BASE}/revoke", methods=["PUT", "PATCH"])
def revoke_many(organization_id: str) -> Response:
    """Revoke members."""
    may = demand(organization_id, "manageusers")
    rows = chosen(may, guids(body(), "ids"))
    _keep_an_owner(may, rows)
    return bulk(each(rows, lambda row: _revoke(may, row)))


def _revoke(may: Rights, row: Row) -> None:
    check_target(may, row, "revoke")
    if row["status"] == REVOKED:
        raise bad_request("Already revoked.")
    _keep_an_owner(may, [row])
    revoke(may.world, row, _MANUAL)
    record_event(may.world, 1511, may.id, may.who, organizationUserId=row["id"])


@routes.route(f"{ONE}/restore", methods=["PUT", "PATCH"])
def restore_one(organization_id: str, member_id: str) -> Response:
    """Restore a member to what he was."""
    return _restore_one(organization_id, member_id, None)


@routes.put(f"{ONE}/restore/vnext")
def restore_one_vnext(organization_id: str, member_id: str) -> Response:
    """The same, with a collection of his own where one is due."""
    if not here().has("restore/vnext"):
        raise not_found()
    return _restore_one(organization_id, member_id, my_items.name_in(body()))


def _restore_one(organization_id: str, member_id: str, name: str | None) -> Response:
    may, row = found_member(organization_id, member_id)
    _check_restorable(may, row)
    seats.take(may.world, may.organization, 1)
    _restore(may, row, name)
    return empty()


@routes.route(f"{BASE}/restore", methods=["PUT", "PATCH"])
def restore_many(organization_id: str) -> Response:
    """Restore members, if there are seats for all of them."""
    may, fields = demand(organization_id, "manageusers"), body()
    name, rows = my_items.name_in(fields), chosen(may, guids(fields, "ids"))
    if not rows:
        raise bad_request("Users invalid.")
    seats.take(may.world, may.organization, sum(row["status"] == REVOKED for row in rows))

    def act(row: Row) -> None:
        _check_restorable(may, row)
        _restore(may, row, name)

    return bulk(each(rows, act))


def _check_restorable(may: Rights, row: Row) -> None:
    check_target(may, row, "restore")
    if row["status"] != REVOKED:
        raise bad_request("Already active.")


def _restore(may: Rights, row: Row, name: str | None) -> None:
    status = before_revocation(row)
    if status != INVITED:
        _check_compliance(may, row)
    row = may.world.put("member", {**row, "status": status, "revocationReason": None})
    if status == CONFIRMED:
        my_items.give(may.world, may.organization, row, name)
    record_event(may.world, 1512, may.id, may.who, organizationUserId=row["id"])


def _check_compliance(may: Rights, row: Row) -> None:
    world, user_id, email = may.world, row["userId"], row["email"]
    single, weak = compliance.must_leave_others(world, row, user_id), compliance.lacks_two_step(world, row, user_id)
    problems: tuple[tuple[t.Any, str], ...] = (
        (single and weak, f"{email} is not compliant with the single organization membership and two-step login policy."),
        (single, f"{email} cannot be restored until they leave all other organization vaults."),
        (
            compliance.is_kept_by_other(world, row, user_id),
            f"{email} cannot be restored because they are a member of another organization which forbids it.",
        ),
        (weak, f"{email} is not compliant with the two-step login policy."),
    )
    for wrong, text in problems:
        if wrong:
            raise bad_request(text)
