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
        disabled: whether those are removed whom the directory has disabled.
        deleted: whether those are removed whom the directory tells to be deleted.
        overwrite: whether everybody is removed who is not listed.
    """

    users: bool
    disabled: bool
    deleted: bool
    overwrite: bool


@dataclass(frozen=True)
class Memory:
    """What syncs that succeeded were about; no names, only digests of them.

    Attributes:
        listing: of all that the last one listed.
        members: of each person whom they have made a member and not removed.
    """

    listing: str = ""
    members: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Listing:
    """The answer of C(bwdc test): a full reading of the directory."""

    content: t.Mapping[str, t.Any]

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of everything."""
        names = dict(zip(("groups", "users", "disabled", "deleted"), _LISTS))
        return {name: len(self.content[key]) for name, key in names.items()}

    def removed(self, rules: Rules, known: Memory) -> frozenset[str]:
        """Return who of those who are known is removed by a sync, as far as the server still has them."""
        leaving = known.members - self._staying(rules)
        if rules.overwrite:
            return leaving
        disabled = self._digests("disabledUsers") if rules.disabled else frozenset()
        return leaving & (disabled | (self._digests("deletedUsers") if rules.deleted else frozenset()))

    def memory(self, rules: Rules, known: Memory) -> Memory:
        """Return what is to be remembered after a sync: who is only gone from the directory still is a member."""
        text = json.dumps([self.content[key] for key in _LISTS], sort_keys=True)
        return Memory(_digest(text), (known.members - self.removed(rules, known)) | self._staying(rules))

    def _staying(self, rules: Rules) -> frozenset[str]:
        enabled = self._digests("enabledUsers")
        return enabled if rules.disabled else enabled | self._digests("disabledUsers")

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
    found = []
    users = listing.counts["users"]
    least = 1 if limits.minimum is None else limits.minimum
    if rules.users and users < least:
        cause = f"The directory has {users} users, and {least} is the least to be believed."
        remedy = "Look at filter, path and rights of the account that reads it, or lower the number."
        found.append(SelfhostError(cause, field="min_directory_users", remedy=remedy))
    removed, before = len(listing.removed(rules, known)), len(known.members)
    if removed > limits.removals or removed * 100 > limits.percent * before:
        allowed = f"allowed are {limits.removals} and {limits.percent} %"
        cause = f"A sync would remove {removed} of {before} people ({removed * 100 / before:.0f} %); {allowed}."
        remedy = "If that is meant, raise max_removals and max_removals_percent for one run."
        found.append(SelfhostError(cause, field="max_removals", remedy=remedy))
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
