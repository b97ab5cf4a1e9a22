"""What keeps a sync from doing harm, each with its numbers."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_guards import refusals, seats_needed, warnings
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import Case, plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_state import Group, Member, Seats, State

from tests.unit.model.directory_states import PEOPLE, TEAMS, directory, member, options, person, team


def case_of(people: list[Entry], state: State, teams: t.Sequence[Entry] = (), **wish: t.Any) -> Case:
    """A plan under the limits that hold by default."""
    wanted = options(**{"max_removals": 5, "max_removals_percent": 10, **wish})
    return plan(directory(people, teams, wanted), state, wanted)


def said(case: Case) -> dict[str | None, str]:
    return {problem.field: problem.cause for problem in refusals(case)}


def synced(count: int) -> tuple[list[Entry], list[Member]]:
    """So many people, all of whom are members."""
    people = [person(f"p{number}") for number in range(count)]
    return people, [member(f"p{number}@example.test", f"uid=p{number},{PEOPLE}") for number in range(count)]


def test_nothing_to_refuse() -> None:
    people, members = synced(100)
    assert refusals(case_of(people[5:], State(tuple(members)), removals="absent")) == []
    assert refusals(case_of(people, State(()))) == []


def test_empty_answer() -> None:
    _people, members = synced(3)
    for removals in ("none", "disabled", "absent"):
        found = said(case_of([], State(tuple(members)), removals=removals))
        assert found == {"users.filter": f"Nobody was found below {PEOPLE} with (&(objectClass=inetOrgPerson))."}


def test_too_few_people() -> None:
    people, members = synced(3)
    found = said(case_of([*people, person("x", mail=[])], State(tuple(members)), min_directory_users=4))
    assert found == {"min_directory_users": "The directory has 3 people who can be members, and at least 4 are expected."}


def test_too_many_removals() -> None:
    people, members = synced(100)
    by_number = said(case_of(people[6:], State(tuple(members)), removals="absent"))
    assert "6 of 100 (6 %) members" in by_number["max_removals"]
    assert "at most 5, and 10 %, may: p0@example.test, p1@example.test, p2@example.test, and 3 more" in by_number["max_removals"]

    by_share = said(case_of(people[3:20], State(tuple(members[:20])), removals="absent"))
    assert "3 of 20 (15 %) members" in by_share["max_removals"]

    allowed = case_of(people[6:], State(tuple(members)), removals="absent", max_removals=6)
    assert refusals(allowed) == []


def test_disabled_people_count_too() -> None:
    people, members = synced(20)
    disabled = [person(f"p{number}", userAccountControl="514") for number in range(3)]
    assert "3 of 20" in said(case_of([*disabled, *people[3:]], State(tuple(members)), removals="disabled"))["max_removals"]
    assert refusals(case_of([*disabled, *people[3:]], State(tuple(members)), removals="none")) == []


@pytest.mark.parametrize("removals", ["none", "disabled", "absent"])
def test_shrink(removals: str) -> None:
    """More than half are missing: that is no ordinary day, even where nobody would be removed."""
    people, members = synced(100)
    found = said(case_of(people[:40], State(tuple(members)), removals=removals, max_removals=1000))
    assert found == {"max_removals_percent": "60 of 100 (60 %) members who came from this directory are missing in it."}
    allowed = {"max_removals": 1000, "max_removals_percent": 60}
    assert refusals(case_of(people[:40], State(tuple(members)), removals=removals, **allowed)) == []


def test_who_loses_groups_because_he_is_missing_counts() -> None:
    people, members = synced(20)
    red = Group("red", "red", f"cn=red,{TEAMS}", frozenset(one.id for one in members))
    teams = [team("red", *(f"uid=p{number},{PEOPLE}" for number in range(20)))]
    found = said(case_of(people[4:], State(tuple(members), (red,)), teams))
    assert "4 of 20 (20 %) members" in found["max_removals"]
    left = [team("red", *(f"uid=p{number},{PEOPLE}" for number in range(4, 20)))]
    assert refusals(case_of(people, State(tuple(members), (red,)), left)) == []  # the directory says that they left the group


def test_groups_that_lose_everybody() -> None:
    people, members = synced(20)
    groups = tuple(Group(f"g{n}", f"g{n}", f"cn=g{n},{TEAMS}", frozenset([members[n].id])) for n in range(10))
    teams = [team(f"g{n}", *([f"uid=p{n},{PEOPLE}"] if n > 1 else [])) for n in range(10)]
    found = said(case_of(people, State(tuple(members), groups), teams))
    assert "2 of 10 (20 %) groups" in found["max_removals"]
    deleted = said(case_of(people, State(tuple(members), groups), teams[2:], groups={"base": TEAMS, "absent": "delete"}))
    assert "2 of 10 (20 %) groups" in deleted["max_removals"]
    assert "g0, g1" in deleted["max_removals"]


def test_duplicates_are_named() -> None:
    people = [person("a", mail="x@example.test"), person("b", mail="X@example.test"), person("c", objectGUID=bytes(16))]
    found = said(case_of([*people, person("d", objectGUID=bytes(16))], State(())))
    assert f"x@example.test (uid=a,{PEOPLE} and uid=b,{PEOPLE})" in found["users.email_attribute"]
    assert "00000000-0000-0000-0000-000000000000" in found["users.external_id_attribute"]
    teams = [team("a", objectGUID=bytes(16)), team("b", objectGUID=bytes(16))]
    assert "groups.external_id_attribute" in said(case_of(people[:1], State(()), teams))


def test_duplicates_on_the_server_are_named() -> None:
    twice = (member("a@example.test", "x"), member("b@example.test", "x"))
    found = said(case_of([person("p0")], State(twice, (Group("1", "a", "y"), Group("2", "b", "y")))))
    assert "members of the organization have the same external id" in found["members"]
    assert "groups of the organization have the same external id" in found["groups"]


def test_too_long() -> None:
    people = [person("a", place=f"ou={'x' * 300},")]
    found = said(case_of(people, State(()), [team("a", cn="n" * 101), team("b" * 300, cn="b")]))
    assert found.keys() == {"users.external_id_attribute", "groups.name_attribute", "groups.external_id_attribute"}
    assert "at most 100 characters" in found["groups.name_attribute"]
    assert "(101)" in found["groups.name_attribute"]
    assert "at most 300 characters" in found["users.external_id_attribute"]


def seated(people: int, *, new: int, leaving: int = 0, cloud: Seats | None = None, **wish: t.Any) -> Case:
    """A plan that invites and removes so many."""
    entries, members = synced(people)
    found = [*entries[leaving:], *(person(f"n{number}") for number in range(new))]
    allowed = {"removals": "absent", "max_removals": 100, "max_removals_percent": 100}
    return case_of(found, State(tuple(members), (), cloud), **allowed, **wish)


def test_seats() -> None:
    case = seated(10, new=3, leaving=2, seats=10)
    assert seats_needed(case) == 11
    assert said(case) == {"seats": "11 seats are needed, and there are 10; 10 are taken, 3 people would be invited, 2 removed."}
    assert "Teams Starter" in str(refusals(case)[0].remedy)
    assert refusals(seated(10, new=3, leaving=2, seats=11)) == []
    assert refusals(seated(10, new=3, leaving=2)) == []
    assert refusals(seated(10, new=3, seats=5, invite=False)) != []  # there are too few even for those who are there
    assert refusals(seated(10, new=3, seats=10, invite=False)) == []  # whoever waits takes none
    assert refusals(seated(10, new=0, seats=5)) == []  # nothing is imported


def test_seats_of_a_cloud() -> None:
    grows = seated(10, new=3, cloud=Seats(11, None))
    assert refusals(grows) == []
    assert warnings(grows) == ["The organization has 11 seats and will need 13: the cloud buys the rest by itself."]
    assert "13 seats are needed, and there are 12" in said(seated(10, new=3, cloud=Seats(11, 12)))["seats"]
    assert warnings(seated(10, new=1, cloud=Seats(11, None))) == []


def test_groups_of_the_same_name_are_told() -> None:
    state = State((), (Group("1", "red", None), Group("2", "blue", f"cn=blue,{TEAMS}", frozenset())))
    found = warnings(case_of([person("a")], state, [team("red"), team("blue")]))
    assert len(found) == 1
    assert "red" in found[0]
