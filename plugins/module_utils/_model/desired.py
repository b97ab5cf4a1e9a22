# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator wants in an organization: the options of the module organization, parsed.

None always means not given, which leaves alone what is there.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model import sso_config

Options = t.Mapping[str, t.Any]
Pairs = tuple[tuple[str, str], ...]  # a key, possibly more than once, and a word of C(access.PERMISSIONS)


@dataclass(frozen=True)
class CollectionWish:
    """One entry of O(collections). An empty external id takes it away."""

    name: str
    external_id: str | None = None
    groups: Pairs | None = None
    members: Pairs | None = None
    present: bool = True


@dataclass(frozen=True)
class GroupWish:
    """One entry of O(groups). C(members): lower-case e-mail addresses."""

    name: str
    members: tuple[str, ...] | None = None
    present: bool = True


@dataclass(frozen=True)
class MemberWish:
    """One entry of O(members). C(email) is lower case, C(state) one of C(present), C(revoked), C(absent)."""

    email: str
    role: str = "user"
    permissions: frozenset[str] = frozenset()
    fingerprint: str | None = None
    state: str = "present"


@dataclass(frozen=True)
class PolicyWish:
    """One entry of O(policies). A key of C(data) that is None takes it away."""

    type: str
    enabled: bool = True
    data: t.Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Desired:
    """All that is wanted.

    Attributes:
        settings: those that are given.
        sso: the given options, flat (C(sso_config)).
        scim: the given options.
        confirm: whether people who have accepted are to be confirmed.
        confirm_domains: the mail domains whose people are, even when they are not named.
        prune: the classes of which everything that is not named goes.
        max_deletions: how many objects pruning may delete.
        max_affected: how many people enabling policies may revoke.
    """

    settings: t.Mapping[str, bool] = field(default_factory=dict)
    collections: tuple[CollectionWish, ...] | None = None
    groups: tuple[GroupWish, ...] | None = None
    members: tuple[MemberWish, ...] | None = None
    policies: tuple[PolicyWish, ...] = ()
    sso: t.Mapping[str, t.Any] = field(default_factory=dict)
    scim: t.Mapping[str, t.Any] = field(default_factory=dict)
    confirm: bool = True
    confirm_domains: tuple[str, ...] = ()
    prune: frozenset[str] = frozenset()
    max_deletions: int = 0
    max_affected: int = 0


def parse(params: Options) -> Desired:
    """Read the options of the module organization; what is missing altogether counts as not given."""
    return Desired(
        settings=_given(params.get("settings")),
        collections=_each(params, "collections", _collection),
        groups=_each(params, "groups", _group),
        members=_each(params, "members", _member),
        policies=_each(params, "policies", _policy) or (),
        sso=sso_config.flat(params.get("sso") or {}),
        scim=_given(params.get("scim")),
        confirm=params.get("confirm_members", True),
        confirm_domains=tuple(params.get("confirm_domains") or ()),
        prune=frozenset(params.get("prune") or ()),
        max_deletions=params.get("max_deletions", 0),
        max_affected=params.get("max_affected", 0),
    )


T = t.TypeVar("T")


def _each(params: Options, name: str, read: t.Callable[[Options], T]) -> tuple[T, ...] | None:
    entries = params.get(name)
    return None if entries is None else tuple(read(entry) for entry in entries)


def _given(options: Options | None) -> dict[str, t.Any]:
    return {name: value for name, value in (options or {}).items() if value is not None}


def _collection(entry: Options) -> CollectionWish:
    return CollectionWish(
        entry["name"].strip(),
        entry["external_id"],
        _pairs(entry["groups"], "name"),
        _pairs(entry["members"], "email"),
        entry["state"] == "present",
    )


def _group(entry: Options) -> GroupWish:
    members = entry["members"]
    return GroupWish(
        entry["name"].strip(), None if members is None else tuple(map(_folded, members)), entry["state"] == "present"
    )


def _member(entry: Options) -> MemberWish:
    return MemberWish(
        _folded(entry["email"]), entry["role"], frozenset(entry["permissions"] or ()), entry["fingerprint"], entry["state"]
    )


def _policy(entry: Options) -> PolicyWish:
    return PolicyWish(entry["type"], entry["enabled"], entry["data"] or {})


def _pairs(entries: t.Sequence[Options] | None, key: str) -> Pairs | None:
    if entries is None:
        return None
    fold = _folded if key == "email" else str.strip
    return tuple((fold(entry[key]), entry["permission"]) for entry in entries)


def _folded(email: str) -> str:
    return email.strip().lower()
