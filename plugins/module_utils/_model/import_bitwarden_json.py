# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bitwarden's JSON exports, of organizations and of persons; a person's folders count as collections.

Source: bitwarden/clients libs/importer/src/importers/bitwarden/bitwarden-json-importer.ts.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_READABLE = "Export it as .json, not as an encrypted file, and keep that in Ansible Vault."


def rows(text: str) -> t.Iterator[tuple[str, t.Any, list[t.Any]]]:
    """Yield each item's place, its members, and the names of its collections. Members and names may be anything."""
    document = _document(text)
    names = {}
    for group in (*_list(document, "collections"), *_list(document, "folders")):
        if isinstance(group, dict) and isinstance(group.get("id"), str):
            names[group["id"]] = group.get("name")
    for number, members in enumerate(_list(document, "items"), 1):
        ids = _groups(members) if isinstance(members, dict) else []
        # Those that the file does not have are skipped, as the official client does.
        yield f"item {number}", members, [names[one] for one in ids if isinstance(one, str) and one in names]


def _document(text: str) -> dict[str, t.Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SelfhostError(
            f"It is not JSON: {error.msg}.", field=place, remedy="Export it once more; it may be cut off."
        ) from None
    except (ValueError, RecursionError):
        raise SelfhostError("It is not JSON that an export could be.", remedy="Is this an export of Bitwarden?") from None
    if not isinstance(document, dict):
        raise SelfhostError("It is no object with items.", remedy="Is this an export of Bitwarden?")
    if document.get("passwordProtected"):
        raise SelfhostError("It is an export that is protected with a password.", remedy=_READABLE)
    if document.get("encrypted"):
        raise SelfhostError("It is an export that is encrypted with the key of an account.", remedy=_READABLE)
    if not isinstance(document.get("items"), list):
        raise SelfhostError("It has no list of items.", field="items", remedy="Is this an export of Bitwarden?")
    return document


def _list(members: dict[str, t.Any], name: str) -> list[t.Any]:
    found = members.get(name)
    return found if isinstance(found, list) else []


def _groups(members: dict[str, t.Any]) -> list[t.Any]:
    return [*_list(members, "collectionIds"), members.get("folderId")]
