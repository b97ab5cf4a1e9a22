# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Items of a vault: in clear text as export files have them, encrypted as servers have them, and when two of them are the same.

Source: bitwarden/sdk-internal crates/bitwarden-vault/src/cipher/.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import typing as t
from dataclasses import dataclass, field
from functools import cached_property, partial

from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import decrypt
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import expand
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import longest_text, open_text, seal_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_schema import (
    DATE,
    FIELDS_ONLY,
    IDENTITIES,
    NOTE,
    REQUIRED,
    SCHEMAS,
    TYPES,
    Schema,
)

Members = t.Mapping[str, t.Any]
Leaf = t.Callable[[t.Any, t.Any, str], t.Any]

NO_NAME = "--"  # what the official clients call an item without a name
HISTORY = 5  # passwords that are kept


@dataclass(frozen=True)
class Item:
    """One item in clear text.

    Attributes:
        type: a key of C(TYPES).
        content: what it says, in the shape of C(SCHEMAS) and without what is empty. Secret but for C(name).
    """

    type: int
    content: Members = field(repr=False)

    @property
    def name(self) -> str:
        """How people call it."""
        return str(self.content["name"])


# --- from and to clear text ------------------------------------------------------------------------------------------


def read_item(members: Members) -> Item:
    """Read an item as Bitwarden's JSON has it. What the schema does not know is left out: ids, keys, dates, favourites.

    Raises:
        SelfhostError: something is wrong with a member, which is the error's field; its value is not shown.
    """
    kind = _known_type(members)
    if kind is None:
        known = ", ".join(f"{number} {member}" for number, (member, _schema) in TYPES.items())
        raise SelfhostError("The item's type is unknown.", field="type", remedy=f"Types are {known}.")
    content = _walk(SCHEMAS[kind], members, _checked) or {}
    for name in ("name", "notes"):
        if not content.get(name, "").strip():
            content.pop(name, None)
    if "passwordHistory" in content:
        content["passwordHistory"] = content["passwordHistory"][:HISTORY]
    _refuse_incomplete(content)
    return Item(kind, _with_defaults(kind, content))


def seal_item(item: Item, key: bytes) -> dict[str, t.Any]:
    """Encrypt an item with the organization's key, as requests have it."""

    def sealed(rule: t.Any, value: t.Any, _path: str) -> t.Any:
        return seal_text(value, key) if isinstance(rule, int) else value

    member = TYPES[item.type][0]
    wire: dict[str, t.Any] = _walk(SCHEMAS[item.type], item.content, sealed)
    wire.setdefault(member, {})
    for plain, uri in zip(item.content.get("login", {}).get("uris", ()), wire[member].get("uris", ())):
        if "uri" in plain:
            digest = hashlib.sha256(plain["uri"].encode()).digest()
            uri["uriChecksum"] = seal_text(base64.b64encode(digest).decode(), key)
    return {**wire, "type": item.type, "favorite": False, "key": None}


def open_item(wire: Members, key: bytes, part: Schema | None = None) -> Item:
    """Decrypt an item that a server returned, whether it has a key of its own or not.

    Args:
        wire: the item (C(GET ciphers/organization-details)).
        key: the organization's key.
        part: the only members that are wanted, to save the work of opening the others.

    Raises:
        SelfhostError: it cannot be read.
    """
    kind = _known_type(wire)
    if kind is None or not isinstance(wire.get("name"), str):
        raise SelfhostError("The item is of a kind that is unknown here.", remedy="Update the collection.")
    own = wire.get("key")
    opened = partial(_opened, decrypt(own, key) if own else key)
    return Item(kind, _with_defaults(kind, _walk(part or SCHEMAS[kind], wire, opened) or {}))


# --- when two items are the same -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recognition:
    """How an item is recognised: by what identifies its type, or by a custom field that was given to it for that.

    Attributes:
        key: the organization's key. Secret.
        custom_field: the custom field's name.
    """

    key: bytes = field(repr=False)
    custom_field: str | None = None

    def part(self, kind: int) -> Schema | None:
        """Return the members that are needed to recognise an item of a type; None for a type that is unknown here."""
        return FIELDS_ONLY if self.custom_field and kind in TYPES else IDENTITIES.get(kind)

    def fingerprint(self, item: Item) -> str | None:
        """Return what is the same for two items that are the same; None for one without the custom field.

        It tells nothing to those who have not got the organization's key, so it may be shown.
        """
        seen = self._by_field(item) if self.custom_field else self._by_content(item)
        if seen is None:
            return None
        return hmac.new(self._secret, json.dumps(seen).encode(), "sha256").hexdigest()[:32]

    @cached_property
    def _secret(self) -> bytes:
        return expand(self.key, b"bw.selfhost item", 32)

    def _by_field(self, item: Item) -> t.Any:
        fields = item.content.get("fields", ())
        return next((one["value"] for one in fields if one.get("name") == self.custom_field and one.get("value")), None)

    @staticmethod
    def _by_content(item: Item) -> t.Any:
        member = TYPES[item.type][0]
        seen = {"name": item.name.strip(), **item.content.get(member, {})}
        known = IDENTITIES[item.type][member]
        uris = sorted({uri.get("uri", "") for uri in seen.get("uris", ())})
        return [item.type, seen["name"], *(uris if name == "uris" else seen.get(name) for name in known)]


