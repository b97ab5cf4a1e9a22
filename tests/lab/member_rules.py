"""Who may do what to which member.

Source: bitwarden/server OrganizationService.cs, {Remove,Revoke,Restore,Update}OrganizationUserCommand.cs.
"""

from __future__ import annotations

import typing as t

from flask import Response

from tests.lab import views
from tests.lab.core import Refusal, bad_request, invalid
from tests.lab.member_rows import ADMIN, CUSTOM, OWNER, ROLES
from tests.lab.rights import Rights
from tests.lab.state import Row
from tests.lab.web import Fields, listed


def role_in(fields: Fields) -> int:
    """Return the role of a request."""
    role = fields.get("type")
    if role is None:
        raise invalid("Type", "The Type field is required.")
    if role not in ROLES:
        raise invalid("Type", "The field Type is invalid.")
    return int(role)


def permissions_in(fields: Fields) -> Row | None:
    """Return the custom permissions of a request, all of them, None when it names none."""
    given = fields.get("permissions")
    if given is None:
        return None
    values = Fields(given)
    return {name: bool(values.get(name)) for name in views.NO_PERMISSIONS}


def check_role(may: Rights, old: int | None, new: int, permissions: Row | None) -> None:
    """Refuse a role that the caller may not give, or not take."""
    if new == CUSTOM and not may.organization["useCustomPermissions"]:
        raise bad_request("To enable custom permissions the organization must be on an Enterprise plan.")
    if may.owner:
        return
    if OWNER in (old, new):
        raise bad_request("Only an Owner can configure another Owner's account.")
    if may.role == ADMIN:
        return
    if ADMIN in (old, new):
        raise bad_request("Custom users can not manage Admins or Owners.")
    granted = [name for name, on in (permissions or {}).items() if on]
    if new == CUSTOM and not all(may.who.granted(name.lower(), may.id) for name in granted):
        raise bad_request("Custom users can only grant the same custom permissions that they have.")


def check_target(may: Rights, row: Row, verb: str) -> None:
    """Refuse what is done to oneself, to an owner, or by a custom user to an admin; the verb is remove, revoke or restore."""
    if row["userId"] == may.who.id:
        raise bad_request(f"You cannot {verb} yourself.")
    if row["type"] == OWNER and not may.owner:
        raise bad_request(f"Only owners can {verb} other owners.")
    if row["type"] == ADMIN and may.role == CUSTOM and not may.provider:
        raise bad_request(f"Custom users can not {verb} admins.")


def each(rows: t.Iterable[Row], act: t.Callable[[Row], object]) -> list[tuple[Row, str]]:
    """Do something to each member, and return what was wrong with it."""
    found = []
    for row in rows:
        try:
            act(row)
            found.append((row, ""))
        except Refusal as refusal:
            found.append((row, refusal.message or ""))
    return found


def bulk(results: t.Iterable[tuple[Row, str]]) -> Response:
    """Answer as every bulk endpoint does: 200, and an error per member."""
    kind = "OrganizationBulkConfirmResponseModel"
    return listed({"object": kind, "id": row["id"], "error": error} for row, error in results)


def chosen(may: Rights, ids: t.Iterable[str]) -> list[Row]:
    """Return those members that belong to the organization."""
    rows = (may.world.get("member", one) for one in ids)
    return [row for row in rows if row and row["organizationId"] == may.id]
