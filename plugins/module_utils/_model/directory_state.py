# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The side of the organization that a directory is compared with: its members, its groups, its seats."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import ROLES, SEATED, STATUSES

OWNER = ROLES["owner"]


@dataclass(frozen=True)
class Member:
    """A member: C(email) in lower case, C(role) as its number, C(status) as its word."""

    id: str
    email: str
    external_id: str | None
    role: int
    status: str

    @classmethod
    def of_wire(cls, row: t.Mapping[str, t.Any]) -> Member:
        """Read what the public API tells of a member."""
        status = STATUSES.get(row["status"], str(row["status"]))
        return cls(row["id"], row["email"].lower(), row.get("externalId") or None, row["type"], status)

    @property
    def is_owner(self) -> bool:
        """Whether no import ever removes this member."""
        return self.role == OWNER

    @property
    def takes_seat(self) -> bool:
        """Whether one of the organization's seats is taken."""
        return self.status in SEATED


@dataclass(frozen=True)
class Group:
    """A group; C(members) are the ids of members, None where nobody has asked."""

    id: str
    name: str
    external_id: str | None
    members: frozenset[str] | None = None

    @classmethod
    def of_wire(cls, row: t.Mapping[str, t.Any], members: t.Iterable[str] | None = None) -> Group:
        """Read what the public API tells of a group."""
        return cls(row["id"], row["name"], row.get("externalId") or None, None if members is None else frozenset(members))


@dataclass(frozen=True)
class Seats:
    """How many seats there are, and up to how many there can be without anybody's doing (None: any number)."""

    now: int
    most: int | None


@dataclass(frozen=True)
class State:
    """What the organization is. C(seats) is None where nobody knows."""

    members: tuple[Member, ...]
    groups: tuple[Group, ...] = ()
    seats: Seats | None = None

    @functools.cached_property
    def by_external_id(self) -> dict[str, Member]:
        """The members that have an external id."""
        return {member.external_id: member for member in self.members if member.external_id}

    @functools.cached_property
    def by_email(self) -> dict[str, Member]:
        """The members by their addresses."""
        return {member.email: member for member in self.members}

    @property
    def occupied(self) -> int:
        """How many seats are taken by members."""
        return sum(member.takes_seat for member in self.members)
