"""Export files as Bitwarden's clients write them, with something in every member of every type."""

from __future__ import annotations

import csv
import io
import json
import typing as t

Members = dict[str, t.Any]

_IDENTITY = (
    "title firstName middleName lastName address1 address2 address3 city state postalCode country company email phone ssn"
    " username passportNumber licenseNumber"
)
_BANK = "bankName nameOnAccount accountType accountNumber routingNumber branchNumber pin swiftCode iban bankContactPhone"
_LICENSE = (
    "firstName middleName lastName dateOfBirth licenseNumber issuingCountry issuingState issueDate issuingAuthority"
    " expirationDate licenseClass"
)
_PASSPORT = (
    "surname givenName dateOfBirth sex birthPlace nationality passportNumber passportType issuingCountry issuingAuthority"
    " issueDate expirationDate nationalIdentificationNumber"
)
FIDO2 = "credentialId keyType keyAlgorithm keyCurve keyValue rpId rpName userHandle userName userDisplayName counter discoverable"
# The member of each type, and its texts.
TEXTS = {
    1: ("login", "username password totp"),
    2: ("secureNote", ""),
    3: ("card", "cardholderName brand number expMonth expYear code"),
    4: ("identity", _IDENTITY),
    5: ("sshKey", "privateKey publicKey keyFingerprint"),
    6: ("bankAccount", _BANK),
    7: ("driversLicense", _LICENSE),
    8: ("passport", _PASSPORT),
}
COLLECTIONS = ("Ops", "Ops/Db", "Sales")
DATE = "2026-01-02T03:04:05.678Z"


def value(number: int, name: str) -> str:
    """A text that nothing else has; every one of them is as secret as a password."""
    return f"s3cret-{number}-{name} äöü"


def item(number: int, kind: int) -> Members:
    """One item with everything that its type may have. Its name is the only text that may ever be shown."""
    member, texts = TEXTS[kind]
    content: Members = {name: value(number, name) for name in texts.split()}
    if kind == 1:
        passkey = {name: value(number, name) for name in FIDO2.split()}
        content |= {
            "uris": [{"uri": f"https://{value(number, 'host')}/{path}", "match": path} for path in range(2)],
            "fido2Credentials": [{**passkey, "counter": "0", "discoverable": "true", "creationDate": DATE}],
        }
    if kind == 2:
        content = {"type": 0}
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "organizationId": "00000000-0000-4000-8000-000000000000",
        "folderId": None,
        "collectionIds": [str(number % len(COLLECTIONS))],
        "type": kind,
        "reprompt": number % 2,
        "name": f"Item {number}",
        "notes": value(number, "notes"),
        "favorite": False,
        "fields": [{"name": value(number, "field"), "value": value(number, f"value {kind}"), "type": kind} for kind in range(2)]
        + [{"name": value(number, "linked"), "value": None, "type": 3, "linkedId": 100}],
        "passwordHistory": [{"password": value(number, f"old {age}"), "lastUsedDate": DATE} for age in range(2)],
        "creationDate": DATE,
        "revisionDate": DATE,
        "deletedDate": None,
        member: content,
    }


def organization_json(items: t.Sequence[Members]) -> str:
    """The JSON export of an organization."""
    collections = [{"id": str(place), "name": name, "externalId": None} for place, name in enumerate(COLLECTIONS)]
    return json.dumps({"encrypted": False, "collections": collections, "items": items}, indent=2)


def all_kinds(count: int = 40) -> list[Members]:
    """Items of all types in turn."""
    return [item(number, 1 + number % len(TEXTS)) for number in range(count)]


def organization_csv(count: int = 40) -> str:
    """The CSV export of an organization: logins and notes."""
    header = "collections type name notes fields reprompt login_uri login_username login_password login_totp".split()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for number in range(count):
        login = number % 2 == 0
        secrets = [value(number, name) for name in ("host", "username", "password", "totp")] if login else [""] * 4
        fields = f"{value(number, 'field')}: {value(number, 'value')}"
        place = COLLECTIONS[number % len(COLLECTIONS)]
        kind = "login" if login else "note"
        writer.writerow([place, kind, f"Item {number}", value(number, "notes"), fields, number % 2, *secrets])
    return text.getvalue()
