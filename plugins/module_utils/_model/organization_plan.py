# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan: the steps that lead from one state of an organization to another, in the order in which they have to be taken."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import (
    Collection,
    Group,
    Member,
    Organization,
    Policy,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, compare
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import ROLES
from ansible_collections.bw.selfhost.plugins.module_utils._model.sso_config import SECRETS

WHOLE = "of the organization"
# Policies are enabled before the single sign-on that needs them, and disabled after the one that needed them. People are invited
# when seats are free, groups and collections refer to people, collections to groups. Whoever gives up the own role does it last.
STAGES = (
    "settings",
    "enable policy",
    "sso",
    "disable policy",
    "confirm",
    "update member",
    "remove",
    "revoke",
    "restore",
    "invite",
    "group",
    "collection",
    "delete group",
    "delete collection",
    "scim",
    "update self",
)


@dataclass(frozen=True)
class Step:
    """One step: the stage it belongs to, the natural key of what it is about, and what people are shown of it."""

    stage: str
    key: str
    change: Change


@dataclass(frozen=True)
class Known:
    """What only a look outside tells, for people to see in the plan.

    Attributes:
        caller_email: who gives up the own role last.
        phrases: e-mail address -> fingerprint phrase of those who have accepted.
        endangered: policy -> e-mail addresses of those whom enabling it may revoke.
    """

    caller_email: str | None = None
    phrases: t.Mapping[str, str] = field(default_factory=dict)
    endangered: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)


def steps(current: Organization, target: Organization, known: Known) -> list[Step]:
    """Return the steps in their order; none when both states are the same."""
    found = [
        *_whole("settings", "settings", current.settings, target.settings),
        *_policies(current, target, known),
        *_whole("sso", "single sign-on", current.sso, target.sso, SECRETS),
        *_members(current, target, known),
        *_objects("group", current.groups, target.groups, lambda group: _group_fields(group, target)),
        *_objects("collection", current.collections, target.collections, lambda one: _collection_fields(one, target)),
        *_whole("scim", "SCIM", current.scim, target.scim),
    ]
    return sorted(found, key=lambda step: STAGES.index(step.stage))


def _whole(
    stage: str, kind: str, current: t.Mapping[str, t.Any], target: t.Mapping[str, t.Any], secret: frozenset[str] = frozenset()
) -> t.Iterator[Step]:
    for change in compare(kind, WHOLE, current, {**dict.fromkeys(current), **target}, secret).changes:
        yield Step(stage, WHOLE, change)


# --- policies ---


def _policies(current: Organization, target: Organization, known: Known) -> t.Iterator[Step]:
    for name in sorted(target.policies, key=lambda name: _rank(target.policies[name])):
        before, after = current.policy(name), target.policies[name]
        shown = _policy_fields(after)
        if after.enabled and not before.enabled and known.endangered.get(name):
            shown["may_revoke"] = list(known.endangered[name])
        fields = {**dict.fromkeys(before.data), **shown}
        for change in compare("policy", name, _policy_fields(before), fields).changes:
            yield Step("enable policy" if after.enabled else "disable policy", name, change)


def _rank(policy: Policy) -> tuple[bool, int]:
    """What others need is enabled first and disabled last."""
    kind = POLICIES[policy.type]
    return (kind.needs is not None) == policy.enabled, kind.number


def _policy_fields(policy: Policy) -> dict[str, t.Any]:
    return {"enabled": policy.enabled, **policy.data}


# --- members ---


def _members(current: Organization, target: Organization, known: Known) -> t.Iterator[Step]:
    for email in sorted(target.members, key=lambda email: (ROLES[target.members[email].role], email)):  # promotions first
        yield from _member(current.members.get(email), target.members[email], known)
    for email, member in current.members.items():
        if email not in target.members:
            yield Step(
                "remove", email, Change("delete", "member", email, before={**_member_fields(member), "status": member.status})
            )


def _member(before: Member | None, after: Member, known: Known) -> t.Iterator[Step]:
    email = after.email
    if before is None:
        yield Step("invite", email, Change("create", "member", email, after=_member_fields(after)))
        return
    for change in compare("member", email, _member_fields(before), _member_fields(after)).changes:
        yield Step("update self" if email == known.caller_email else "update member", email, change)
    if before.status != after.status:
        change = Change("update", "member", email, {"status": before.status}, {"status": after.status})
        if after.status == "revoked":
            yield Step("revoke", email, change)
        elif before.status == "revoked":
            yield Step("restore", email, change)
        else:
            shown = {"status": after.status, "fingerprint": known.phrases.get(email)}
            yield Step("confirm", email, Change("update", "member", email, {"status": before.status}, shown))


def _member_fields(member: Member) -> dict[str, t.Any]:
    permissions = {"permissions": sorted(member.permissions)} if member.role == "custom" else {}
    return {"role": member.role, **permissions}


# --- groups and collections ---

Thing = t.TypeVar("Thing", Group, Collection)
Fields = dict[str, t.Any]


def _objects(
    kind: str, current: t.Mapping[str, Thing], target: t.Mapping[str, Thing], fields: t.Callable[[Thing], Fields]
) -> t.Iterator[Step]:
    for key, wanted in target.items():
        found, after = current.get(key), fields(wanted)
        before = None if found is None else fields(found)
        if before is None:
            after = {name: value for name, value in after.items() if value is not None}
        for change in compare(kind, key, before, {**dict.fromkeys(before or ()), **after}).changes:
            yield Step(kind, key, change)
    for key, found in current.items():
        if key not in target:
            yield Step(f"delete {kind}", key, Change("delete", kind, key, before={"id": found.id}))


def _group_fields(group: Group, target: Organization) -> Fields:
    """What a group consists of; who leaves the organization leaves it without a request."""
    return {f"member {email}": True for email in sorted(group.members) if email in target.members}


def _collection_fields(collection: Collection, target: Organization) -> Fields:
    """What a collection consists of; the access of a deleted group or member goes with it."""
    return {
        "external_id": collection.external_id,
        **{f"group {name}": word for name, word in sorted(collection.groups.items()) if name in target.groups},
        **{f"member {email}": word for email, word in sorted(collection.members.items()) if email in target.members},
    }
