# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collections and items of one organization, decrypted as far as somebody asks for them."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from ansible_collections.bw.selfhost.plugins.module_utils._client import ciphers
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._model import import_request
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_file import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_match import Existing
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_item import Item, Recognition, open_item
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.organization_read import name_of
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import Workplace

Wire = t.Mapping[str, t.Any]
OFTEN = 5000  # items between two words about them


class Vault:
    """What an organization holds.

    Attributes:
        collections: by full name, as the server returned them.
        repeated: names that several collections have.
        unreadable: ids of items that cannot be decrypted here.
    """

    def __init__(self, workplace: Workplace, recognition: Recognition, progress: Progress) -> None:
        self.workplace = workplace
        self.recognition = recognition
        self.collections: dict[str, Wire] = {}
        self.repeated: set[str] = set()
        self.unreadable: list[str] = []
        self._progress = progress
        self._names: dict[str, str] = {}  # of collections, by id

    def read_collections(self) -> None:
        """Read the names of the collections."""
        self.collections, self.repeated = {}, set()
        for wire in self.workplace.collections():
            name = name_of(wire, self.workplace.key)
            if name in self.collections:
                self.repeated.add(name)
            self.collections[name] = wire
            self._names[wire["id"]] = name

    def read_items(self, wanted: t.Container[str]) -> dict[str, list[Existing]]:
        """Return the items with the wanted fingerprints, by fingerprint; what is in the trash does not count."""
        self.unreadable = []
        found = defaultdict(list)
        for number, wire in enumerate(ciphers.listed(self.workplace.server, self.workplace.id), 1):
            if number % OFTEN == 0:
                self._progress(f"{number} items of the organization are read")
            fingerprint = None if wire.get("deletedDate") else self._fingerprint(wire)
            if fingerprint is not None and fingerprint in wanted:
                names = tuple(self._names.get(id, id) for id in wire.get("collectionIds") or ())
                found[fingerprint].append(Existing(wire["id"], names, self._item(wire)))
        return found

    def write(self, batch: import_request.Batch, entries: t.Mapping[int, Entry]) -> None:
        """Create items and, with them, the collections that they need."""
        body = import_request.body(batch, entries, self.collections, self.workplace.key)
        ciphers.import_items(self.workplace.server, self.workplace.id, body)
        if any(collection["id"] is None for collection in body["collections"]):
            self.read_collections()

    def _fingerprint(self, wire: Wire) -> str | None:
        part = self.recognition.part(wire["type"])
        if part is None:  # of a newer server, and so in no file
            return None
        try:
            return self.recognition.fingerprint(open_item(wire, self.workplace.key, part))
        except SelfhostError:
            self.unreadable.append(wire["id"])
            return None

    def _item(self, wire: Wire) -> Item:
        try:
            return open_item(wire, self.workplace.key)
        except SelfhostError:  # a damaged note does not make it another item
            return open_item(wire, self.workplace.key, self.recognition.part(wire["type"]))
