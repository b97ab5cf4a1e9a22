"""Items as they are sent, stored and shown.

Source: bitwarden/server Api/Vault/Models/Request/CipherRequestModel.cs, Response/CipherResponseModel.cs, Cipher*Model.cs.
"""

from __future__ import annotations

import json
import typing as t
import uuid

from tests.lab import encrypted
from tests.lab.core import World, crash, iso
from tests.lab.license_files import pascal
from tests.lab.state import Row
from tests.lab.web import Fields

_SHORT, _MEDIUM, _LONG = 1000, 5000, 10000
LOGIN, SSH_KEY = 1, 5

Ciphertexts = dict[str, int]  # name -> most characters


def _short(names: str) -> Ciphertexts:
    return dict.fromkeys(names.split(), _SHORT)


_FIDO2 = _short(
    "credentialId keyType keyAlgorithm keyCurve keyValue rpId rpName userHandle userName userDisplayName counter discoverable"
)
_PASSPORT = (
    "surname givenName dateOfBirth sex birthPlace nationality passportNumber passportType issuingCountry issuingAuthority"
    " issueDate expirationDate nationalIdentificationNumber"
)
_LICENSE = (
    "firstName middleName lastName dateOfBirth licenseNumber issuingCountry issuingState issueDate issuingAuthority"
    " expirationDate licenseClass"
)
_BANK = "bankName nameOnAccount accountType accountNumber routingNumber branchNumber pin swiftCode iban bankContactPhone"
_IDENTITY = (
    "title firstName middleName lastName address1 address2 address3 city state postalCode country company email phone ssn"
    " username passportNumber licenseNumber"
)
# Per type: its object, the ciphertexts in it, its other values
_KINDS: dict[int, tuple[str, Ciphertexts, tuple[str, ...]]] = {
    LOGIN: (
        "login",
        {"username": _SHORT, "password": _MEDIUM, "totp": _SHORT},
        ("passwordRevisionDate", "autofillOnPageLoad"),
    ),
    2: ("secureNote", {}, ("type",)),
    3: ("card", _short("cardholderName brand number expMonth expYear code"), ()),
    4: ("identity", _short(_IDENTITY), ()),
    SSH_KEY: ("sshKey", {"privateKey": _MEDIUM, "publicKey": _MEDIUM, "keyFingerprint": _SHORT}, ()),
    6: ("bankAccount", _short(_BANK), ()),
    7: ("driversLicense", _short(_LICENSE), ()),
    8: ("passport", _short(_PASSPORT), ()),
}
# list: the ciphertexts in its entries, other values, and which must be there
_LISTS: dict[str, tuple[Ciphertexts, tuple[str, ...], tuple[str, ...]]] = {
    "fields": ({"name": _SHORT, "value": _MEDIUM}, ("type", "linkedId"), ()),
    "passwordHistory": ({"password": _MEDIUM}, ("lastUsedDate",), ("password", "lastUsedDate")),
}
_LOGIN_LISTS: dict[str, tuple[Ciphertexts, tuple[str, ...], tuple[str, ...]]] = {
    "uris": ({"uri": _LONG, "uriChecksum": _LONG}, ("match",), ()),
    "fido2Credentials": (_FIDO2, ("creationDate",), ("creationDate",)),
}
_OBJECTS = [name for name, _unused, _unused2 in _KINDS.values()]


