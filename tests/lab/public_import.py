"""The public API: members and groups of a directory. Source: bitwarden/server ImportOrganizationUsersAndGroupsCommand.cs."""

from __future__ import annotations

import typing as t
import uuid

from flask import Response

from tests.lab import access, emails, groups, member_acts, seats
from tests.lab.core import World, bad_request, crash, invalid
from tests.lab.member_invites import add
from tests.lab.member_rows import OWNER, STAGED, USER, has_owner, new_member, remove
from tests.lab.public_web import blueprint, organization
from tests.lab.rights import Actor
from tests.lab.state import Row
from tests.lab.web import Fields, body, empty

routes = blueprint("public_import")

_MOST = 2000
_STAGING = "launchDarkly__flagValues__pm-34423-staged-status"
_SYNC_FAILED = "Sync failed. To proceed, disable the 'Remove and re-add users during next sync' setting and try again."


@routes.post("/public/organization/import")
def import_directory() -> Response:
    """Make members and groups what a directory says; both are matched by external id."""
    by, fields = organization(), body()
    if fields.get("overwriteExisting") is None:
        raise invalid("OverwriteExisting", "The OverwriteExisting field is required.")
    wanted, new_groups = _members(fields), _groups(fields)
    kept = [one for one in wanted if not one["deleted"]]
    if by.world.cloud and not fields.get("largeImport") and max(len(new_groups), len(kept)) > _MOST:
        raise bad_request("You cannot import this much data at once.")
    if not by.organization["useDirectory"]:
        raise bad_request("Organization cannot use directory syncing.")
    _check_unique(kept, new_groups)
    before, staying = _known(by, "member"), {one["externalId"] for one in kept}
    _remove_deleted(by, before, [one["externalId"] for one in wanted if one["deleted"] and one["externalId"] not in staying])
    if fields.get("overwriteExisting"):
        _remove_others(by, before, staying)
    _take_in(by, kept, staged=fields.get("inviteUsersAfterProvisioning") is False and _stages(by.world))
    if new_groups:
        _check_groups(by)
        _save_groups(by, new_groups)
    return empty()


def _known(by: Actor, kind: str) -> dict[str, Row]:
    """Return what has an external id; the server breaks when two have the same."""
    rows = [row for row in by.world.find(kind, organizationId=by.id) if row.get("externalId")]
    found = {row["externalId"]: row for row in rows}
    if len(found) < len(rows):
        raise crash()
    return found


def _stages(world: World) -> bool:
    """Say whether new members can wait without an invitation: by a flag that is off everywhere unless it is set."""
    return world.has("staged members") and not world.cloud and world.core.selfhost.flag(_STAGING)


def _check_groups(by: Actor) -> None:
    """Refuse groups where the plan has none; the members are already in."""
    if not by.organization["useGroups"]:
        raise bad_request("Organization cannot use groups.")


def _entries(fields: Fields, name: str) -> list[Fields]:
    given = fields.get(name)
    if given is None:
        raise crash()
    return [Fields(one) for one in given]


def _external_id(fields: Fields, at: str) -> str:
    value = fields.get("externalId")
    if value is None or value == "":
        raise invalid(f"{at}.ExternalId", "The ExternalId field is required.")
    if len(str(value)) > 300:
        raise invalid(f"{at}.ExternalId", "The field ExternalId must be a string with a maximum length of 300.")
    return str(value)


def _members(fields: Fields) -> list[Row]:
    found = []
    for number, one in enumerate(_entries(fields, "members")):
        email, deleted, at = str(one.get("email") or "").lower(), bool(one.get("deleted")), f"Members[{number}]"
        if not email and not deleted:
            raise invalid(f"{at}.Email", "Email is required for enabled members.")
        if email and (not emails.is_email(email) or len(email) > 256):
            raise invalid(f"{at}.Email", "The Email field is not a valid e-mail address.")
        found.append({"email": email, "deleted": deleted, "externalId": _external_id(one, at)})
    return found


def _groups(fields: Fields) -> list[Row]:
    found = []
    for number, one in enumerate(_entries(fields, "groups")):
        if one.get("memberExternalIds") is None:
            raise crash()
        ids = [str(member) for member in one.get("memberExternalIds")]
        about = {"name": groups.name_in(one), "externalId": _external_id(one, f"Groups[{number}]")}
        found.append({**about, "memberExternalIds": ids})
    return found


def _check_unique(members: list[Row], new_groups: list[Row]) -> None:
    """Something twice in one import breaks the server."""
    for rows, name in ((members, "email"), (members, "externalId"), (new_groups, "externalId")):
        values = [row[name] for row in rows]
        if len(set(values)) < len(values):
            raise crash()


def _remove_deleted(by: Actor, before: dict[str, Row], external_ids: t.Iterable[str]) -> None:
    for one in external_ids:
        row = before.get(one)
        if row and row["type"] != OWNER:
            _remove(by, row)


def _remove(by: Actor, row: Row) -> None:
    """Remove a member, without a look at who claims his account."""
    remove(by.world, row)
    if by.world.has("removals by a directory are recorded"):
        by.record(1503, organizationUserId=row["id"])


def _remove_others(by: Actor, before: dict[str, Row], kept: set[str]) -> None:
    """Remove whom the directory no longer lists, unless one has no master password; whoever has no account has none either."""
    rows = [row for one, row in before.items() if one not in kept and row["type"] != OWNER]
    users = [by.world.get("user", row["userId"]) if row["userId"] else None for row in rows]
    if by.world.has("removals spare accounts without password") and not all(user and user["passwordHash"] for user in users):
        raise bad_request(_SYNC_FAILED)
    for row in rows:
        if by.world.get("member", row["id"]):
            _remove(by, row)


def _take_in(by: Actor, wanted: list[Row], *, staged: bool) -> None:
    """Adopt who is there by address, and invite the others as users without access, or let them wait for an invitation."""
    new = []
    for one in wanted:
        if by.world.one("member", organizationId=by.id, externalId=one["externalId"]) and one["externalId"]:
            continue
        row = by.world.one("member", organizationId=by.id, email=one["email"])
        if row is None:
            new.append(one)
        elif not row.get("externalId"):
            by.world.put("member", {**row, "externalId": one["externalId"]})
    rows = [new_member(by.world, by.id, one["email"], USER, externalId=one["externalId"]) for one in new]
    if staged:
        for row in rows:
            by.world.put("member", {**row, "status": STAGED})
            by.record(1523, organizationUserId=row["id"])
        return
    seats.settle(by.world, by.organization, len(rows))
    if rows and not has_owner(by.world, by.id):
        raise bad_request(member_acts.NO_OWNER)
    for row in rows:
        add(by, row, [], [])


def _save_groups(by: Actor, wanted: list[Row]) -> None:
    before = _known(by, "group")
    for one in wanted:
        had = before.get(one["externalId"])
        about = {"organizationId": by.id, "name": one["name"], "externalId": one["externalId"]}
        row = by.world.put("group", {"id": had["id"] if had else str(uuid.uuid4()), **about})
        by.record(1401 if had else 1400, groupId=row["id"])
        members = (by.world.one("member", organizationId=by.id, externalId=member) for member in one["memberExternalIds"])
        access.replace_members(by.world, row["id"], [member["id"] for member in members if member])