def differences(one: Members, other: Members, place: str = "") -> list[str]:
    """Return the names of the members in which two contents differ, such as C(login.password)."""
    found: list[str] = []
    for name in dict.fromkeys((*one, *other)):
        mine, theirs = one.get(name), other.get(name)
        if isinstance(mine, dict) or isinstance(theirs, dict):
            found += differences(mine or {}, theirs or {}, f"{place}{name}.")
        elif mine != theirs:
            found.append(place + name)
    return found


# --- one walk for all of them ----------------------------------------------------------------------------------------


def _walk(schema: t.Any, value: t.Any, leaf: Leaf, path: str = "") -> t.Any:
    """Return what a schema knows of a value, each single one turned by C(leaf), and without what is empty."""
    if value is None or value == "":
        return None
    if isinstance(schema, dict):
        _refuse_other(value, dict, "an object", path)
        dot = path and path + "."
        members = ((name, _walk(rule, value.get(name), leaf, dot + name)) for name, rule in schema.items())
        return {name: found for name, found in members if found is not None} or None
    if isinstance(schema, list):
        _refuse_other(value, list, "a list", path)
        elements = (_walk(schema[0], one, leaf, f"{path}[{number}]") for number, one in enumerate(value))
        return [found for found in elements if found is not None] or None
    return leaf(schema, value, path)


def _refuse_other(value: t.Any, kind: type, name: str, path: str) -> None:
    if not isinstance(value, kind):
        raise SelfhostError(f"It must be {name}.", field=path)


def _checked(rule: t.Any, value: t.Any, path: str) -> t.Any:
    """Return a single value of an export file if its rule allows it."""
    if isinstance(rule, range):
        if isinstance(value, bool) or not isinstance(value, int) or value not in rule:
            raise SelfhostError(f"It must be a number from {rule[0]} to {rule[-1]}.", field=path)
        return value
    _refuse_other(value, str, "a text", path)
    return _date(value, path) if rule == DATE else _short_enough(value, rule, path)


def _opened(key: bytes, rule: t.Any, value: t.Any, path: str) -> t.Any:
    if isinstance(rule, int):
        _refuse_other(value, str, "a text", path)
        return open_text(value, key) or None
    return _date(value, path) if rule == DATE else value


def _date(text: t.Any, path: str) -> str | None:
    try:
        return show_date(parse_date(str(text)))
    except ValueError:
        raise SelfhostError("It must be a date such as 2027-10-20T00:00:00Z.", field=path) from None


def _short_enough(text: str, limit: int, path: str) -> str:
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise SelfhostError("It holds characters that are no text (lone surrogates).", field=path) from None
    if length > longest_text(limit):
        cause = f"It has {length} bytes; servers take {longest_text(limit)} at most, because it grows when it is encrypted."
        raise SelfhostError(cause, field=path)
    return text


def _refuse_incomplete(content: Members) -> None:
    lists = {**content, **content.get("login", {})}
    for name, members in REQUIRED.items():
        for number, element in enumerate(lists.get(name, ())):
            missing = [member for member in members if member not in element]
            if missing:
                raise SelfhostError("It is missing.", field=f"{name}[{number}].{missing[0]}")


def _known_type(members: Members) -> int | None:
    kind = members.get("type")
    return kind if isinstance(kind, int) and not isinstance(kind, bool) and kind in TYPES else None


def _with_defaults(kind: int, content: dict[str, t.Any]) -> dict[str, t.Any]:
    """Fill in what servers return even if it was not said, and what clients say in place of nothing."""
    content.setdefault("name", NO_NAME)
    content.setdefault("reprompt", 0)
    if kind == NOTE:
        content.setdefault("secureNote", {"type": 0})
    for custom in content.get("fields", ()):
        custom.setdefault("type", 0)
    return content
