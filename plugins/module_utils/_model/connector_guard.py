# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the connector found in the directory, and whether a sync of that would remove people whom nobody meant to remove."""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_LISTS = ("groups", "enabledUsers", "disabledUsers", "deletedUsers")
_HALF = 50  # percent: nobody loses half of all people or memberships at once


@dataclass(frozen=True)
class Limits:
    """How much a sync may take away. C(minimum) is C(None) when the operator has not said it."""

    minimum: int | None = None
    removals: int = 5
    percent: int = 10


@dataclass(frozen=True)
class Rules:
    """Whom a sync takes in and whom it removes, as the data file says.

    Attributes:
        users: whether users are synced at all.
        groups: whether groups are.
        disabled: whether those are removed whom the directory has disabled.
        deleted: whether those are removed whom the directory tells to be deleted.
        overwrite: whether everybody is removed who is not listed.
    """

    users: bool
    groups: bool
    disabled: bool
    deleted: bool
    overwrite: bool


@dataclass(frozen=True)
class Memory:
    """What the last sync that succeeded was about; no names, only digests of them.

    Attributes:
        listing: of all that was listed.
        listed: of each person who was to be a member.
        left: of those who were so earlier, and whom no sync has removed.
        memberships: how many there were in all groups together.
    """

    listing: str = ""
    listed: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    memberships: int = 0


@dataclass(frozen=True)
class Listing:
    """The answer of C(bwdc test): a full reading of the directory."""

    content: t.Mapping[str, t.Any]

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of everything."""
        names = dict(zip(("groups", "users", "disabled", "deleted"), _LISTS))
        return {name: len(self.content[key]) for name, key in names.items()}

    @property
    def memberships(self) -> int:
        """How many there are in all groups together."""
        return sum(len(group["userIds"]) for group in self.content["groups"])

    def staying(self, rules: Rules) -> frozenset[str]:
        """Return who is to be a member."""
        enabled = self._digests("enabledUsers")
        return enabled if rules.disabled else enabled | self._digests("disabledUsers")

    def removed(self, rules: Rules, known: Memory) -> frozenset[str]:
        """Return who of those who are known is removed by a sync, as far as the server still has them."""
        leaving = (known.listed | known.left) - self.staying(rules)
        if rules.overwrite:
            return leaving
        disabled = self._digests("disabledUsers") if rules.disabled else frozenset()
        return leaving & (disabled | (self._digests("deletedUsers") if rules.deleted else frozenset()))

    def memory(self, rules: Rules, known: Memory) -> Memory:
        """Return what is to be remembered after a sync: who is only gone from the directory still is a member."""
        text = json.dumps([self.content[key] for key in _LISTS], sort_keys=True)
        staying = self.staying(rules)
        left = (known.listed | known.left) - staying - self.removed(rules, known)
        return Memory(_digest(text), staying, left, self.memberships)

    def _digests(self, key: str) -> frozenset[str]:
        return frozenset(_digest(str(user["externalId"])) for user in self.content[key])


def listing_of(answer: object) -> Listing:
    """Take the answer of C(bwdc test), or say that it is none.

    Raises:
        SelfhostError: it has another shape than that of any release known here.
    """
    if isinstance(answer, dict) and all(isinstance(answer.get(key), list) for key in _LISTS):
        return Listing(answer)
    raise SelfhostError(
        "The connector's test has an unknown form.",
        field="bwdc test",
        remedy="Use a release of the connector that is known here.",
    )


def refusals(listing: Listing, rules: Rules, known: Memory, limits: Limits) -> list[SelfhostError]:
    """Return why this must not be synced."""
    users, least = listing.counts["users"], 1 if limits.minimum is None else limits.minimum
    missing = known.listed - listing.staying(rules)
    removed = listing.removed(rules, known)
    found = []
    if rules.users and users < least:
        found.append(
            _refused("min_directory_users", f"The directory has {users} users, and {least} is the least to be believed.")
        )
    if rules.users and _beyond(len(missing), len(known.listed), max(_HALF, limits.percent)):
        share = _share(len(missing), len(known.listed))
        found.append(_refused("max_removals_percent", f"{share} people of the last sync are missing in the directory."))
    lost = known.memberships - listing.memberships
    if rules.groups and _beyond(lost, known.memberships, max(_HALF, limits.percent)):
        share = _share(lost, known.memberships)
        found.append(
            _refused("max_removals_percent", f"{share} memberships in groups of the last sync are missing in the directory.")
        )
    everybody = len(known.listed | known.left)
    if len(removed) > limits.removals or _beyond(len(removed), everybody, limits.percent):
        allowed = f"at most {limits.removals}, and {limits.percent} %, may be"
        found.append(_refused("max_removals", f"{_share(len(removed), everybody)} people would be removed, and {allowed}."))
    return found


def _refused(field: str, cause: str) -> SelfhostError:
    remedy = f"Nothing was sent. Look at the directory, the filters and the reading account; if they are right, change {field}."
    return SelfhostError(cause, field=field, remedy=remedy)


def _beyond(count: int, total: int, percent: int) -> bool:
    return count * 100 > percent * total


def _share(count: int, total: int) -> str:
    return f"{count} of {total} ({count * 100 / total:.0f} %)"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
