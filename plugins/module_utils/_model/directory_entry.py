# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a directory's entries say: people and groups, by the rules of the official connector.

Source: bitwarden/directory-connector libs/services/directory-services/ldap-directory.service.ts, libs/services/sync.service.ts.
"""

from __future__ import annotations

import re
import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import GroupRules, Rules, UserRules
from ansible_collections.bw.selfhost.plugins.module_utils._model.emails import LONGEST, is_email

_DISABLED = 2  # a bit of userAccountControl
_NUMBER = re.compile(r"\s*([+-]?\d+)", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """One entry of a directory: its distinguished name, and attributes as the server spells them."""

    dn: str
    attributes: t.Mapping[str, t.Sequence[bytes]]

    def values(self, name: str) -> t.Sequence[bytes]:
        """Return the values of an attribute; case does not count in its name."""
        if name in self.attributes:
            return self.attributes[name]
        return next((values for spelled, values in self.attributes.items() if spelled.lower() == name.lower()), ())

    def texts(self, name: str) -> list[str]:
        """Return the values of an attribute as texts."""
        return [value.decode(errors="replace") for value in self.values(name)]

    def text(self, name: str) -> str | None:
        """Return the first value of an attribute as a text."""
        return next(iter(self.texts(name)), None)


@dataclass(frozen=True)
class User:
    """A person of a directory: the external id, the e-mail address in lower case, and whether the account is disabled."""

    external_id: str
    email: str
    disabled: bool
    dn: str


@dataclass(frozen=True)
class Group:
    """A group of a directory. C(members) are external ids, also those of people of groups inside of this one."""

    external_id: str
    name: str
    members: tuple[str, ...]
    dn: str


@dataclass(frozen=True)
class Directory:
    """A directory, in its own order.

    Attributes:
        users: the people who can be members.
        groups: the groups.
        skipped: (distinguished name, reason) of entries that cannot be members or groups, and of members of groups that are lost.
        present: external ids of all people, those who were skipped included.
        addresses: e-mail addresses of all people, those who were skipped included.
    """

    users: tuple[User, ...]
    groups: tuple[Group, ...]
    skipped: tuple[tuple[str, str], ...]
    present: frozenset[str]
    addresses: frozenset[str]


def map_entries(
    users: t.Sequence[Entry], groups: t.Sequence[Entry], user_rules: UserRules, group_rules: GroupRules | None
) -> Directory:
    """Return what the entries say."""
    people = {entry.dn: external_id(entry, user_rules) for entry in users}
    addresses = {entry.dn: address(entry, user_rules) for entry in users}
    skipped = {entry.dn: reason for entry in users if (reason := _unfit(people[entry.dn], addresses[entry.dn], user_rules))}
    found = {
        entry.dn: User(str(people[entry.dn]), str(addresses[entry.dn]), _is_disabled(entry), entry.dn)
        for entry in users
        if entry.dn not in skipped
    }
    nest = _Nest(users, people, group_rules) if group_rules else None
    named = nest.groups(groups) if nest else []
    return Directory(
        users=tuple(found.values()),
        groups=tuple(named),
        skipped=(*skipped.items(), *(nest.lost if nest else ())),
        present=frozenset(id for id in people.values() if id),
        addresses=frozenset(email for email in addresses.values() if email),
    )


def external_id(entry: Entry, rules: Rules) -> str | None:
    """Return the id by which the server knows an entry; None when the attribute that holds it is missing."""
    if not rules.automatic_id:
        return _guid(entry) if rules.external_id.lower() == "objectguid" else entry.text(rules.external_id) or None
    return _guid(entry) or entry.dn or None  # the root of a server has no name


def _guid(entry: Entry) -> str | None:
    value = next(iter(entry.values("objectGUID")), b"")
    return str(uuid.UUID(bytes_le=bytes(value))) if len(value) == 16 else None


def address(entry: Entry, rules: UserRules) -> str | None:
    """Return the e-mail address of a person, None when there is none."""
    email = entry.text(rules.email)
    prefix = entry.text(rules.prefix) if email is None and rules.suffix else None
    if prefix is not None:
        email = f"{prefix}{rules.suffix}"
    return (email or "").strip().lower() or None


def _unfit(external_id: str | None, email: str | None, rules: UserRules) -> str:
    """Say why a person cannot be a member; nothing when there is no reason."""
    if external_id is None:
        return f"The entry has no {rules.external_id}."
    if email is None:
        return f"The entry has no {rules.email}{f' and no {rules.prefix}' if rules.suffix else ''}."
    if len(email) > LONGEST:
        return f"The e-mail address has {len(email)} characters, and the servers take {LONGEST}."
    return "" if is_email(email) else f"{email!r} is not an e-mail address."


def _is_disabled(entry: Entry) -> bool:
    number = _NUMBER.match(entry.text("userAccountControl") or "")
    return bool(number and int(number[1]) & _DISABLED)


@dataclass
class _Open:
    """A group while its members are collected, in the order of finding; C(inside) are the names of groups in it."""

    entry: Entry
    members: dict[str, None]
    inside: set[str]


class _Nest:
    """Groups inside of groups. A member is the distinguished name of a person or group, spelled as its entry is, or a uid."""

    def __init__(self, users: t.Sequence[Entry], people: t.Mapping[str, str | None], rules: GroupRules) -> None:
        self._rules = rules
        self._people = people
        self._uids = {uid.lower(): people[entry.dn] for entry in users if (uid := entry.text("uid")) is not None}
        self.lost: list[tuple[str, str]] = []

    def groups(self, entries: t.Sequence[Entry]) -> list[Group]:
        """Return the groups that have a name and an id, each with the people of all groups below it."""
        opened = {entry.dn: self._open(entry) for entry in entries if self._fits(entry)}
        self._tell_lost(opened)
        order = {dn: number for number, dn in enumerate(opened)}
        below = {
            dn: [opened[inner] for inner in sorted(group.inside & order.keys(), key=order.__getitem__)]
            for dn, group in opened.items()
        }
        for group in opened.values():
            _collect(group, below)
        return [
            Group(str(external_id(group.entry, self._rules)), self._name(group.entry), tuple(group.members), dn)
            for dn, group in opened.items()
        ]

    def _name(self, entry: Entry) -> str:
        name = entry.text(self._rules.name)
        return entry.text("cn") or "" if name is None else name

    def _fits(self, entry: Entry) -> bool:
        if not self._name(entry).strip():
            self.lost.append((entry.dn, f"The group has no {self._rules.name}."))
        elif external_id(entry, self._rules) is None:
            self.lost.append((entry.dn, f"The group has no {self._rules.external_id}."))
        else:
            return True
        return False

    def _open(self, entry: Entry) -> _Open:
        group = _Open(entry, {}, set())
        for member in entry.texts(self._rules.members):
            is_name = "=" in member and "," in member
            if is_name and member not in self._people:
                group.inside.add(member)
            elif found := self._people[member] if is_name else self._uids.get(member.lower()):
                group.members[found] = None
        return group

    def _tell_lost(self, opened: t.Mapping[str, _Open]) -> None:
        """Name the members that are written in another way than the entries that they mean: they do not count."""
        spelled = {dn.lower(): dn for dn in (*self._people, *opened)}
        for dn, group in opened.items():
            for member in sorted(group.inside - opened.keys()):
                if meant := spelled.get(member.lower()):
                    self.lost.append((dn, f"The member {member!r} does not count, because the entry is spelled {meant!r}."))


def _collect(top: _Open, below: t.Mapping[str, list[_Open]]) -> None:
    """Give a group, and on the way those inside, the members of what is below them; each group is visited once."""
    visited = {top.entry.dn}
    way = [(top, iter(below[top.entry.dn]))]
    while way:
        group, rest = way[-1]
        inner = next((one for one in rest if one.entry.dn not in visited), None)
        if inner is not None:
            visited.add(inner.entry.dn)
            way.append((inner, iter(below[inner.entry.dn])))
            continue
        way.pop()
        if way:
            way[-1][0].members.update(group.members)
