"""What is done to members by whomever: changed, removed, revoked, restored.

Source: bitwarden/server {Update,Remove,Revoke,Restore}OrganizationUserCommand.cs.
"""

from __future__ import annotations

import typing as t

from tests.lab import access, compliance, my_items
from tests.lab.core import bad_request, not_found
from tests.lab.member_rows import CONFIRMED, INVITED, OWNER, REVOKED, before_revocation, has_owner, remove, revoke
from tests.lab.rights import Actor
from tests.lab.state import Row

NO_OWNER = "Organization must have at least one confirmed owner."
_CLAIMED = "Cannot remove member accounts claimed by the organization. To offboard a member, revoke or delete the account."
_MANUAL = 1


def keep_an_owner(by: Actor, rows: t.Iterable[Row]) -> None:
    """Refuse when no confirmed owner would be left."""
    owners = [row["id"] for row in rows if row["type"] == OWNER and row["status"] == CONFIRMED]
    if owners and not has_owner(by.world, by.id, owners):
        raise bad_request(NO_OWNER)


def change(by: Actor, row: Row, changed: Row, selections: list[Row], groups: list[str] | None) -> None:
    """Store a changed member with his direct access, and his groups where they are given."""
    if groups and len(access.known(by.world, by.id, "group", [{"id": one} for one in groups])) < len(groups):
        raise not_found()
    access.check_exclusive(selections)
    if row["userId"] and compliance.leads_other_free_one(by.world, changed, row["userId"]):
        raise bad_request("User can only be an admin of 1 free organization vault.")
    if changed["type"] != OWNER:
        keep_an_owner(by, [row])
    by.world.put("member", changed)
    access.replace_held(by.world, "memberId", row["id"], selections)
    if groups is not None:
        access.replace_groups(by.world, row["id"], groups)
        by.record(1504, organizationUserId=row["id"])
    by.record(1502, organizationUserId=row["id"])


def dismiss(by: Actor, row: Row) -> None:
    """Remove a member."""
    keep_an_owner(by, [row])
    if compliance.claimed(by.world, row):
        raise bad_request(_CLAIMED)
    remove(by.world, row)
    by.record(1503, organizationUserId=row["id"])


def suspend(by: Actor, row: Row) -> None:
    """Revoke a member."""
    if row["status"] == REVOKED:
        raise bad_request("Already revoked.")
    keep_an_owner(by, [row])
    revoke(by.world, row, _MANUAL)
    by.record(1511, organizationUserId=row["id"])


def check_revoked(row: Row) -> None:
    """Refuse to restore who is not revoked."""
    if row["status"] != REVOKED:
        raise bad_request("Already active.")


def restore(by: Actor, row: Row, name: str | None = None) -> None:
    """Give a member back what he was; there must be a seat for him."""
    status = before_revocation(row)
    if status != INVITED:
        _check_compliance(by, row)
    row = by.world.put("member", {**row, "status": status, "revocationReason": None})
    if status == CONFIRMED:
        my_items.give(by.world, by.organization, row, name)
    by.record(1512, organizationUserId=row["id"])


def _check_compliance(by: Actor, row: Row) -> None:
    world, user_id, email = by.world, row["userId"], row["email"]
    single, weak = compliance.must_leave_others(world, row, user_id), compliance.lacks_two_step(world, row, user_id)
    kept = compliance.is_kept_by_other(world, row, user_id)
    problems = (
        (single and weak, "is not compliant with the single organization membership and two-step login policy."),
        (single, "cannot be restored until they leave all other organization vaults."),
        (kept, "cannot be restored because they are a member of another organization which forbids it."),
        (weak, "is not compliant with the two-step login policy."),
    )
    for wrong, text in problems:
        if wrong:
            raise bad_request(f"{email} {text}")
