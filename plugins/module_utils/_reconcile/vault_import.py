# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Items of an export file get into an organization, each once, however often the file is imported."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._model import import_file, import_match, import_request
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_file import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_match import Existing
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_item import Recognition
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_schema import NEW_TYPES
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.vault import Vault
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import find_workplace
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import RERUN, may_have_happened

Params = t.Mapping[str, t.Any]
Values = dict[str, t.Any]


def ensure(params: Params, check_mode: bool, progress: Progress) -> tuple[Plan, Values, list[str]]:
    """Import what is missing, and tell of each item in the file what has become of it."""
    source = "content" if params["content"] is not None else f"src ({params['src']})"
    entries = import_file.parse(_read(params), source, params["format"], params["target_collection"])
    workplace = find_workplace(params, progress)
    if not workplace.server.supports("new item types"):
        refuse_all([_too_new(entry, source) for entry in entries if entry.item.type in NEW_TYPES])
    recognition = Recognition(workplace.key, params["match_field"] if params["match"] == "field" else None)
    job = Job(Vault(workplace, recognition, progress), entries, source)
    job.look()
    missing = job.missing
    problems, said = job.ambiguous(missing), job.warnings(missing)
    new = job.new_collections(missing)
    if params["missing_collections"] == "fail":
        unknown, new = job.unknown(missing), []
        if check_mode:  # an earlier task may be about to create them
            said += map(str, unknown)
        else:
            problems += unknown
    refuse_all(problems)
    if missing and not check_mode:
        job.apply(missing, progress)
    if new and workplace.via_provider:
        said.append("Nobody manages the new collections, because a provider user has no place in the organization.")
    return import_match.plan(missing.values(), new), job.values(missing), said


class Job:
    """One file and one organization.

    Attributes:
        partners: for each entry the item that it is in the organization, None for one that is missing there.
    """

    def __init__(self, vault: Vault, entries: t.Sequence[Entry], source: str) -> None:
        self.vault = vault
        self.entries = entries
        self.source = source
        self.partners: t.Sequence[Existing | None] = []
        self._fingerprints = _fingerprints(entries, vault.recognition, source)

    # --- what is ---

    def look(self) -> None:
        """Read what the organization has, and find the entries in it."""
        self.vault.read_collections()
        existing = self.vault.read_items(frozenset(self._fingerprints))
        self.partners = import_match.pair(self.entries, self._fingerprints, existing)

    @property
    def missing(self) -> dict[int, Entry]:
        """The entries that the organization has not got, by number."""
        return {number: self.entries[number] for number, partner in enumerate(self.partners) if partner is None}

    def new_collections(self, missing: t.Mapping[int, Entry]) -> list[str]:
        """Return the names of the collections that have to be created, parents included."""
        return [name for name in import_request.with_parents(_needed(missing)) if name not in self.vault.collections]

    # --- what is wrong ---

    def unknown(self, missing: t.Mapping[int, Entry]) -> list[SelfhostError]:
        """Return a refusal for each collection that items need and the organization has not got."""
        remedy = "Create it (bw.selfhost.organization), or set missing_collections: create."
        return [
            SelfhostError(f"The organization has no collection {name!r}.", field=self.source, remedy=remedy)
            for name in _needed(missing)
            if name not in self.vault.collections
        ]

    def ambiguous(self, missing: t.Mapping[int, Entry]) -> list[SelfhostError]:
        """Return a refusal for each name that items need and several collections have."""
        return [
            SelfhostError(f"Several collections are called {name!r}.", field=self.source, remedy="Rename all but one.")
            for name in _needed(missing)
            if name in self.vault.repeated
        ]

    def warnings(self, missing: t.Mapping[int, Entry]) -> list[str]:
        """Return what the operator should know although it is no reason to stop."""
        said = []
        lost = sum(not entry.collections for entry in missing.values())
        if lost:
            said.append(
                f"{lost} items belong to no collection, where only owners and admins may see them: set target_collection."
            )
        strange = self.vault.unreadable
        if strange:
            said.append(
                f"{len(strange)} items of the organization cannot be decrypted here. If one of them is in the file, "
                f"it is imported as a new one. The first are {', '.join(strange[:5])}."
            )
        return said

    # --- what is done ---

    def apply(self, missing: t.Mapping[int, Entry], progress: Progress) -> None:
        """Import the missing items, and read back."""
        done = 0
        for batch in import_request.batches(missing, self.vault.workplace.key):
            self._import(batch, missing)
            done += len(batch)
            progress(f"{done} of {len(missing)} items are imported")
        self.look()
        if self.missing:
            raise SelfhostError(
                f"The server accepted the import, but {len(self.missing)} items are not there.", field=self.source, remedy=RERUN
            )

    def _import(self, batch: import_request.Batch, missing: t.Mapping[int, Entry]) -> None:
        """Send one request, once: a server that is only late would otherwise have everything twice."""
        try:
            self.vault.write(batch, missing)
        except Failure as error:
            if not may_have_happened(error):
                raise
            self.look()
            if any(self.partners[number] is None for number, _wire in batch):
                raise SelfhostError(error.cause, field=error.field, remedy=RERUN) from None

    # --- what is told ---

    def values(self, missing: t.Mapping[int, Entry]) -> Values:
        """Return what the module returns; C(missing) are the entries that were missing at first."""
        pairs = list(enumerate(zip(self.entries, self.partners)))
        return {
            "organization_id": self.vault.workplace.id,
            "imported": [import_match.told(entry, partner) for number, (entry, partner) in pairs if number in missing],
            "existing": [  # "skipped" is a word that Ansible takes for itself
                import_match.compared(entry, partner) for number, (entry, partner) in pairs if partner and number not in missing
            ],
        }


def _read(params: Params) -> bytes:
    if params["content"] is not None:
        return str(params["content"]).encode("utf-8", "surrogateescape")
    try:
        with open(params["src"], "rb") as file:
            return file.read()
    except OSError as error:
        raise SelfhostError(
            f"The file cannot be read: {error.strerror}.", field="src", remedy="It is read where the module runs."
        ) from None


def _too_new(entry: Entry, source: str) -> SelfhostError:
    return SelfhostError(
        f"The server does not know items of type {entry.item.type} yet.",
        field=f"{source}, {entry.place} ({entry.item.name[:50]})",
        remedy="Update it to 2026.4.0 or later, or leave the item out.",
    )


def _needed(missing: t.Mapping[int, Entry]) -> list[str]:
    return list(dict.fromkeys(name for entry in missing.values() for name in entry.collections))


def _fingerprints(entries: t.Sequence[Entry], recognition: Recognition, source: str) -> list[str]:
    """Return what identifies each entry; a custom field that is there for it has to be in each, with values of their own."""
    fingerprints = [recognition.fingerprint(entry.item) or "" for entry in entries]
    if recognition.custom_field:
        counts = Counter(fingerprints)
        remedy = f"Give each item a field {recognition.custom_field} with a value of its own, or set match: fingerprint."
        problems = [
            SelfhostError(
                "It lacks the field." if not one else "Another item has the same.",
                field=f"{source}, {entry.place}",
                remedy=remedy,
            )
            for entry, one in zip(entries, fingerprints)
            if not one or counts[one] > 1
        ]
        refuse_all(problems[: import_file.MOST_PROBLEMS])
    return fingerprints
