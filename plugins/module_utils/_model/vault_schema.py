# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What items consist of, as tables: which members each type has, which of them are encrypted, and how long they may be.

Source: bitwarden/server src/Api/Vault/Models/ (Cipher*Model.cs, Request/CipherRequestModel.cs).
"""

from __future__ import annotations

import typing as t

# A schema is a dictionary of members, a list with the schema of its elements, or one of these rules for a single value: a number
# is the longest ciphertext of an encrypted text, a range what a plain number may be, and DATE a plain date. What exports do not
# tell is not in them: when a password was changed, whether it is filled in by itself.
Schema = dict[str, t.Any]
DATE = "date"


def _texts(names: str) -> Schema:
    return dict.fromkeys(names.split(), 1000)


LOGIN, NOTE, CARD, IDENTITY, SSH_KEY, BANK_ACCOUNT, DRIVERS_LICENSE, PASSPORT = range(1, 9)
NEW_TYPES = (BANK_ACCOUNT, DRIVERS_LICENSE, PASSPORT)  # servers of 2026.4 and later

_FIDO2 = _texts(
    "credentialId keyType keyAlgorithm keyCurve keyValue rpId rpName userHandle userName userDisplayName counter discoverable"
)
# Type -> the member with what only this type has, and that member's schema.
TYPES: dict[int, tuple[str, Schema]] = {
    LOGIN: (
        "login",
        {
            "username": 1000,
            "password": 5000,
            "totp": 1000,
            "uris": [{"uri": 10000, "match": range(6)}],
            "fido2Credentials": [{**_FIDO2, "creationDate": DATE}],
        },
    ),
    NOTE: ("secureNote", {"type": range(1)}),
    CARD: ("card", _texts("cardholderName brand number expMonth expYear code")),
    IDENTITY: (
        "identity",
        _texts(
            "title firstName middleName lastName address1 address2 address3 city state postalCode country company email phone "
            "ssn username passportNumber licenseNumber"
        ),
    ),
    SSH_KEY: ("sshKey", {"privateKey": 5000, "publicKey": 5000, "keyFingerprint": 1000}),
    BANK_ACCOUNT: (
        "bankAccount",
        _texts("bankName nameOnAccount accountType accountNumber routingNumber branchNumber pin swiftCode iban bankContactPhone"),
    ),
    DRIVERS_LICENSE: (
        "driversLicense",
        _texts(
            "firstName middleName lastName dateOfBirth licenseNumber issuingCountry issuingState issueDate issuingAuthority "
            "expirationDate licenseClass"
        ),
    ),
    PASSPORT: (
        "passport",
        _texts(
            "surname givenName dateOfBirth sex birthPlace nationality passportNumber passportType issuingCountry "
            "issuingAuthority issueDate expirationDate nationalIdentificationNumber"
        ),
    ),
}
_COMMON: Schema = {
    "name": 1000,
    "notes": 10000,
    "reprompt": range(2),
    "fields": [{"name": 1000, "value": 5000, "type": range(4), "linkedId": range(100, 419)}],
    "passwordHistory": [{"password": 5000, "lastUsedDate": DATE}],
}
SCHEMAS: dict[int, Schema] = {kind: {**_COMMON, member: schema} for kind, (member, schema) in TYPES.items()}

# What the server refuses to be without: list -> members of each element.
REQUIRED = {"passwordHistory": ("password", "lastUsedDate"), "fido2Credentials": ("creationDate",)}

# What tells two items of a type apart, beside their names.
IDENTIFYING: dict[int, tuple[str, ...]] = {
    LOGIN: ("username", "uris"),
    NOTE: (),
    CARD: ("number",),
    IDENTITY: ("firstName", "lastName", "email"),
    SSH_KEY: ("publicKey", "keyFingerprint"),
    BANK_ACCOUNT: ("accountNumber", "iban"),
    DRIVERS_LICENSE: ("licenseNumber",),
    PASSPORT: ("passportNumber",),
}
IDENTITIES: dict[int, Schema] = {
    kind: {"name": 1000, member: {name: schema[name] for name in IDENTIFYING[kind]}} for kind, (member, schema) in TYPES.items()
}
FIELDS_ONLY: Schema = {"fields": [{"name": 1000, "value": 5000}]}
