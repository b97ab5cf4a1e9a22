"""Small organizations and wishes for one, for Hypothesis."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.access import PERMISSIONS
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import Caller
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import (
    CollectionWish,
    Desired,
    GroupWish,
    MemberWish,
    PolicyWish,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import (
    SETTINGS,
    Collection,
    Group,
    Member,
    Organization,
    Policy,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_plan import Step
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_target import merge
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import ROLES
from hypothesis import strategies as st

OWNER = "owner@example.com"
CALLER = Caller(OWNER, "owner")
PEOPLE = [OWNER, *(f"{name}@example.com" for name in ("ann", "bob", "cid", "dora"))]
GROUPS = ["Marketing", "IT", "Sales"]
COLLECTIONS = ["Servers", "Departments/Marketing", "Departments/Sales"]
POLICIES = ["two_factor", "master_password", "single_org", "require_sso", "reset_password"]
STATUSES = ["invited", "accepted", "confirmed", "revoked"]

words = st.sampled_from(list(PERMISSIONS))
data = st.dictionaries(st.sampled_from(["minLength", "minComplexity"]), st.integers(0, 4) | st.none(), max_size=2)


def access(keys: t.Sequence[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(list(keys)), words, max_size=2) if keys else st.just({})


@st.composite
def organizations(draw: st.DrawFn) -> Organization:
    people = [OWNER, *draw(st.lists(st.sampled_from(PEOPLE[1:]), unique=True))]
    members = {email: draw(member(email)) for email in people}
    groups = {
        name: Group(name, draw(st.frozensets(st.sampled_from(people))), None, f"id {name}")
        for name in draw(st.lists(st.sampled_from(GROUPS), unique=True))
    }
    collections = {
        name: Collection(name, draw(st.none() | st.just("x")), draw(access(list(groups))), draw(access(people)), f"id {name}")
        for name in draw(st.lists(st.sampled_from(COLLECTIONS), unique=True))
    }
    policies = {
        name: Policy(name, draw(st.booleans()), {key: value for key, value in draw(data).items() if value is not None})
        for name in draw(st.lists(st.sampled_from(POLICIES), unique=True))
    }
    settings = {name: draw(st.booleans()) for name in SETTINGS}
    return Organization(settings, collections, groups, members, policies)


@st.composite
def member(draw: st.DrawFn, email: str) -> Member:
    status = "confirmed" if email == OWNER else draw(st.sampled_from(STATUSES))
    role = "owner" if email == OWNER else draw(st.sampled_from(list(ROLES)))
    user_id = None if status == "invited" else f"user {email}"
    permissions = draw(st.frozensets(st.sampled_from(["manage_users", "manage_groups"]))) if role == "custom" else frozenset()
    key = draw(st.none() | st.just("key")) if status == "accepted" else None
    return Member(email, role, permissions, status, False, f"id {email}", user_id, public_key=key)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Organization, Desired]:
    """An organization, and wishes that refer to nothing that will not be there."""
    current = draw(organizations())
    prune = draw(st.frozensets(st.sampled_from(["collections", "groups", "members", "access", "memberships"])))
    people = draw(st.lists(st.sampled_from(PEOPLE[1:]), unique=True))
    desired = Desired(
        settings=draw(st.dictionaries(st.sampled_from(list(SETTINGS)), st.booleans())),
        members=tuple(
            draw(st.builds(MemberWish, st.just(email), st.sampled_from(list(ROLES)), state=states)) for email in people
        ),
        confirm=draw(st.booleans()),
        confirm_domains=draw(st.sampled_from([(), ("example.com",), ("example.org",)])),
        prune=prune,
    )
    there = sorted(merge(current, desired, CALLER).members)
    desired = dataclasses.replace(
        desired,
        groups=tuple(
            GroupWish(
                name, tuple(draw(st.none() | st.lists(st.sampled_from(there), unique=True)) or ()) or None, draw(st.booleans())
            )
            for name in draw(st.lists(st.sampled_from(GROUPS), unique=True))
        ),
    )
    teams = sorted(merge(current, desired, CALLER).groups)
    collections = tuple(
        CollectionWish(name, draw(st.sampled_from([None, "", "y"])), draw(pairs(teams)), draw(pairs(there)), draw(st.booleans()))
        for name in draw(st.lists(st.sampled_from(COLLECTIONS), unique=True))
    )
    return current, dataclasses.replace(desired, collections=collections, policies=draw(policy_wishes(current)))


@st.composite
def policy_wishes(draw: st.DrawFn, current: Organization) -> tuple[PolicyWish, ...]:
    """Wishes that leave no policy without the one that it needs."""
    names = draw(st.lists(st.sampled_from(POLICIES), unique=True))
    wanted = {name: PolicyWish(name, draw(st.booleans()), draw(data)) for name in names}
    enabled = {name for name, policy in current.policies.items() if policy.enabled} - wanted.keys()
    enabled |= {name for name, wish in wanted.items() if wish.enabled}
    if enabled & {"require_sso", "reset_password"}:
        wanted["single_org"] = PolicyWish("single_org")
    return tuple(wanted.values())


states = st.sampled_from(["present", "revoked", "absent"])


def pairs(keys: t.Sequence[str]) -> st.SearchStrategy[tuple[tuple[str, str], ...] | None]:
    return st.none() | access(keys).map(lambda found: tuple(found.items()))


# --- what a server makes of a step ---


def take(step: Step, state: Organization, target: Organization) -> Organization:
    """Return the state after a step that a server has taken; it takes away what refers to what is gone."""
    kind = {"settings": "settings", "enable policy": "policies", "disable policy": "policies"}.get(step.stage)
    if kind == "settings":
        return dataclasses.replace(state, settings=target.settings)
    if kind == "policies":
        return dataclasses.replace(state, policies={**state.policies, step.key: target.policies[step.key]})
    if step.stage in ("confirm", "update member", "update self", "revoke", "restore", "invite"):
        return dataclasses.replace(state, members={**state.members, step.key: _member(step, state, target)})
    if step.stage == "group":
        return dataclasses.replace(state, groups={**state.groups, step.key: target.groups[step.key]})
    if step.stage == "collection":
        return dataclasses.replace(state, collections={**state.collections, step.key: target.collections[step.key]})
    return _without(step, state)


def _member(step: Step, state: Organization, target: Organization) -> Member:
    """Only what this step is about: the role, or the status."""
    wanted, found = target.members[step.key], state.members.get(step.key)
    if found is None:
        return wanted
    if step.stage.startswith("update"):
        return dataclasses.replace(found, role=wanted.role, permissions=wanted.permissions)
    return dataclasses.replace(found, status=wanted.status)


def _without(step: Step, state: Organization) -> Organization:
    def less(mapping: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {key: value for key, value in mapping.items() if key != step.key}

    if step.stage == "delete collection":
        return dataclasses.replace(state, collections=less(state.collections))
    name = "groups" if step.stage == "delete group" else "members"
    collections = {key: dataclasses.replace(one, **{name: less(getattr(one, name))}) for key, one in state.collections.items()}
    if name == "groups":
        return dataclasses.replace(state, collections=collections, groups=less(state.groups))
    groups = {key: dataclasses.replace(one, members=one.members - {step.key}) for key, one in state.groups.items()}
    return dataclasses.replace(state, collections=collections, groups=groups, members=less(state.members))
