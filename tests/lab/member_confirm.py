"""The organization's key for those who accepted, and theirs for account recovery.

Source: bitwarden/server ConfirmOrganizationUserCommand.cs, OrganizationService.UpdateUserResetPasswordEnrollmentAsync.
"""

from __future__ import annotations

import typing as t

from flask import Blueprint, Response

from tests.lab import compliance, my_items
from tests.lab.core import bad_request, invalid
from tests.lab.member_rows import ACCEPTED, CONFIRMED
from tests.lab.member_rules import bulk, chosen, each
from tests.lab.members import BASE, ONE
from tests.lab.rights import Rights, demand, rights
from tests.lab.sso import TRUSTED_DEVICES
from tests.lab.state import Row
from tests.lab.web import Fields, body, empty, guid

routes = Blueprint("member_confirm", __name__)


@routes.post(f"{ONE}/confirm")
def confirm(organization_id: str, member_id: str) -> Response:
    """Give one member the key; nobody looks at it."""
    may, fields = demand(organization_id, "manageusers"), body()
    name, key = my_items.name_in(fields), _key(fields)
    rows = _waiting(may, [guid(member_id)])
    if not rows:
        raise bad_request("User not valid.")
    _confirm(may, rows[0], key, name)
    return empty()


@routes.post(f"{BASE}/confirm")
def confirm_many(organization_id: str) -> Response:
    """The same for many; who has not accepted is missing from the answer."""
    may, fields = demand(organization_id, "manageusers"), body()
    name = my_items.name_in(fields)
    keys = {guid(one.get("id")): _key(one) for one in map(Fields, fields.get("keys") or [])}
    return bulk(each(_waiting(may, keys), lambda row: _confirm(may, row, keys[row["id"]], name)))


def _key(fields: Fields) -> str:
    key = fields.get("key")
    if not key:
        raise invalid("Key", "The Key field is required.")
    return str(key)


def _waiting(may: Rights, ids: t.Iterable[str]) -> list[Row]:
    return [row for row in chosen(may, ids) if row["status"] == ACCEPTED and row["userId"]]


def _confirm(may: Rights, row: Row, key: str, name: str | None) -> None:
    world, email, user_id = may.world, row["email"], row["userId"]
    checks = (
        (compliance.leads_other_free_one, "User can only be an admin of 1 free organization vault."),
        (compliance.lacks_two_step, "User does not have two-step login enabled."),
        (compliance.must_leave_others, f"{email} cannot be confirmed until they leave all other organization vaults."),
        (
            compliance.is_kept_by_other,
            f"{email} cannot be confirmed because they are a member of another organization which forbids it.",
        ),
    )
    for wrong, text in checks:
        if wrong(world, row, user_id):
            raise bad_request(text)
    row = world.put("member", {**row, "status": CONFIRMED, "key": key})
    my_items.give(world, may.organization, row, name)
    world.mail(email, f"You Have Been Confirmed To {may.organization['name']}", "You can use the organization's vault now.")
    may.record(1501, organizationUserId=row["id"])


@routes.put(f"{BASE}/<user_id>/reset-password-enrollment")
def enrol(organization_id: str, user_id: str) -> Response:
    """Let a member enrol himself in account recovery, or withdraw."""
    may, fields = rights(organization_id), body()
    key: str | None = fields.get("resetPasswordKey")
    if key and not _trusts_devices(may) and fields.get("masterPasswordHash") != may.who.row["passwordHash"]:
        raise bad_request("Incorrect password")
    row = may.world.one("member", organizationId=may.id, userId=may.who.id)
    if not row or guid(user_id) != may.who.id:
        raise bad_request("User not valid.")
    if not may.organization["useResetPassword"]:
        raise bad_request("Organization does not allow password reset enrollment.")
    policy = may.world.one("policy", organizationId=may.id, type=8, enabled=True)
    if not policy:
        raise bad_request("Organization does not have the password reset policy enabled.")
    if not key and (policy.get("data") or {}).get("autoEnrollEnabled"):
        raise bad_request("Due to an Enterprise policy, you are not allowed to withdraw from account recovery.")
    may.world.put("member", {**row, "resetPasswordKey": key})
    may.record(1506 if key else 1507, organizationUserId=row["id"])
    return empty()


def _trusts_devices(may: Rights) -> bool:
    config = may.world.get("sso", may.id)
    return config is not None and config["enabled"] and config["data"]["memberDecryptionType"] == TRUSTED_DEVICES
