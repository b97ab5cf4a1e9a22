# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A sync that is broken off at any request, in any way, is made good by the next one, as if nothing had happened."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.directory import OPENLDAP, Slapd
from tests.integration.directory_world import Organization, Result, searches, small
from tests.integration.page_a import ok
from tests.integration.test_api_kill import KINDS, impatient
from tests.lab import Lab

State = dict[str, t.Any]


@pytest.mark.slow
@pytest.mark.lab(scenario="page_a")
def test_every_request(lab: Lab, tmp_path: Path) -> None:
    """A day with everything: joiners, leavers, moves, revoked members, groups that come, change and go."""
    organization = Organization(lab)
    for number in (1, 2):
        lab.set_member(f"gone{number}@example.test", externalId=f"uid=gone{number},ou=People,{OPENLDAP}", status=2, userId="x")
    lab.set_member("p01@example.test", externalId=f"uid=p01,ou=Past,{OPENLDAP}")
    lab.set_member("p02@example.test", externalId=f"uid=p02,ou=People,{OPENLDAP}", status=-1)
    lab.set_member("p03@example.test")
    for number, name in enumerate(("red", "old")):
        about = {"name": f"former {name}", "externalId": f"cn={name},ou=Groups,{OPENLDAP}", "organizationId": organization.id}
        lab.put_row("selfhost", "group", id=f"00000000-0000-4000-8000-00000000000{number}", **about)
    with Slapd(tmp_path / "slapd", small()) as slapd:
        before, wanted = lab.snapshot(), day(organization, slapd)
        ok(wanted)
        asked, after = lab.requests("client"), state(organization)
        assert {name for name, count in wanted["plan"].items() if count} == {
            "invite", "link", "relink", "remove", "restore", "group_create", "group_rename", "group_membership", "group_delete",
        }  # fmt: skip
        for index, request in enumerate(asked):
            for kind in KINDS:
                lab.restore(before)
                kill(organization, slapd, kind, index)
                assert state(organization) == after, f"{kind} at {index}: {request.method} {request.path}"


def day(organization: Organization, slapd: Slapd) -> Result:
    wish: State = {"removals": "absent", "relink": True, "restore": True, "max_removals_percent": 100}
    organization.lab.clear_requests()
    return organization.sync(slapd.options(), **searches(groups={"absent": "delete"}, **wish))


def kill(organization: Organization, slapd: Slapd, kind: str, index: int) -> None:
    organization.lab.fault(kind, index=index)
    with impatient():
        first = day(organization, slapd)
    organization.lab.clear_faults()
    if first["failed"]:
        assert first["error"]["cause"], first
        assert first["error"]["field"], first
        ok(day(organization, slapd))


def state(organization: Organization) -> State:
    """All that a sync brings about, without what differs between two equal runs."""
    members = {row["email"]: (row.get("externalId"), row["type"], row["status"]) for row in organization.rows("member")}
    groups = {row["name"]: row["externalId"] for row in organization.rows("group")}
    mails = sorted(mail.to for mail in organization.lab.mailbox())
    return {"members": members, "groups": groups, "inside": organization.groups, "mails": mails}
