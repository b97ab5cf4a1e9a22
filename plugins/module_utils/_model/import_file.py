# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Export files of Bitwarden's clients: which format it is, and the items in them as the official importer would read them.

Source: bitwarden/clients libs/importer/src/services/import.service.ts.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model import import_bitwarden_csv, import_bitwarden_json
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import longest_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_item import NO_NAME, Item, read_item
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_schema import LOGIN

FORMATS = {"bitwarden_json": import_bitwarden_json.rows, "bitwarden_csv": import_bitwarden_csv.rows}
MOST_ITEMS = 100_000
MOST_PROBLEMS = 20  # a file of the wrong kind has one in each item
_COLLECTION_NAME = 1000  # characters of the encrypted name


@dataclass(frozen=True)
class Entry:
    """One item of a file, the place where it stands, and the collections it belongs to by their full names."""

    place: str
    item: Item
    collections: tuple[str, ...]


def parse(data: bytes, source: str, file_format: str = "auto", target: str | None = None) -> list[Entry]:
    """Read an export file.

    Args:
        data: the file; UTF-8, with or without a byte order mark.
        source: what errors call it.
        file_format: a key of C(FORMATS), or C(auto).
        target: the collection that the file's collections are put under, and that items without one go to.

    Raises:
        SelfhostError: C(field) is the place in the file, by item or line; all problems are told together.
    """
    problems: list[SelfhostError] = []
    try:
        entries = _entries(_decoded(data), file_format, target, problems)
    except SelfhostError as error:
        raise _at(error, source) from None
    refuse_all([_at(problem, source) for problem in problems])
    return entries


def _entries(text: str, file_format: str, target: str | None, problems: list[SelfhostError]) -> list[Entry]:
    if file_format == "auto":
        file_format = "bitwarden_json" if text.lstrip()[:1] in ("{", "[") else "bitwarden_csv"
    entries: list[Entry] = []
    for place, members, collections in FORMATS[file_format](text):
        if len(entries) + len(problems) == MOST_ITEMS:
            raise SelfhostError(f"It has more than {MOST_ITEMS:,} items.", remedy="Divide it into several files.")
        try:
            entries.append(_entry(place, members, collections, target))
        except SelfhostError as error:
            problems.append(_at(error, _called(place, members)))
            if len(problems) == MOST_PROBLEMS:
                break
    if not problems:
        _refuse_useless([entry.item for entry in entries])
    return entries


def _at(error: SelfhostError, place: str) -> SelfhostError:
    return SelfhostError(error.cause, field=f"{place}, {error.field}" if error.field else place, remedy=error.remedy)


def _decoded(data: bytes) -> str:
    if data.startswith(b"$ANSIBLE_VAULT"):
        remedy = "Give content: \"{{ lookup('ansible.builtin.unvault', path) }}\" instead of src."
        raise SelfhostError("It is encrypted with Ansible Vault.", remedy=remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SelfhostError(f"It is not UTF-8 (line {line}, byte {error.start}).", remedy="Save it as UTF-8.") from None
    if not text.strip():
        raise SelfhostError("It is empty.", remedy="Export the items once more.")
    return text


def _entry(place: str, members: t.Any, collections: t.Sequence[t.Any], target: str | None) -> Entry:
    if not isinstance(members, dict):
        raise SelfhostError("It must be an object.", field="the item itself")
    names = [_collection(name) for name in collections]
    if target:
        names = [f"{target}/{name}" for name in names] or [target]
    return Entry(place, read_item(members), tuple(dict.fromkeys(names)))


def _collection(name: t.Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise SelfhostError("The name of a collection must be a text.", field="collections")
    length = len(name.strip().encode("utf-8", "replace"))
    if length > longest_text(_COLLECTION_NAME):
        cause = f"The name of a collection has {length} bytes; servers take {longest_text(_COLLECTION_NAME)} at most."
        raise SelfhostError(cause, field="collections")
    return name.strip()


def _called(place: str, members: t.Any) -> str:
    name = members.get("name") if isinstance(members, dict) else None
    return f"{place} ({name[:50]})" if isinstance(name, str) and name.strip() else place


def _refuse_useless(items: t.Sequence[Item]) -> None:
    """Raise when the first, the middle and the last item say nothing, as the official client does."""
    if not items:
        raise SelfhostError("There are no items in it.", remedy="Export the items once more.")
    if all(_says_nothing(items[index]) for index in (0, len(items) // 2, -1)):
        raise SelfhostError("Its items have neither names nor passwords.", remedy="Is this an export of Bitwarden?")


def _says_nothing(item: Item) -> bool:
    password = item.content.get("login", {}).get("password", "")
    return item.type == LOGIN and item.name == NO_NAME and not password.strip()
