# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An organization follows a real directory: the first sync, the second one, and an ordinary day of joiners, leavers and moves."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import typing as t
from pathlib import Path

import pytest

from tests.directory import ACTIVE_DIRECTORY, OPENLDAP, Person, Slapd, Team, Tree
from tests.integration.directory_world import LIBRARIES, Organization, Result, active, only, searches, small
from tests.integration.module_runner import run_module
from tests.integration.page_a import ok
from tests.lab import Lab

PEOPLE_COUNT = 2100
MOVE = "changetype: modrdn\nnewrdn: uid={}\ndeleteoldrdn: 1\nnewsuperior: ou=People,{}\n\n"


def grand(suffix: str) -> Tree:
    """2,100 people and 120 groups, many of them inside of others and some in a ring; ten are of another kind."""
    people = tuple(Person(f"u{number:04}", unit="Engineering" if number % 2 else "") for number in range(PEOPLE_COUNT))
    uids = [person.uid for person in people]
    plain = [Team(f"team {number:03}", tuple(uids[number * 20 : number * 20 + 30])) for number in range(90)]
    nested = [
        Team(f"nested {number:02}", tuple(uids[number : number + 2]), (f"team {number:03}", f"team {number + 40:03}"))
        for number in range(16)
    ]
    ring = [Team(f"ring {number}", (uids[number],), (f"ring {(number + 1) % 4}",)) for number in range(4)]
    posix = [Team(f"posix {number}", tuple(uids[number * 9 : number * 9 + 9]), posix=True) for number in range(10)]
    special = (
        dataclasses.replace(people[0], mails=("U0000@Example.test", "second@example.test")),
        dataclasses.replace(people[1], mails=()),
        dataclasses.replace(people[2], control=514),
        dataclasses.replace(people[3], control=66050),
    )
    return Tree(suffix, special + people[4:], (*plain, *nested, *ring, *posix))


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("slapd") / "grand", grand(OPENLDAP), grand(ACTIVE_DIRECTORY)) as found:
        yield found


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    only(request.param, monkeypatch)
    return str(request.param)


def of(result: Result, action: str) -> set[str]:
    """The names of what was created, updated or deleted."""
    return {change["name"] for change in ok(result)["changes"] if change["action"] == action}


def done(result: Result) -> dict[str, int]:
    return {name: count for name, count in ok(result)["plan"].items() if count}


@pytest.mark.lab(scenario="page_a")
def test_first_and_second_sync(lab: Lab, slapd: Slapd, library: str) -> None:
    organization = Organization(lab)
    lab.forbid_writes(True)
    rehearsal = organization.sync(slapd.options(), **searches(), check=True)
    assert done(rehearsal) == {"invite": PEOPLE_COUNT - 1, "group_create": 110}
    assert lab.writes() == []
    lab.forbid_writes(False)

    first = ok(organization.sync(slapd.options(), **searches()))
    assert (first["changed"], first["changes"], first["plan"]) == (True, rehearsal["changes"], rehearsal["plan"])
    assert first["directory"]["users"] == PEOPLE_COUNT - 1
    assert first["directory"]["skipped"] == [
        {"name": f"uid=u0001,ou=Engineering,ou=People,{OPENLDAP}", "reason": "The entry has no mail."}
    ]
    assert [request.path for request in lab.writes()] == ["/public/organization/import"] * 3  # 2,000 and 99 people, then groups
    everybody_is_right(organization, grand(OPENLDAP))

    events = len(organization.rows("event"))
    lab.clear_requests()
    second = ok(organization.sync(slapd.options(), **searches()))
    assert (second["changed"], second["changes"], second["diff"]) == (False, [], {"before": "", "after": ""})
    assert lab.writes() == []
    assert len(organization.rows("event")) == events
    assert second["directory"] == first["directory"]


