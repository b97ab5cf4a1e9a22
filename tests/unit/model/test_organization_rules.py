# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules that need a certain organization, caller or server: what is refused, and what is only said."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.doc_fragments.policy import ModuleDocFragment
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import Caller, reach
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import CollectionWish, Desired, MemberWish
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import (
    ADMIN_ACCESS,
    Collection,
    Group,
    Member,
    Organization,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_case import Case, Facts
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_rules import refusals, warnings
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES, Key

OWNER = Member("owner@x.example", "owner", status="confirmed", id="o")
ANN = Member("ann@x.example", "custom", frozenset(["edit_any_collection", "manage_users"]), "confirmed", id="a", claimed=True)
ENTRY = {"useGroups": True, "usePolicies": True, "useCustomPermissions": True, "seats": None, "enabled": True}
CLOUD = Facts(ENTRY, (), self_hosted=False)


def organization(**parts: t.Any) -> Organization:
    return Organization(**{"members": {member.email: member for member in (OWNER, ANN)}, **parts})


def case(desired: Desired, current: Organization | None = None, caller: Caller | None = None, facts: Facts = CLOUD) -> Case:
    return Case(desired, current or organization(), caller or Caller(OWNER.email, "owner"), facts)


def said(problems: t.Iterable[t.Any]) -> list[str]:
    return [str(problem) for problem in problems]


def test_claimed_accounts_are_not_removed() -> None:
    (problem,) = refusals(case(Desired(members=(MemberWish(ANN.email, state="absent"),))))
    assert problem.remedy == "Set state to revoked."


def test_creating_and_deleting_take_a_right() -> None:
    caller = Caller(ANN.email, "custom", ANN.permissions)
    current = organization(settings={"limit_collection_creation": True}, collections={"Old": Collection("Old", id="c")})
    access = ((OWNER.email, "manage"),)
    wanted = Desired(collections=(CollectionWish("New", members=access), CollectionWish("Old", present=False)))
    assert [problem.cause for problem in refusals(case(wanted, current, caller))] == [
        "The account may not create this collection.",
        "The account may not delete this collection.",
    ]
    more = Caller(ANN.email, "custom", ANN.permissions | {"create_new_collections", "delete_any_collection"})
    assert not refusals(case(wanted, current, more))


def test_who_manages_may_delete() -> None:
    group = Group("IT", frozenset([OWNER.email]), id="g")
    current = organization(groups={"IT": group}, collections={"Old": Collection("Old", groups={"IT": "manage"}, id="c")})
    assert not refusals(case(Desired(collections=(CollectionWish("Old", present=False),)), current))


@pytest.mark.parametrize(
    ("caller", "open_to_admins", "permission", "reached"),
    [
        (Caller(None, "owner", provider=True), False, "edit_any_collection", "mine theirs nobodys"),
        (Caller(ANN.email, "custom", frozenset(["edit_any_collection"])), False, "manage_users", "mine theirs nobodys"),
        (Caller(OWNER.email, "owner"), True, "edit_any_collection", "mine theirs nobodys"),
        (Caller(OWNER.email, "owner"), False, "edit_any_collection", "mine nobodys"),
        (Caller(OWNER.email, "user"), False, "edit_any_collection", "mine"),
        (Caller(ANN.email, "custom", frozenset(["manage_users"])), True, "manage_users", "mine theirs nobodys"),
        (Caller(ANN.email, "custom", frozenset(["manage_users"])), False, "manage_users", "theirs"),
    ],
)
def test_whose_collections_can_be_changed(caller: Caller, open_to_admins: bool, permission: str, reached: str) -> None:
    group = Group("IT", frozenset([OWNER.email]), id="g", access=({"id": "mine", "manage": True},))
    ann = Member(ANN.email, "custom", access=({"id": "theirs", "manage": True}, {"id": "nobodys", "manage": False}))
    current = Organization(groups={"IT": group}, members={OWNER.email: OWNER, ANN.email: ann})
    may_change = reach(caller, {ADMIN_ACCESS: open_to_admins}, current, permission)
    assert " ".join(filter(may_change, ["mine", "theirs", "nobodys"])) == reached


def test_seats_are_bought_in_the_cloud_and_it_is_said() -> None:
    facts = Facts({**ENTRY, "seats": 2}, (), self_hosted=False)
    look = case(Desired(members=(MemberWish("new@x.example"),)), facts=facts)
    assert not refusals(look)
    assert said(warnings(look)) == ["The organization has 2 seats and will need 3; the cloud adds them to the subscription."]


def test_more_invitations_than_a_day_has() -> None:
    permissions = [
        "manage_users",
        "manage_groups",
        "manage_sso",
        "manage_scim",
        "manage_policies",
        "access_reports",
        "edit_any_collection",
    ]
    members = tuple(
        MemberWish(
            f"p{number}@x.example", "custom", frozenset(name for bit, name in enumerate(permissions) if number // 20 >> bit & 1)
        )
        for number in range(20 * 128)
    )
    many = members + tuple(MemberWish(f"q{number}@x.example") for number in range(20 * 180))
    look = case(Desired(members=many))
    assert len(look.invitations) == 128 + 180
    assert "308 requests for invitations are needed, and the cloud takes 300 a day" in warnings(look)[0]
    assert not warnings(case(Desired(members=members)))


def test_an_organization_that_is_switched_off() -> None:
    assert "switched off" in warnings(case(Desired(), facts=Facts({**ENTRY, "enabled": False})))[0]


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        (Key(bool), [True, False], [1, "true"]),
        (Key(int, 12, 128), [12, 128], [11, 129, True, "12", 12.0]),
        (Key(str, high=5), ["", "12345"], ["123456", 1]),
        (Key(str, choices=("lock", "logOut")), ["lock"], ["Lock", 1]),
        (Key(list, choices=(0, 1)), [[], [0, 1]], [[2], 0]),
    ],
)
def test_values_in_policies(key: Key, right: list[t.Any], wrong: list[t.Any]) -> None:
    assert not [value for value in right if key.wrong(value)]
    assert not [value for value in wrong if not key.wrong(value)]


def test_the_documentation_names_every_key_of_every_policy() -> None:
    text = ModuleDocFragment.DOCUMENTATION
    for name, policy in POLICIES.items():
        described = " ".join(text.partition(f'"V({name}):')[2].partition('"')[0].split())
        assert [key for key in policy.keys if f"C({key})" in described] == list(policy.keys)
