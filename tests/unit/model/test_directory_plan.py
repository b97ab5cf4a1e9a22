"""Plans that lead from an organization to a directory: each decision, and what holds for all of them."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import Case, counts, plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_state import OWNER, Group, Member, State
from hypothesis import given, settings, strategies as st

from tests.unit.model import directory_states as world
from tests.unit.model.directory_states import PEOPLE, TEAMS, directory, member, options, person, team

ANN, BOB = "ann@example.test", "bob@example.test"
ANN_ID = f"uid=ann,{PEOPLE}"
OLD_ANN = f"uid=ann,ou=far,{PEOPLE}"
Wish = dict[str, t.Any]


def decide(people: list[t.Any], *members: Member, **wish: t.Any) -> Case:
    wanted = options(**wish)
    return plan(directory(people, (), wanted), State(members), wanted)


def did(case: Case) -> dict[str, int]:
    return {name: count for name, count in counts(case.steps).items() if count}


@pytest.mark.parametrize(
    ("people", "members", "wish", "expected", "pending"),
    [
        ([person("ann")], [], {}, {"invite": 1}, []),
        ([person("ann")], [member(ANN)], {}, {"link": 1}, []),
        ([person("ann")], [member(ANN, ANN_ID)], {}, {}, []),
        ([person("ann")], [member("old@example.test", ANN_ID)], {}, {}, ["is now ann@example.test"]),
        ([person("ann")], [member(ANN, OLD_ANN)], {}, {}, ["With relink"]),
        ([person("ann")], [member(ANN, OLD_ANN)], {"relink": True}, {"relink": 1}, []),
        ([person("ann")], [member(ANN, "uid=ann,ou=gone,dc=example,dc=test")], {"relink": True}, {"relink": 1}, []),
        ([person("ann")], [member(ANN, "uid=ann,dc=elsewhere")], {"relink": True}, {}, ["uid=ann,dc=elsewhere"]),
        ([person("ann")], [member(ANN, "scim")], {"relink": True, "removals": "absent"}, {}, ["external id scim"]),
        (
            [person("ann"), person("bob")],
            [member(ANN, f"uid=bob,{PEOPLE}")],
            {"relink": True},
            {"invite": 0},
            ["belongs", "is now"],
        ),
        ([person("ann")], [member(ANN, ANN_ID, status="revoked")], {}, {}, ["With restore"]),
        ([person("ann")], [member(ANN, ANN_ID, status="revoked")], {"restore": True}, {"restore": 1}, []),
        ([person("ann", userAccountControl="514")], [], {}, {"invite": 1}, []),
        ([person("ann", userAccountControl="514")], [], {"removals": "disabled"}, {}, []),
        ([person("ann", userAccountControl="66050")], [member(ANN, ANN_ID)], {"removals": "disabled"}, {"remove": 1}, []),
        ([person("ann", userAccountControl="514")], [member(ANN, OLD_ANN)], {"removals": "disabled"}, {"remove": 1}, []),
        ([person("ann", userAccountControl="514")], [member(ANN, ANN_ID, OWNER)], {"removals": "absent"}, {}, ["owners"]),
        ([person("ann", userAccountControl="514")], [member(ANN)], {"removals": "absent"}, {}, ["not made by it"]),
        ([person("bob")], [member(BOB, f"uid=bob,{PEOPLE}"), member(ANN, ANN_ID)], {"removals": "disabled"}, {}, []),
        ([person("bob")], [member(BOB, f"uid=bob,{PEOPLE}"), member(ANN, ANN_ID)], {"removals": "absent"}, {"remove": 1}, []),
        ([person("bob")], [member(BOB, f"uid=bob,{PEOPLE}"), member(ANN)], {"removals": "absent"}, {}, []),
        (
            [person("bob")],
            [member(ANN, ANN_ID, OWNER), member(BOB)],
            {"removals": "absent"},
            {"link": 1},
            ["never removes owners"],
        ),
        ([person("bob")], [member(ANN, "uid=ann,dc=elsewhere"), member(BOB)], {"removals": "absent"}, {"link": 1}, []),
        ([person("bob")], [member(ANN, "scim"), member(BOB)], {"removals": "absent"}, {"link": 1}, []),
        ([person("ann", mail=[])], [member(ANN, ANN_ID)], {"removals": "absent"}, {}, []),  # skipped, but there
        ([person("bob"), person("ann", mail=["none"])], [member(ANN, ANN_ID)], {"removals": "absent"}, {"invite": 1}, []),
    ],
)
def test_people(people: list[t.Any], members: list[Member], wish: Wish, expected: dict[str, int], pending: list[str]) -> None:
    case = decide(people, *members, **wish)
    assert did(case) == {name: count for name, count in expected.items() if count}
    assert len(case.pending) == len(pending)
    assert all(part in one.reason for part, one in zip(pending, case.pending, strict=True))


def test_imported_entries_are_explicit() -> None:
    case = decide([person("bob")], member(ANN, ANN_ID), removals="absent")
    entries = {step.action: step.entry for step in case.steps}
    assert entries["remove"] == {"email": ANN, "externalId": ANN_ID, "deleted": True}
    assert entries["invite"] == {"email": BOB, "externalId": f"uid=bob,{PEOPLE}", "deleted": False}


def with_groups(people: list[t.Any], teams: list[t.Any], state: State, **wish: t.Any) -> Case:
    wanted = options(**wish)
    return plan(directory(people, teams, wanted), state, wanted)


def red(*members: str, name: str = "red") -> Group:
    return Group("id of red", name, f"cn=red,{TEAMS}", frozenset(members))


def test_groups() -> None:
    ann, hand = member(ANN, ANN_ID), member("hand@example.test")
    people, teams = [person("ann"), person("bob")], [team("red", ANN_ID, f"uid=bob,{PEOPLE}")]

    new = with_groups(people, teams, State((ann,)))
    assert did(new) == {"invite": 1, "group_create": 1}
    assert new.of("group_create")[0].entry == {
        "name": "red",
        "externalId": f"cn=red,{TEAMS}",
        "memberExternalIds": [ANN_ID, f"uid=bob,{PEOPLE}"],
    }

    grown = with_groups(people, teams, State((ann, hand), (red(ann.id, hand.id, name="rot"),)))
    assert did(grown) == {"invite": 1, "group_rename": 1, "group_membership": 1}
    change = grown.of("group_update")[0].change
    assert change.before == {"name": "rot", "member hand@example.test": True, f"member {BOB}": None}
    assert change.after == {"name": "red", "member hand@example.test": None, f"member {BOB}": True}


def test_who_leaves_the_organization_leaves_groups_without_a_request() -> None:
    ann, bob = member(ANN, ANN_ID), member(BOB, f"uid=bob,{PEOPLE}")
    case = with_groups(
        [person("bob")], [team("red", bob.external_id or "")], State((ann, bob), (red(ann.id, bob.id),)), removals="absent"
    )
    assert did(case) == {"remove": 1}
    assert [one.email for one in case.losing] == [ANN]


def test_who_is_known_under_another_id_keeps_his_groups() -> None:
    """The official connector would send an id that the server does not know, and so drop the member from all groups."""
    ann = member(ANN, OLD_ANN)
    state = State((ann,), (red(ann.id),))
    assert did(with_groups([person("ann")], [team("red", ANN_ID)], state)) == {}
    new = with_groups([person("ann")], [team("blue", ANN_ID)], state)
    assert new.of("group_create")[0].entry == {"name": "blue", "externalId": f"cn=blue,{TEAMS}", "memberExternalIds": [OLD_ANN]}


def test_lost_groups() -> None:
    state = State(
        (member(ANN, ANN_ID),), (red("id of ann@example.test"), Group("x", "else", "cn=x,dc=elsewhere"), Group("y", "hand", None))
    )
    found = {
        absent: with_groups([person("ann")], [], state, groups={"base": TEAMS, "absent": absent})
        for absent in ("keep", "report", "delete")
    }
    assert [did(case) for case in found.values()] == [{}, {}, {"group_delete": 1}]
    assert [one.name for one in found["report"].pending] == ["red"]
    assert found["delete"].emptied == ["red"]


def test_what_the_server_refused_is_left_to_people() -> None:
    ann = member(ANN, OLD_ANN, status="revoked")
    wanted = options(relink=True, restore=True)
    case = plan(directory([person("ann")], (), wanted), State((ann,)), wanted, {ANN: "No."})
    assert case.steps == []
    assert ["No." in one.reason for one in case.pending] == [True, True]


# --- what holds for all ------------------------------------------------------------------------------------------------

WISHES = st.fixed_dictionaries(
    {
        "removals": st.sampled_from(["none", "disabled", "absent"]),
        "relink": st.booleans(),
        "restore": st.booleans(),
        "groups": st.none()
        | st.fixed_dictionaries({"base": st.just(TEAMS), "absent": st.sampled_from(["keep", "report", "delete"])}),
    }
)


@given(st.data(), WISHES)
@settings(max_examples=400, deadline=None)
def test_applying_the_plan_gives_the_directory(data: st.DataObject, wish: Wish) -> None:
    wanted = options(**wish)
    target, state = data.draw(world.directories(wanted)), data.draw(world.states())
    case = plan(target, state, wanted)
    after = world.applied(case)
    assert plan(target, after, wanted).steps == []

    kept = {one.id: one for one in after.members}
    for before in state.members:
        left = before.id not in kept
        assert not (left and (before.role == OWNER or before.external_id is None or wanted.removals == "none"))
        assert left or (kept[before.id].email, kept[before.id].role) == (before.email, before.role)
    waiting = {one.name for one in case.pending}
    for user in target.users:
        if not (user.disabled and wanted.removals != "none") and user.email not in waiting:
            assert user.external_id in after.by_external_id
    _groups_are_right(target, after, case)


def _groups_are_right(target: t.Any, after: State, case: Case) -> None:
    by_id = {group.external_id: group for group in after.groups}
    emails = {one.id: one.email for one in after.members}
    addresses = {user.external_id: user.email for user in target.users}
    known = {user.email for user in target.users if user.external_id in after.by_external_id or user.email in after.by_email}
    same = {
        user.email: after.by_external_id[user.external_id].email
        for user in target.users
        if user.external_id in after.by_external_id
    }
    leaving = {user.email for user in target.users if user.disabled and case.options.removals != "none"}
    for group in target.groups:
        found = by_id[group.external_id]
        assert found.name == group.name
        wanted = {same.get(email, email) for id in group.members if (email := addresses.get(id)) in known - leaving}
        assert wanted <= {emails[id] for id in found.members or ()}


@given(world.states(), WISHES)
@settings(max_examples=100, deadline=None)
def test_other_groups_are_left_alone(state: State, wish: Wish) -> None:
    wanted = options(**wish)
    foreign = dataclasses.replace(state, groups=(Group("x", "else", "cn=x,dc=elsewhere", frozenset()), Group("y", "hand", None)))
    case = plan(directory([person("p0")], (), wanted), foreign, wanted)
    assert not case.of("group_create", "group_update", "group_delete")