def everybody_is_right(organization: Organization, tree: Tree) -> None:
    """Compare an organization with what a tree says, by another way than the module."""
    people = {person.uid: person for person in tree.people if person.addresses}
    assert organization.members == {person.addresses[0].lower(): tree.external_id(person) for person in people.values()}
    teams = {team.name: team for team in tree.teams if not team.posix}

    def uids(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
        inner = (uids(one, seen | {name}) for one in teams[name].teams if one not in seen)
        return set(teams[name].people).union(*inner)

    expected = {name: {people[uid].addresses[0].lower() for uid in uids(name) if uid in people} for name in teams}
    assert organization.groups == expected


@pytest.mark.lab(scenario="page_a")
def test_active_directory(lab: Lab, slapd: Slapd, library: str) -> None:
    organization = Organization(lab)
    wanted = searches(ACTIVE_DIRECTORY, removals="disabled")
    first = ok(organization.sync(active(slapd), **wanted))
    assert done(first) == {"invite": PEOPLE_COUNT - 3, "group_create": 110}
    assert first["directory"]["disabled"] == 2
    tree = grand(ACTIVE_DIRECTORY)
    assert organization.members["u0000@example.test"] == str(tree.guid("u0000"))
    assert "u0002@example.test" not in organization.members
    lab.clear_requests()
    assert not ok(organization.sync(active(slapd), **wanted))["changed"]
    assert lab.writes() == []


@pytest.mark.lab(scenario="page_a")
def test_groups_whose_members_are_uids(lab: Lab, slapd: Slapd) -> None:
    organization = Organization(lab)
    groups = {"object_class": "posixGroup", "member_attribute": "memberUid"}
    ok(organization.sync(slapd.options(), **searches(groups=groups)))
    assert organization.groups["posix 1"] == {f"u{number:04}@example.test" for number in range(9, 18)}
    lab.clear_requests()
    assert not ok(organization.sync(slapd.options(), **searches(groups=groups)))["changed"]


@pytest.mark.lab(scenario="page_a")
def test_an_ordinary_day(lab: Lab, tmp_path: Path) -> None:
    """30 joiners, 10 leavers, 5 moves: exactly those are in the plan."""
    tree, organization = grand(OPENLDAP), Organization(lab)
    wanted = searches(removals="absent", relink=True, max_removals=10)
    with Slapd(tmp_path / "slapd", tree) as slapd:
        ok(organization.sync(slapd.options(), **wanted))
        joiners = [Person(f"new{number:02}") for number in range(30)]
        leavers = [person for person in tree.people if not person.unit][-10:]
        movers = [person for person in tree.people if person.unit][-5:]
        slapd.change(day(tree, joiners, leavers, movers))
        before = organization.members
        lab.clear_requests()
        result = organization.sync(slapd.options(), **wanted)
        again = ok(organization.sync(slapd.options(), **wanted))
    assert done(result) == {"invite": 30, "remove": 10, "relink": 5}
    assert of(result, "create") == {f"new{number:02}@example.test" for number in range(30)}
    assert of(result, "delete") == {person.addresses[0] for person in leavers}
    assert of(result, "update") == {person.addresses[0] for person in movers}
    assert [(one.method, one.path.count("/")) for one in lab.writes()].count(("POST", 3)) == 2  # removals, then joiners
    after = organization.members
    assert before.keys() - after.keys() == of(result, "delete")
    assert {after[person.addresses[0]] for person in movers} == {f"uid={person.uid},ou=People,{OPENLDAP}" for person in movers}
    assert not again["changed"]


def day(tree: Tree, joiners: list[Person], leavers: list[Person], movers: list[Person]) -> str:
    """The changes of a day as LDIF. None of these people is in a group."""
    grouped = {uid for team in tree.teams for uid in team.people}
    assert not grouped & {person.uid for person in (*leavers, *movers)}
    changes = [tree.person_ldif(person) for person in joiners]
    changes += [f"dn: {tree.person_dn(person)}\nchangetype: delete\n\n" for person in leavers]
    changes += [f"dn: {tree.person_dn(person)}\n{MOVE.format(person.uid, tree.suffix)}" for person in movers]
    return "".join(changes)


# --- on a small scale ---------------------------------------------------------------------------------------------------


@pytest.fixture
def little(tmp_path: Path) -> t.Iterator[Slapd]:
    with Slapd(tmp_path / "slapd", small(), small(ACTIVE_DIRECTORY)) as found:
        yield found


RED = f"cn=red,ou=Groups,{OPENLDAP}"


@pytest.mark.lab(scenario="page_a")
def test_groups_that_are_renamed_and_lost(lab: Lab, little: Slapd) -> None:
    organization = Organization(lab)
    wanted = searches(groups={"external_id_attribute": "entryUUID", "absent": "delete"}, max_removals_percent=100)
    ok(organization.sync(little.options(), **wanted))
    little.change(
        f"dn: {RED}\nchangetype: modrdn\nnewrdn: cn=crimson\ndeleteoldrdn: 1\n\n"
        f"dn: cn=blue,ou=Groups,{OPENLDAP}\nchangetype: delete\n\n"
        f"dn: cn=all,ou=Groups,{OPENLDAP}\nchangetype: modify\nreplace: member\nmember: uid=p07,ou=People,{OPENLDAP}\n"
    )
    organization.lab.put_row("selfhost", "group", id="hand", organizationId=organization.id, name="by hand", externalId=None)
    result = organization.sync(little.options(), **wanted)
    assert done(result) == {"group_rename": 1, "group_membership": 1, "group_delete": 1}
    assert {name: len(members) for name, members in organization.groups.items()} == {"crimson": 6, "all": 1, "by hand": 0}
    assert not ok(organization.sync(little.options(), **wanted))["changed"]


@pytest.mark.lab(scenario="page_a")
def test_members_who_were_there_before(lab: Lab, little: Slapd) -> None:
    """Made by hand, known to another directory, revoked: linked, left alone, restored; owners and roles stay as they are."""
    organization = Organization(lab)
    lab.set_member("p01@example.test", type=1)
    lab.set_member("p02@example.test", externalId=f"uid=p02,ou=Past,{OPENLDAP}", userId="someone", status=2)
    lab.set_member("p03@example.test", externalId="uid=p03,dc=elsewhere")
    lab.set_member("p04@example.test", externalId=f"uid=p04,ou=People,{OPENLDAP}", status=-1)
    lab.set_member("stays@example.test", externalId="uid=stays,dc=elsewhere")
    result = ok(organization.sync(little.options(), **searches(relink=True, restore=True, removals="absent")))
    assert done(result) == {"invite": 8, "link": 1, "relink": 1, "restore": 1, "group_create": 3}
    assert [(one["name"], "uid=p03,dc=elsewhere" in one["reason"]) for one in result["pending"]] == [("p03@example.test", True)]
    rows = {row["email"]: row for row in organization.rows("member")}
    assert (rows["p01@example.test"]["type"], rows["p01@example.test"]["externalId"]) == (1, f"uid=p01,ou=People,{OPENLDAP}")
    assert rows["p02@example.test"]["externalId"] == f"uid=p02,ou=People,{OPENLDAP}"
    assert rows["p03@example.test"]["externalId"] == "uid=p03,dc=elsewhere"
    assert rows["p04@example.test"]["status"] == 0
    assert {"stays@example.test", "owner@example.com"} <= rows.keys()
    assert "p03@example.test" in organization.groups["red"]
    assert not ok(organization.sync(little.options(), **searches(relink=True, restore=True, removals="absent")))["changed"]


@pytest.mark.lab(scenario="page_a")
def test_access_survives_a_move(lab: Lab, little: Slapd) -> None:
    """Collections and groups of a member who gets another external id stay his."""
    organization = Organization(lab)
    ok(organization.sync(little.options(), **searches()))
    member = next(row for row in organization.rows("member") if row["email"] == "p03@example.test")
    collection = lab.encrypt_collection(organization.id, "Servers")
    lab.give_access("selfhost", collection["id"], member["id"], readOnly=True)
    before = organization.groups
    old = f"uid=p03,ou=Engineering,ou=People,{OPENLDAP}"
    little.change(f"dn: {old}\n{MOVE.format('p03', OPENLDAP)}")
    new = f"uid=p03,ou=People,{OPENLDAP}"
    little.change(
        "".join(
            f"dn: cn={name},ou=Groups,{OPENLDAP}\nchangetype: modify\nadd: member\nmember: {new}\n\n" for name in ("red", "blue")
        )
    )

    kept = ok(organization.sync(little.options(), **searches(removals="absent")))
    assert (kept["changed"], [one["name"] for one in kept["pending"]]) == (False, ["p03@example.test"])
    assert done(organization.sync(little.options(), **searches(relink=True))) == {"relink": 1}
    assert organization.members["p03@example.test"] == new
    assert organization.groups == before
    access = lab.rows("selfhost", "access", memberId=member["id"])
    assert [(row["collectionId"], row["readOnly"]) for row in access] == [(collection["id"], True)]


@pytest.mark.lab(scenario="page_a")
def test_two_directories_share_an_organization(lab: Lab, little: Slapd) -> None:
    organization = Organization(lab)
    # The same people are in both trees; so each gives a part of them.
    half = {OPENLDAP: {"filter": "(|(cn=p00)(cn=p01)(cn=p02))"}, ACTIVE_DIRECTORY: {"filter": "(|(cn=p07)(cn=p08))"}}
    ways = {OPENLDAP: little.options(), ACTIVE_DIRECTORY: active(little)}
    for suffix, way in ways.items():
        ok(organization.sync(way, **searches(suffix, users=half[suffix], removals="absent")))
    assert len(organization.members) == 5
    for suffix, way in ways.items():
        assert not ok(organization.sync(way, **searches(suffix, users=half[suffix], removals="absent")))["changed"]
    ok(
        organization.sync(
            ways[OPENLDAP], **searches(users={"filter": "(|(cn=p00)(cn=p01))"}, removals="absent", max_removals_percent=50)
        )
    )
    assert sorted(organization.members) == [f"{name}@example.test" for name in ("p00", "p01", "p07", "p08")]


@pytest.mark.lab(scenario="page_a")
def test_restoring_waits_for_what_the_server_refuses(lab: Lab, little: Slapd) -> None:
    organization = Organization(lab)
    lab.set_member("p04@example.test", externalId=f"uid=p04,ou=People,{OPENLDAP}", status=-1)
    lab.fault("status:400", path="/restore$", times=None)
    result = ok(organization.sync(little.options(), **searches(restore=True)))
    assert done(result) == {"invite": 11, "group_create": 3}
    assert [(one["name"], "A fault that was ordered" in one["reason"]) for one in result["pending"]] == [
        ("p04@example.test", True)
    ]


@pytest.mark.lab(scenario="page_a")
def test_passwords_in_clear_text_are_warned_of(lab: Lab, little: Slapd) -> None:
    organization = Organization(lab)
    assert "clear text" in str(ok(organization.sync(little.options(tls="none"), **searches(), check=True))["warnings"])
    assert "warnings" not in ok(organization.sync(little.options(), **searches(), check=True))


@pytest.mark.lab(scenario="page_a")
def test_cloud(lab: Lab, little: Slapd) -> None:
    """A cloud tells its seats itself."""
    organization = Organization(lab, "eu")
    lab.set_organization("eu", organization.id, seats=8, maxAutoscaleSeats=8)
    refused = organization.sync(little.options(), **searches())
    assert "13 seats are needed, and there are 8" in refused["msg"]
    lab.set_organization("eu", organization.id, seats=8, maxAutoscaleSeats=20)
    result = ok(organization.sync(little.options(), **searches()))
    assert "8 seats and will need 13" in str(result["warnings"])
    assert done(result) == {"invite": 12, "group_create": 3}
    assert not ok(organization.sync(little.options(), **searches()))["changed"]


@pytest.mark.lab(scenario="page_a")
def test_session_of_the_organization(lab: Lab, little: Slapd) -> None:
    organization = Organization(lab)
    session = ok(run_module("login", organization.options))["session"]
    result = run_module("directory_sync", {"session": session, "directory": little.options(), **searches()})
    assert done(result) == {"invite": 12, "group_create": 3}


@pytest.mark.lab(scenario="page_a")
def test_the_hash_is_the_official_connectors(lab: Lab, little: Slapd) -> None:
    """Both see the same, if what the module tells equals what the official connector keeps."""
    organization, tree = Organization(lab), small()
    found = ok(organization.sync(little.options(), **searches(), check=True))["directory"]["sync_hash"]
    where = {person.uid: tree.person_dn(person) for person in tree.people}
    inside = {team.name: [where[uid] for uid in team.people] for team in tree.teams}
    inside["all"] += inside["red"]
    body = {
        "groups": [
            {"name": name, "externalId": tree.team_dn(name), "memberExternalIds": members} for name, members in inside.items()
        ],
        "members": [{"email": f"{uid}@example.test", "externalId": dn, "deleted": False} for uid, dn in where.items()],
        "overwriteExisting": False,
        "largeImport": False,
        "inviteUsersAfterProvisioning": True,
    }
    text = f"{lab.facts['server_url']}/api{organization.id}{json.dumps(body, separators=(',', ':'))}"
    assert found == base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
