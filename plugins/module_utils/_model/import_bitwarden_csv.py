# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bitwarden's CSV exports, of organizations and of persons; a person's folder counts as a collection.

Source: bitwarden/clients libs/importer/src/importers/{bitwarden-csv-importer,base-importer}.ts.
"""

from __future__ import annotations

import csv
import io
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_schema import LOGIN, NOTE

# Names that columns had in older exports.
_OLD = {"uri": "login_uri", "username": "login_username", "password": "login_password", "totp": "login_totp"}
_NEEDED = ("name", "login_uri", "login_username", "login_password")
_KNOWN = {*_NEEDED, "collections", "folder", "favorite", "type", "notes", "fields", "reprompt", "login_totp", "archivedDate"}
_LONGEST_URI = 1000


def rows(text: str) -> t.Iterator[tuple[str, t.Any, list[t.Any]]]:
    """Yield each item's place, its members in the shape of the JSON export, and the names of its collections."""
    reader = csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")), strict=True)
    header = _header(_next(reader) or [])
    line = reader.line_num + 1
    while (row := _next(reader)) is not None:
        if row:
            if len(row) != len(header):
                cause = f"It has {len(row)} columns, the header has {len(header)}."
                raise SelfhostError(
                    cause, field=f"line {line}", remedy="Put quotation marks around values with commas or line ends."
                )
            columns = dict(zip(header, row))
            yield f"line {line}", _members(columns), _collections(columns)
        line = reader.line_num + 1


def _next(reader: t.Any) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise SelfhostError(
            f"It is not CSV: {error}.", field=f"line {reader.line_num}", remedy="Look at the quotation marks there."
        ) from None


def _header(row: list[str]) -> list[str]:
    header = [_OLD.get(name.strip(), name.strip()) for name in row]
    missing = [name for name in _NEEDED if name not in header]
    strange = [name for name in header if name not in _KNOWN or header.count(name) > 1]
    if missing or strange:
        lacks = f"lacks {', '.join(missing)}" if missing else ""
        knows = f"has unknown or repeated columns: {', '.join(strange)[:200]}" if strange else ""
        raise SelfhostError(
            f"The header {' and '.join(filter(None, (lacks, knows)))}.",
            field="line 1",
            remedy="Name the columns as Bitwarden's own export does, and leave out others.",
        )
    return header


def _members(columns: t.Mapping[str, str]) -> dict[str, t.Any]:
    reprompt = columns.get("reprompt", "").strip()
    common = {
        "name": columns["name"],
        "notes": columns.get("notes"),
        "reprompt": {"": 0, "0": 0, "1": 1}.get(reprompt, reprompt),
        "fields": _fields(columns.get("fields", "")),
    }
    if columns.get("type", "").lower() == "note":
        return {**common, "type": NOTE}
    login = {name: columns.get(f"login_{name}") for name in ("username", "password", "totp")}
    login = {name: value for name, value in login.items() if value and value.strip()}
    return {**common, "type": LOGIN, "login": {**login, "uris": _uris(columns["login_uri"])}}


def _fields(text: str) -> list[dict[str, t.Any]]:
    """Read C(name: value) lines; a name may hold the separator, a value may not."""
    parts = [line.rpartition(": ") for line in text.split("\n")]
    return [{"type": 0, "name": name, "value": value} for name, separator, value in parts if separator]


def _uris(text: str) -> list[dict[str, str]]:
    """Read the list of URIs, which is a row of CSV by itself."""
    reader = csv.reader([text.replace("\n", " ")])
    uris = (uri.strip() for uri in _next(reader) or ())
    return [{"uri": _complete(uri)[:_LONGEST_URI]} for uri in uris if uri]


def _complete(uri: str) -> str:
    return f"http://{uri}" if "://" not in uri and "." in uri else uri


def _collections(columns: t.Mapping[str, str]) -> list[t.Any]:
    names = [*columns.get("collections", "").split(","), columns.get("folder", "")]
    return [name for name in (name.replace("\\", "/").lstrip("/") for name in names) if name.strip()]
