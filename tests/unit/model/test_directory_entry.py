"""Entries of a directory, read as the official connector reads them."""

from __future__ import annotations

import typing as t
import uuid

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Directory
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_guards import refusals
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_names import Scope, below, domain, kind, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import Options
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_state import State
from hypothesis import given, settings, strategies as st

from tests.unit.model import directory_states as world
from tests.unit.model.directory_states import PEOPLE, TEAMS, directory, entry, options, person, team


def emails(found: Directory) -> list[str]:
    return [user.email for user in found.users]


def members(found: Directory) -> dict[str, tuple[str, ...]]:
    """Name of each group -> names of its members."""
    return {
        group.name: tuple(member.partition(",")[0].removeprefix("uid=") for member in group.members) for group in found.groups
    }


def dn(name: str) -> str:
    return f"uid={name},{PEOPLE}"


# --- people ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "email"),
    [
        ({"mail": "Ann@Example.TEST "}, "ann@example.test"),
        ({"mail": ["first@example.test", "second@example.test"]}, "first@example.test"),
        ({"mail": [], "MAIL": "ann@example.test"}, "ann@example.test"),
        ({"mail": []}, "ann@fallback.test"),
        ({"mail": "", "uid": "other"}, None),  # an empty address is one, and no reason to make another
        ({"mail": [], "uid": []}, None),
        ({"mail": "no address"}, None),
        ({"mail": "x" * 250 + "@example.test"}, None),
    ],
)
def test_addresses(attributes: dict[str, t.Any], email: str | None) -> None:
    wanted = options(users={"email_fallback": {"suffix": "@fallback.test"}})
    found = directory([person("ann", **attributes)], (), wanted)
    assert emails(found) == ([email] if email else [])
    assert [name for name, _reason in found.skipped] == ([] if email else [dn("ann")])
    assert found.present == {dn("ann")}


@pytest.mark.parametrize(
    ("value", "disabled"),
    [("512", False), ("514", True), ("66050", True), ("66048", False), ("", False), ("x", False), ("2 ", True)],
)
def test_disabled(value: str, disabled: bool) -> None:
    assert directory([person("ann", userAccountControl=value)]).users[0].disabled is disabled


def test_object_guid_is_the_external_id_where_there_is_one() -> None:
    found = directory([person("ann", objectGUID=bytes(range(16))), person("bob")])
    assert [user.external_id for user in found.users] == ["03020100-0504-0706-0809-0a0b0c0d0e0f", dn("bob")]


def test_chosen_external_id() -> None:
    wanted = options(users={"external_id_attribute": "entryUUID"})
    found = directory([person("ann", entryUUID="6f3e"), person("bob")], (), wanted)
    assert [user.external_id for user in found.users] == ["6f3e"]
    assert found.skipped == ((dn("bob"), "The entry has no entryUUID."),)
    assert wanted.users.attributes == ["mail", "uid", "userAccountControl", "entryUUID"]
    assert "entryUUID" not in options().users.attributes


# --- groups ------------------------------------------------------------------------------------------------------------


def test_groups_inside_of_groups() -> None:
    people = [person(name) for name in ("ann", "bob", "cid", "dan")]
    teams = [
        team("top", f"cn=middle,{TEAMS}", dn("dan")),
        team("middle", dn("ann"), f"cn=low,{TEAMS}"),
        team("low", dn("bob"), dn("cid")),
    ]
    assert members(directory(people, teams)) == {
        "top": ("dan", "ann", "bob", "cid"),
        "middle": ("ann", "bob", "cid"),
        "low": ("bob", "cid"),
    }


def test_groups_in_a_ring() -> None:
    people = [person("ann"), person("bob")]
    teams = [team("a", dn("ann"), f"cn=b,{TEAMS}"), team("b", dn("bob"), f"cn=a,{TEAMS}", f"cn=b,{TEAMS}")]
    assert members(directory(people, teams)) == {"a": ("ann", "bob"), "b": ("bob", "ann")}


