"""The public API: members and groups of a directory. Source: bitwarden/server ImportOrganizationUsersAndGroupsCommand.cs."""

from __future__ import annotations

import typing as t
import uuid

from flask import Response

from tests.lab import access, emails, groups, member_acts, seats
from tests.lab.core import bad_request, crash, invalid
from tests.lab.member_invites import add
from tests.lab.member_rows import OWNER, USER, new_member
from tests.lab.public_web import blueprint, organization
from tests.lab.rights import Actor
from tests.lab.state import Row
from tests.lab.web import Fields, body, empty

routes = blueprint("public_import")

_MOST = 2000
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
    before = {row["externalId"]: row for row in by.world.find("member", organizationId=by.id) if row.get("externalId")}
    _remove_deleted(by, before, [one["externalId"] for one in wanted if one["deleted"]])
    if fields.get("overwriteExisting"):
        _remove_others(by, before, {one["externalId"] for one in kept})
    _take_in(by, kept)
    if new_groups:
        _check_groups(by)
        _save_groups(by, new_groups)
    return empty()


def _check_groups(by: Actor) -> None:
    """Refuse groups where the plan has none; the members are already in."""
    if not by.organization["useGroups"]:
        raise bad_request("Organization cannot use groups.")


def _entries(fields: Fields, name: str) -> list[Fields]:
    given = fields.get(name)
    if given is None:
        raise crash()
    return [Fields(one) for one in given]


def _external_id(fields: Fields, at: str) -> str | None:
    value = fields.get("externalId")
    if value is not None and len(str(value)) > 300:
        raise invalid(f"{at}.ExternalId", "The field ExternalId must be a string with a maximum length of 300.")
    return None if value is None else str(value)


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
            member_acts.dismiss(by, row)


def _remove_others(by: Actor, before: dict[str, Row], kept: set[str]) -> None:
    """Remove whom the directory no longer lists, unless somebody would lose his account's only way in."""
    rows = [row for one, row in before.items() if one not in kept and row["type"] != OWNER and by.world.get("member", row["id"])]
    users = (by.world.get("user", row["userId"]) for row in rows if row["userId"])
    if any(user and not user["passwordHash"] for user in users):
        raise bad_request(_SYNC_FAILED)
    for row in rows:
        member_acts.dismiss(by, row)


def _take_in(by: Actor, wanted: list[Row]) -> None:
    """Adopt who is there by address, and invite the others as users without access."""
    new = []
    for one in wanted:
        if by.world.one("member", organizationId=by.id, externalId=one["externalId"]) and one["externalId"]:
            continue
        row = by.world.one("member", organizationId=by.id, email=one["email"])
        if row is None:
            new.append(one)
        elif not row.get("externalId"):
            by.world.put("member", {**row, "externalId": one["externalId"]})
    seats.take(by.world, by.organization, len(new))
    for one in new:
        add(by, new_member(by.world, by.id, one["email"], USER, externalId=one["externalId"]), [], [])


def _save_groups(by: Actor, wanted: list[Row]) -> None:
    for one in wanted:
        had = by.world.one("group", organizationId=by.id, externalId=one["externalId"])
        about = {"organizationId": by.id, "name": one["name"], "externalId": one["externalId"]}
        row = by.world.put("group", {"id": had["id"] if had else str(uuid.uuid4()), **about})
        by.record(1401 if had else 1400, groupId=row["id"])
        members = (by.world.one("member", organizationId=by.id, externalId=member) for member in one["memberExternalIds"])
        access.replace_members(by.world, row["id"], [member["id"] for member in members if member])
