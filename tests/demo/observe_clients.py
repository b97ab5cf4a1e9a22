"""What became true of pages B and C, looked up in the cloud and in the report, and not in what a module said."""

from __future__ import annotations

import json
import typing as t

from tests.demo import Demo
from tests.demo.clients import CLIENT, COLLECTIONS, ITEMS, MEMBERS, OWNER, TECHNICIAN
from tests.demo.observe import Row

_POLICIES = [1, 2, 3, 9, 10, 14]
Rows = list[dict[str, t.Any]]


def rows(page: Demo) -> list[Row]:
    """Look at the provider, at its new client, and at what the client holds."""
    [organization] = [row for row in page.lab.rows("eu", "organization") if row["name"] == CLIENT]
    held = {
        kind: page.lab.rows("eu", kind, organizationId=organization["id"])
        for kind in ("collection", "cipher", "policy", "sso", "group", "member")
    }
    return [
        _report(page),
        _technician(page),
        _client(organization, held["member"]),
        _collections(page, organization["id"], held["collection"]),
        Row("C3", "items imported, once", len(held["cipher"]) == ITEMS, f"{len(held['cipher'])} items, encrypted here"),
        _policies(held["policy"]),
        Row("C5", "single sign-on", [row["enabled"] for row in held["sso"]] == [True], f"{len(held['sso'])} configuration"),
        Row("C6", "groups by department", len(held["group"]) == 2, ", ".join(sorted(row["name"] for row in held["group"]))),
        _members(held["member"]),
    ]


def _report(page: Demo) -> Row:
    report = json.loads((page.directory / "report.json").read_text())
    names = [client["name"] for client in report["clients"]]
    seen = "{clients} clients, {assigned} seats, {used} used".format(**report["totals"])
    return Row("B1", "clients as a page, JSON and CSV", CLIENT in names, seen)


def _technician(page: Demo) -> Row:
    [user] = [row for row in page.lab.rows("eu", "provider_user") if row["email"] == TECHNICIAN]
    return Row("B2", "provider user invited and confirmed", user["status"] == 2, TECHNICIAN)


def _client(organization: dict[str, t.Any], members: Rows) -> Row:
    owners = [(row["email"], row["status"]) for row in members if row["type"] == 0]
    return Row("C1", "client created, its owner confirmed", owners == [(OWNER, 2)], f"{organization['seats']} seats, {OWNER}")


def _collections(page: Demo, organization_id: str, collections: Rows) -> Row:
    names = sorted(page.lab.decrypt(organization_id, row["name"]) for row in collections)
    return Row(
        "C2", "collections, end-to-end encrypted", set(COLLECTIONS) < set(names), f"{len(names)}, such as {COLLECTIONS[2]}"
    )


def _policies(policies: Rows) -> Row:
    enabled = sorted(row["type"] for row in policies if row["enabled"])
    return Row("C4", "enterprise policies", enabled == _POLICIES, f"{len(enabled)} in force")


def _members(members: Rows) -> Row:
    states = {row["email"]: row["status"] for row in members if row["type"] != 0}
    confirmed = sum(status == 2 for status in states.values())
    right = states == {**dict.fromkeys(MEMBERS[:8], 2), **dict.fromkeys(MEMBERS[8:], 0)}
    return Row(
        "C7", "members invited; who accepted is confirmed", right, f"{confirmed} confirmed, {len(states) - confirmed} pending"
    )
