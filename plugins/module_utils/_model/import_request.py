# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests that import items: as large as every server takes them, and not larger.

Source: bitwarden/server src/Api/appsettings.json (ImportCiphersLimitation); Kestrel takes bodies of 30,000,000 bytes.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import seal_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_file import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_item import seal_item

Members = t.Mapping[str, t.Any]
Batch = list[tuple[int, Members]]  # the entry's number, and the encrypted item

MOST_ITEMS = (
    1000  # the cloud takes 40,000, but a slow server has to answer in time, and a lost answer leaves all of them in doubt
)
MOST_BYTES = 20_000_000
MOST_COLLECTIONS = 2000
MOST_LINKS = 80_000


def batches(entries: t.Mapping[int, Entry], key: bytes) -> t.Iterator[Batch]:
    """Encrypt items, and yield as many at a time as one request may have."""
    batch: Batch = []
    size, links, collections = 0, 0, set[str]()
    for number, entry in entries.items():
        wire = seal_item(entry.item, key)
        size += len(json.dumps(wire))
        links += len(entry.collections)
        collections.update(with_parents(entry.collections))
        full = len(batch) == MOST_ITEMS or size > MOST_BYTES or links > MOST_LINKS or len(collections) > MOST_COLLECTIONS
        if batch and full:
            yield batch
            batch, size, links = [], len(json.dumps(wire)), len(entry.collections)
            collections = set(with_parents(entry.collections))
        batch.append((number, wire))
    if batch:
        yield batch


def body(batch: Batch, entries: t.Mapping[int, Entry], known: t.Mapping[str, Members], key: bytes) -> dict[str, t.Any]:
    """Return the body of one request.

    Args:
        batch: encrypted items.
        entries: what they are.
        known: the organization's collections by name, C(id) and C(name) of each; others are created, and their parents, too.
        key: the organization's.
    """
    used = dict.fromkeys(name for number, _wire in batch for name in entries[number].collections)
    names = [*used, *(name for name in with_parents(used) if name not in known and name not in used)]
    place = {name: index for index, name in enumerate(names)}
    return {
        "ciphers": [wire for _number, wire in batch],
        "collections": [
            {"id": known[name]["id"], "name": known[name]["name"]}
            if name in known
            else {"id": None, "name": seal_text(name, key)}
            for name in names
        ],
        "collectionRelationships": [
            {"key": index, "value": place[name]}
            for index, (number, _wire) in enumerate(batch)
            for name in entries[number].collections
        ],
    }


def with_parents(names: t.Iterable[str]) -> list[str]:
    """Return names of collections and of those above them: C(a), C(a/b) and C(a/b/c) for C(a/b/c)."""
    found: dict[str, None] = {}
    for name in names:
        parts = name.split("/")
        found.update(dict.fromkeys("/".join(parts[:depth]) for depth in range(1, len(parts)) if parts[depth - 1].strip()))
        found[name] = None
    return list(found)