class Reading:
    """Reads items and remembers everything that is wrong with them, under the names that the server gives."""

    def __init__(self) -> None:
        self.problems: dict[str, list[str]] = {}

    def cipher(self, fields: Fields, at: str) -> Row:
        """Return an item's content; C(at) is where it stands, such as C(Ciphers[0].)."""
        kind = fields.get("type")
        found: Row = {"type": kind, **self._texts(fields, {"name": _SHORT, "notes": _LONG}, at, ("name",))}
        found |= {"favorite": bool(fields.get("favorite")), "reprompt": fields.get("reprompt") or 0}
        found |= self._texts(fields, {"key": _SHORT}, at)
        found |= {name: self._entries(fields, name, about, at) for name, about in _LISTS.items()}
        found |= {"archivedDate": fields.get("archivedDate"), **dict.fromkeys(_OBJECTS)}
        name, texts, others = _KINDS.get(kind, ("", {}, ()))
        inner = fields.get(name)
        if isinstance(inner, dict):
            found[name] = self._object(Fields(inner), kind, texts, others, f"{at}{pascal(name)}.")
        return found

    def _object(self, fields: Fields, kind: int, texts: Ciphertexts, others: tuple[str, ...], at: str) -> Row:
        found = {**self._texts(fields, texts, at), **{name: fields.get(name) for name in others}}
        if kind == LOGIN:
            found |= {name: self._entries(fields, name, about, at) for name, about in _LOGIN_LISTS.items()}
            found["uri"] = found["uris"][0]["uri"] if found["uris"] else None
        return found

    def _entries(
        self, fields: Fields, name: str, about: tuple[Ciphertexts, tuple[str, ...], tuple[str, ...]], at: str
    ) -> list[Row] | None:
        texts, others, required = about
        given = fields.get(name)
        if given is None:
            return None
        found = []
        for number, entry in enumerate(map(Fields, given)):
            here = f"{at}{pascal(name)}[{number}]."
            values = {other: entry.get(other) for other in others}
            self._demand({other: value for other, value in values.items() if other in required}, here)
            found.append({**self._texts(entry, texts, here, required), **values})
        return found

    def _texts(self, fields: Fields, texts: Ciphertexts, at: str, required: tuple[str, ...] = ()) -> Row:
        found = {name: fields.get(name) for name in texts}
        self._demand({name: value for name, value in found.items() if name in required}, at)
        for name, value in found.items():
            if value not in (None, "") and (wrong := encrypted.problem(pascal(name), value, texts[name])):
                self.problems.setdefault(at + pascal(name), []).append(wrong)
        return found

    def _demand(self, values: Row, at: str) -> None:
        for name, value in values.items():
            if value in (None, ""):
                self.problems.setdefault(at + pascal(name), []).append(f"The {pascal(name)} field is required.")


def new_cipher(world: World, organization_id: str, content: Row) -> Row:
    """Return a new item of an organization; without the object of its type, or with an unknown type, the server breaks."""
    name = _KINDS.get(content["type"], ("", {}, ()))[0]
    if not content.get(name):
        raise crash()
    now = iso(world.now())
    about = {"organizationId": organization_id, "creationDate": now, "revisionDate": now, "deletedDate": None}
    return {**content, **about, "id": str(uuid.uuid4())}


def mini(row: Row, kind: str = "cipherMini") -> Row:
    """Show an item without what belongs to a person."""
    names = ("id", "organizationId", "type", "name", "notes", *_OBJECTS, "fields", "passwordHistory")
    dates = ("revisionDate", "creationDate", "deletedDate")
    about = {"data": _data(row), "attachments": None, "organizationUseTotp": True, "reprompt": row["reprompt"], "key": row["key"]}
    return {"object": kind, **{name: row[name] for name in (*names, *dates)}, **about}


def _data(row: Row) -> str:
    """The old form of an item: JSON in a string, with names in PascalCase."""
    inner: Row = row[_KINDS[row["type"]][0]] if row["type"] in _KINDS else {}
    return json.dumps(_pascal({**inner, **{name: row[name] for name in ("name", "notes", *_LISTS)}}))


def _pascal(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {pascal(name): _pascal(inner) for name, inner in value.items()}
    return [_pascal(inner) for inner in value] if isinstance(value, list) else value


def mini_details(row: Row, collection_ids: list[str]) -> Row:
    """Show an item with its collections."""
    return {**mini(row, "cipherMiniDetails"), "collectionIds": collection_ids}


def details(row: Row, allowed: list[Row], collection_ids: list[str]) -> Row:
    """Show an item to somebody who has access to collections that it is in."""
    edit = any(not one["readOnly"] for one in allowed)
    permissions = {"delete": edit, "restore": edit}
    person = {"folderId": None, "favorite": False, "edit": edit, "archivedDate": None, "permissions": permissions}
    view = {"viewPassword": any(not one["hidePasswords"] for one in allowed), "collectionIds": collection_ids}
    return {**mini(row, "cipherDetails"), **person, **view}
