# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The target: what is there, and what is wanted, merged into one whole state.

What is not named stays, unless its class is pruned. As the target is whole, everything that is written from it is complete.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model import sso_config
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import Caller
from ansible_collections.bw.selfhost.plugins.module_utils._model.confirmation import Candidate, waits_for
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import (
    CollectionWish,
    Desired,
    MemberWish,
    Pairs,
    PolicyWish,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import (
    Collection,
    Group,
    Member,
    Organization,
    Policy,
)

V = t.TypeVar("V")


def merge(current: Organization, desired: Desired, caller: Caller) -> Organization:
    """Return the state that is wanted. Merging into the result once more changes nothing."""
    members = _members(current, desired, caller)
    groups = _groups(current, desired, members)
    return dataclasses.replace(
        current,
        settings={**current.settings, **desired.settings},
        collections=_collections(current, desired, groups, members),
        groups=groups,
        members=members,
        policies=_policies(current, desired),
        sso=_sso(current.sso, desired.sso),
        scim={**current.scim, **desired.scim},
    )


def candidate(member: Member, wish: MemberWish) -> Candidate:
    """Return a member who has accepted as somebody who may be confirmed."""
    return Candidate(member.id or "", member.email, member.user_id or "", member.public_key or "", wish.fingerprint)


def _members(current: Organization, desired: Desired, caller: Caller) -> dict[str, Member]:
    wishes = {wish.email: wish for wish in desired.members or ()}
    kept = set(wishes) | {caller.email}
    members = dict(current.members) if "members" not in desired.prune else _only(current.members, kept)
    for email, wish in wishes.items():
        wanted = _member(members.pop(email, None), wish, desired)
        if wanted:
            members[email] = wanted
    if desired.confirm and desired.confirm_domains:
        for email, member in members.items():
            if member.status == "accepted" and email not in wishes:
                members[email] = _confirmed(member, MemberWish(email), desired)
    return members


def _member(found: Member | None, wish: MemberWish, desired: Desired) -> Member | None:
    """Return one member as wanted; None for nobody."""
    if wish.state == "absent" or (found is None and wish.state == "revoked"):
        return None
    member = dataclasses.replace(found or Member(wish.email), role=wish.role, permissions=wish.permissions)
    if wish.state == "revoked":
        return dataclasses.replace(member, status="revoked")
    if member.status == "revoked":  # the server restores what was before; the next look tells what that is
        return dataclasses.replace(member, status="confirmed" if member.user_id else "invited")
    return _confirmed(member, wish, desired)


def _confirmed(member: Member, wish: MemberWish, desired: Desired) -> Member:
    if (
        member.status != "accepted"
        or not member.public_key
        or waits_for(candidate(member, wish), desired.confirm, desired.confirm_domains)
    ):
        return member
    return dataclasses.replace(member, status="confirmed")


def _groups(current: Organization, desired: Desired, members: t.Mapping[str, Member]) -> dict[str, Group]:
    wishes = {wish.name: wish for wish in desired.groups or ()}
    groups = dict(current.groups) if "groups" not in desired.prune else _only(current.groups, set(wishes))
    for name, wish in wishes.items():
        found = groups.pop(name, None)
        if wish.present:
            kept = (
                frozenset() if found is None or (wish.members is not None and "memberships" in desired.prune) else found.members
            )
            groups[name] = dataclasses.replace(found or Group(name), members=kept | set(wish.members or ()))
    return {name: dataclasses.replace(group, members=group.members & members.keys()) for name, group in groups.items()}


def _collections(
    current: Organization, desired: Desired, groups: t.Mapping[str, Group], members: t.Mapping[str, Member]
) -> dict[str, Collection]:
    wishes = {wish.name: wish for wish in desired.collections or ()}
    pruned = "access" in desired.prune
    collections = dict(current.collections) if "collections" not in desired.prune else _only(current.collections, set(wishes))
    for name, wish in wishes.items():
        found = collections.pop(name, None)
        if wish.present:
            collections[name] = _collection(found or Collection(name), wish, pruned)
    return {
        name: dataclasses.replace(collection, groups=_only(collection.groups, groups), members=_only(collection.members, members))
        for name, collection in collections.items()
    }


def _collection(found: Collection, wish: CollectionWish, pruned: bool) -> Collection:
    return dataclasses.replace(
        found,
        external_id=found.external_id if wish.external_id is None else wish.external_id or None,
        groups=_access(found.groups, wish.groups, pruned),
        members=_access(found.members, wish.members, pruned),
    )


def _access(found: t.Mapping[str, str], wanted: Pairs | None, pruned: bool) -> dict[str, str]:
    if wanted is None:
        return dict(found)
    return dict(wanted) if pruned else {**found, **dict(wanted)}


def _policies(current: Organization, desired: Desired) -> dict[str, Policy]:
    wishes = list(desired.policies)
    if desired.sso.get("member_decryption") == "trusted_devices":
        # The server switches these on with trusted devices; SsoConfigService.cs.
        named = {wish.type for wish in wishes}
        wishes += [wish for wish in TRUSTED_DEVICES if wish.type not in named]
    return {**current.policies, **{wish.type: _policy(current.policy(wish.type), wish) for wish in wishes}}


TRUSTED_DEVICES = (
    PolicyWish("single_org"),
    PolicyWish("require_sso"),
    PolicyWish("reset_password", data={"autoEnrollEnabled": True}),
)


def _policy(found: Policy, wish: PolicyWish) -> Policy:
    data = {**found.data, **wish.data}
    return Policy(wish.type, wish.enabled, {key: value for key, value in data.items() if value is not None})


def _sso(found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A change of the type drops what belongs to the other one."""
    kind = sso_config.type_of(wanted) or sso_config.type_of(found)
    if not wanted or kind is None:  # nothing is wanted, or nothing but that nothing be enabled
        return dict(found)
    names = sso_config.names_of(kind)
    defaults = {name: sso_config.FIELDS[name].default for name in names}
    return {"enabled": True, "identifier": None, **defaults, **_only(found, {"enabled", "identifier", *names}), **wanted}


def _only(mapping: t.Mapping[str, V], keys: t.Container[str | None]) -> dict[str, V]:
    return {key: value for key, value in mapping.items() if key in keys}
