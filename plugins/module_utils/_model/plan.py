# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan: what a run will change, computed once and shown everywhere."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

MASK = "********"


@dataclass(frozen=True)
class Change:
    """One thing that is not yet as it should be.

    Attributes:
        action: C(create), C(update), C(delete) or C(run) (an action without a state of its own, such as a restart).
        kind: what kind of thing, in the field's words: C(setting), C(license), C(billing sync connection) ...
        name: which one, as a person would call it.
        before: the fields that differ, as they are; empty for C(create) and C(run).
        after: the same fields, as they will be; empty for C(delete).
        secret: names of fields whose values are never shown.
        reason: why, when before and after do not say it.
    """

    action: str
    kind: str
    name: str
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    after: t.Mapping[str, t.Any] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    reason: str = ""

    def as_dict(self) -> dict[str, t.Any]:
        """Return the change as data, secrets masked: the element of the modules' C(changes) return value."""
        return {
            "action": self.action,
            "kind": self.kind,
            "name": self.name,
            "before": self._masked(self.before, "old"),
            "after": self._masked(self.after, "new"),
            "reason": self.reason,
        }

    def lines(self, side: str) -> list[str]:
        """Return the human lines of one side, C(before) or C(after), of a diff."""
        if not self.before and not self.after:
            shows = side == ("before" if self.action == "delete" else "after")
            return [f"{self.kind} {self.name}: {self.reason or self.action}"] if shows else []
        fields = self._masked(self.before, "old") if side == "before" else self._masked(self.after, "new")
        return [f"{self.kind} {self.name}:", *(f"  {key}: {_text(value)}" for key, value in fields.items())] if fields else []

    def _masked(self, fields: t.Mapping[str, t.Any], age: str) -> dict[str, t.Any]:
        # "old"/"new" keeps a changed secret visible as a change in a text diff without showing it.
        return {key: f"{MASK} ({age})" if key in self.secret and value is not None else value for key, value in fields.items()}


@dataclass(frozen=True)
class Plan:
    """An ordered list of changes."""

    changes: tuple[Change, ...] = ()

    @property
    def changed(self) -> bool:
        """Say whether there is anything to do."""
        return bool(self.changes)

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.changes + other.changes)

    def diff(self, header: str = "") -> dict[str, str]:
        """Return Ansible's diff structure: two texts that differ exactly by the changes."""
        sides = {
            side: "".join(f"{line}\n" for change in self.changes for line in change.lines(side)) for side in ("before", "after")
        }
        return {**sides, "before_header": header, "after_header": header} if header else sides

    def as_list(self) -> list[dict[str, t.Any]]:
        """Return the changes as data, secrets masked."""
        return [change.as_dict() for change in self.changes]


def compare(
    kind: str,
    name: str,
    current: t.Mapping[str, t.Any] | None,
    desired: t.Mapping[str, t.Any] | None,
    secret: frozenset[str] = frozenset(),
) -> Plan:
    """Compare two flat states of one object and return the plan that leads from one to the other.

    Only fields that C(desired) names are compared; C(None) for a whole state means that the object is absent.
    """
    if desired is None:
        return Plan() if current is None else Plan((Change("delete", kind, name, before=current, secret=secret),))
    if current is None:
        return Plan((Change("create", kind, name, after=desired, secret=secret),))
    differing = [key for key in desired if current.get(key) != desired[key]]
    if not differing:
        return Plan()
    before = {key: current.get(key) for key in differing}
    after = {key: desired[key] for key in differing}
    return Plan((Change("update", kind, name, before=before, after=after, secret=secret),))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)