def test_a_thousand_groups_inside_of_one_another() -> None:
    teams = [team(f"g{number}", f"cn=g{number + 1},{TEAMS}") for number in range(1200)] + [team("g1200", dn("ann"))]
    found = directory([person("ann")], teams)
    assert found.groups[0].members == (dn("ann"),)


def test_members_are_named_in_several_ways() -> None:
    people = [person("ann"), person("bob", mail=[]), person("Cid")]
    teams = [
        team("uids", "ANN", "nobody", "cid"),
        team("no mail", dn("bob")),  # a server leaves out whom it does not know
        team("outside", "uid=x,dc=elsewhere"),
        team("spelled", dn("ANN")),
    ]
    found = directory(people, teams)
    assert members(found) == {"uids": ("ann", "Cid"), "no mail": ("bob",), "outside": (), "spelled": ()}
    lost = dict(found.skipped)
    assert lost.keys() == {dn("bob"), f"cn=spelled,{TEAMS}"}
    assert "is spelled 'uid=ann" in lost[f"cn=spelled,{TEAMS}"]


def test_names_of_groups() -> None:
    wanted = options(groups={"base": TEAMS, "name_attribute": "displayName"})
    entries = [team("a", displayName="Team A"), team("b"), entry(f"ou=c,{TEAMS}", member=[])]
    found = directory([person("ann")], entries, wanted)
    assert [group.name for group in found.groups] == ["Team A", "b"]
    assert found.skipped == ((f"ou=c,{TEAMS}", "The group has no displayName."),)


def test_groups_are_left_alone_unless_wanted() -> None:
    assert directory([person("ann")], [team("a", dn("ann"))], options(groups=None)).groups == ()


# --- names and ids -------------------------------------------------------------------------------------------------------


def test_names() -> None:
    assert parse("UID=Ann , OU=People,dc=Example") == ("uid=ann", "ou=people", "dc=example")
    assert parse(r"cn=Doe\, John,dc=x") == (r"cn=doe\, john", "dc=x")
    assert below("uid=ann,OU=People,dc=example", parse("ou=people, dc=example"))
    assert not below(r"cn=a\,ou=people,dc=example", parse("ou=people,dc=example"))
    assert not below("ou=more people,dc=example", parse("people,dc=example"))
    assert domain(parse("ou=a,dc=b,dc=c")) == ("dc=b", "dc=c")
    assert [kind(id) for id in ("03020100-0504-0706-0809-0A0B0C0D0E0F", "cn=a,dc=b", "1234", "")] == [
        "guid",
        "name",
        "other",
        "other",
    ]


def test_scope() -> None:
    scope = Scope(parse("ou=people,dc=example,dc=test"), frozenset({"name"}))
    ours, moved, others = "uid=ann,ou=People,dc=example,dc=test", "uid=ann,ou=old,dc=example,dc=test", "uid=ann,dc=other,dc=test"
    guid = str(uuid.UUID(int=1))
    assert [scope.holds(id) for id in (ours, moved, others, guid, "scim", None)] == [True, False, False, False, False, False]
    assert [scope.held(id) for id in (ours, moved, others, guid, "scim")] == [True, True, False, False, False]
    assert Scope(parse("dc=x"), frozenset({"guid"})).holds(guid)


# --- what no directory would have -----------------------------------------------------------------------------------------


@given(world.any_entries(), world.any_entries(), st.sampled_from(["auto", "entryUUID", "objectGUID", "uid"]), world.states())
@settings(max_examples=300, deadline=None)
def test_any_entries(people: list[t.Any], teams: list[t.Any], external_id: str, state: State) -> None:
    wanted: Options = options(users={"external_id_attribute": external_id}, removals="absent", relink=True)
    case = plan(directory(people, teams, wanted), state, wanted)
    for problem in refusals(case):
        assert problem.cause
        assert problem.remedy
    if not refusals(case):
        assert plan(case.directory, world.applied(case), wanted).steps == []
