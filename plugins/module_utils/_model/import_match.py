# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which items of a file an organization has already, and what importing the others changes."""

from __future__ import annotations

import json
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model.import_file import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_item import Item, differences

Values = dict[str, t.Any]


@dataclass(frozen=True)
class Existing:
    """An item of the organization that may be one of the file; C(collections) are full names."""

    id: str
    collections: tuple[str, ...]
    item: Item = field(repr=False)


Key = t.Callable[[t.Union[Entry, Existing]], t.Any]


def pair(
    entries: t.Sequence[Entry], fingerprints: t.Sequence[str], existing: t.Mapping[str, t.Sequence[Existing]]
) -> list[Existing | None]:
    """Return for each entry the item that it is in the organization, None for one that is missing there.

    Items are counted: of three equal ones in a file, one is missing if the organization has two. Where several could be the
    same, those that are equal in everything belong together first.

    Args:
        entries: the file's.
        fingerprints: theirs.
        existing: the organization's items by fingerprint.
    """
    same = defaultdict(list)
    for number, fingerprint in enumerate(fingerprints):
        same[fingerprint].append(number)
    partners: list[Existing | None] = [None] * len(entries)
    for fingerprint, numbers in same.items():
        left = list(existing.get(fingerprint, ()))
        for key in (_everything, _content, _anything):
            left = _pair_by(key, {number: entries[number] for number in numbers if partners[number] is None}, left, partners)
    return partners


def _pair_by(
    key: Key, waiting: t.Mapping[int, Entry], left: t.Sequence[Existing], partners: list[Existing | None]
) -> list[Existing]:
    """Pair what has the same key, and return what is left."""
    if not waiting or not left:
        return []
    offered = defaultdict(list)
    for one in reversed(left):
        offered[key(one)].append(one)
    for number, entry in waiting.items():
        candidates = offered.get(key(entry))
        if candidates:
            partners[number] = candidates.pop()
    return [one for candidates in offered.values() for one in reversed(candidates)]


def _everything(one: Entry | Existing) -> t.Any:
    return _content(one), frozenset(one.collections)


def _content(one: Entry | Existing) -> t.Any:
    return json.dumps(one.item.content, sort_keys=True)


def _anything(_one: Entry | Existing) -> t.Any:
    return None


def plan(missing: t.Iterable[Entry], new_collections: t.Iterable[str]) -> Plan:
    """Return what an import changes: collections, and the names of the items in each set of collections."""
    names = defaultdict(list)
    for entry in missing:
        names[", ".join(sorted(entry.collections)) or "(no collection)"].append(entry.item.name)
    collections = [Change("create", "collection", name) for name in new_collections]
    items = [
        Change("create", "items in", place, after={"count": len(found), "names": found}) for place, found in sorted(names.items())
    ]
    return Plan((*collections, *items))


def told(entry: Entry, partner: Existing | None) -> Values:
    """Return how an entry is reported: names, never values."""
    return {"name": entry.item.name, "collections": list(entry.collections), "id": partner.id if partner else None}


def compared(entry: Entry, partner: Existing) -> Values:
    """Return how an entry is reported that is there already: with the names of what is different in the organization."""
    differing = differences(entry.item.content, partner.item.content)
    if set(entry.collections) != set(partner.collections):
        differing.append("collections")
    return {**told(entry, partner), "differs_in": differing}
