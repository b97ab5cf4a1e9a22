# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Merging, comparing and the order of steps: properties that hold for every organization and every wish."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import Desired
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import Organization, Policy
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_plan import Known, Step, steps
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_target import merge
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES
from hypothesis import given

from tests.unit.model.organization_states import CALLER, OWNER, cases, take

KNOWN = Known(OWNER)


def needed(state: Organization, policy: Policy) -> Policy:
    name = POLICIES[policy.type].needs
    return Policy("", True) if name is None else state.policy(name)


def walk(current: Organization, target: Organization, plan: t.Sequence[Step]) -> t.Iterator[tuple[Step, Organization]]:
    """Each step with the state that it finds."""
    for step in plan:
        yield step, current
        current = take(step, current, target)


def visible(state: Organization) -> t.Any:
    """Empty mappings aside, what makes two states different."""
    policies = {name: policy for name, policy in state.policies.items() if policy != Policy(name)}
    return state.settings, state.collections, state.groups, state.members, policies


@given(cases())
def test_all_steps_together_lead_to_the_target(case: tuple[Organization, Desired]) -> None:
    current, desired = case
    target = merge(current, desired, CALLER)
    state = current
    for step in steps(current, target, KNOWN):
        state = take(step, state, target)
    assert visible(state) == visible(target)
    assert not steps(state, target, KNOWN)


@given(cases())
def test_a_second_look_finds_nothing_to_do(case: tuple[Organization, Desired]) -> None:
    current, desired = case
    target = merge(current, desired, CALLER)
    assert not steps(target, merge(target, desired, CALLER), KNOWN)
    assert not steps(current, current, KNOWN)


@given(cases())
def test_a_plan_can_be_broken_off_anywhere(case: tuple[Organization, Desired]) -> None:
    current, desired = case
    target = merge(current, desired, CALLER)
    plan = steps(current, target, KNOWN)
    for done, (_step, state) in enumerate(walk(current, target, plan)):
        left = steps(state, merge(state, desired, CALLER), KNOWN)
        assert {(step.stage, step.key) for step in left} == {(step.stage, step.key) for step in plan[done:]}


@given(cases())
def test_each_step_finds_what_it_refers_to(case: tuple[Organization, Desired]) -> None:
    current, desired = case
    target = merge(current, desired, CALLER)
    for step, state in walk(current, target, steps(current, target, KNOWN)):
        if step.stage == "group":
            assert target.groups[step.key].members <= state.members.keys()
        if step.stage == "collection":
            wanted = target.collections[step.key]
            assert wanted.members.keys() <= state.members.keys()
            assert wanted.groups.keys() <= state.groups.keys()
        if step.stage == "enable policy":
            assert needed(state, target.policies[step.key]).enabled
        if step.stage == "disable policy":
            after = take(step, state, target)
            assert not [
                name
                for name, policy in after.policies.items()
                if policy.enabled and POLICIES[name].needs == step.key and needed(state, policy).enabled
            ]


@given(cases())
def test_what_is_not_named_stays_unless_it_is_pruned(case: tuple[Organization, Desired]) -> None:
    current, desired = case
    target = merge(current, desired, CALLER)
    named: dict[str, set[str]] = {
        "collections": {wish.name for wish in desired.collections or ()},
        "groups": {wish.name for wish in desired.groups or ()},
        "members": {wish.email for wish in desired.members or ()} | {OWNER},
    }
    for kind, names in named.items():
        before, after = getattr(current, kind), getattr(target, kind)
        others = before.keys() - names
        assert after.keys() & others == (set() if kind in desired.prune else others)
    assert OWNER in target.members


@given(cases())
def test_the_plan_shows_exactly_what_differs(case: tuple[Organization, Desired]) -> None:
    current, desired = case
    target = merge(current, desired, CALLER)
    for step in steps(current, target, KNOWN):
        change = step.change
        assert change.before != change.after or change.action in ("create", "delete")
        assert change.before.keys() == change.after.keys() or change.action != "update" or step.stage == "confirm"
