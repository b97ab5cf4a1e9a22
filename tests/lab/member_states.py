"""Removing, revoking and restoring members, one or many.

Source: bitwarden/server OrganizationUsersController.cs, OrganizationsController.cs (Leave).
"""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab import member_acts, my_items, seats
from tests.lab.core import bad_request, not_found
from tests.lab.member_rows import REVOKED, remove
from tests.lab.member_rules import bulk, check_target, chosen, each
from tests.lab.members import BASE, ONE
from tests.lab.rights import Rights, demand, found_member, rights
from tests.lab.state import Row
from tests.lab.web import body, empty, guids, here

routes = Blueprint("member_states", __name__)


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
    member_acts.keep_an_owner(may, rows)
    return bulk(each(rows, lambda row: _remove(may, row)))


def _remove(may: Rights, row: Row) -> None:
    check_target(may, row, "remove")
    member_acts.dismiss(may, row)


@routes.post("/organizations/<organization_id>/leave")
def leave(organization_id: str) -> Response:
    """Leave by one's own wish."""
    may = rights(organization_id)
    if not may.member or may.role is None:
        raise not_found()
    member_acts.keep_an_owner(may, [may.member])
    remove(may.world, may.member)
    may.record(1516, organizationUserId=may.member["id"])
    return empty()


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
    member_acts.keep_an_owner(may, rows)
    return bulk(each(rows, lambda row: _revoke(may, row)))


def _revoke(may: Rights, row: Row) -> None:
    check_target(may, row, "revoke")
    member_acts.suspend(may, row)


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
    member_acts.restore(may, row, name)
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
        member_acts.restore(may, row, name)

    return bulk(each(rows, act))


def _check_restorable(may: Rights, row: Row) -> None:
    check_target(may, row, "restore")
    member_acts.check_revoked(row)
