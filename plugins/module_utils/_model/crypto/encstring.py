# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bitwarden's encrypted strings: C(type.part|part|part), each part in base64.

Source: bitwarden/sdk-internal crates/bitwarden-crypto/src/enc_string/ and rsa.rs (b57d1bbbb).
"""

from __future__ import annotations

import base64
import hmac
import os
import typing as t
from dataclasses import dataclass, field
from functools import cache

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import OAEP

AES_CBC = 0
AES_CBC_HMAC = 2
RSA_OAEP_SHA1 = 4
RSA_BITS = 2048  # every official client makes keys of this size

# Type -> number of parts. 5 and 6 are 3 and 4 with a MAC that every client ignores.
_PARTS = {AES_CBC: 2, AES_CBC_HMAC: 3, 3: 1, RSA_OAEP_SHA1: 1, 5: 2, 6: 2}
_REFUSED = {
    1: "AES-128-CBC with HMAC, which Bitwarden has removed",
    7: "COSE, which only accounts with the new V2 encryption use",
}


@dataclass(frozen=True)
class EncString:
    """A parsed encrypted string."""

    type: int
    parts: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> EncString:
        """Parse the text form; a type that cannot be read is refused by its name."""
        kind, body = _header(text)
        if kind in _REFUSED:
            raise SelfhostError(
                f"The encrypted string has type {kind}: {_REFUSED[kind]}. This collection does not read it.",
                remedy="Use an account with V1 encryption, such as a service account registered for automation.",
            )
        if kind not in _PARTS:
            raise SelfhostError("The encrypted string has an unknown type.", remedy="Update the collection.")
        pieces = body.split("|")
        if len(pieces) != _PARTS[kind]:
            raise SelfhostError(f"The encrypted string of type {kind} has {len(pieces)} parts instead of {_PARTS[kind]}.")
        return cls(kind, tuple(_base64(piece) for piece in pieces))

    def __str__(self) -> str:
        return f"{self.type}." + "|".join(base64.b64encode(part).decode() for part in self.parts)


def encrypt(plain: bytes, key: bytes) -> str:
    """Encrypt with a 64-byte key: type 2, a fresh IV each time.

    The result is decrypted again before it is handed out: a server stores whatever it is given.
    """
    _refuse_length(key, 64)
    iv = os.urandom(16)
    secret = _cbc(iv, key[:32], _padded(plain), "encryptor")
    text = str(EncString(AES_CBC_HMAC, (iv, secret, _mac(key, iv, secret))))
    if decrypt(text, key) != plain:
        raise not_the_same()
    return text


def not_the_same() -> SelfhostError:
    """The refusal to hand out what does not decrypt to what was encrypted."""
    return SelfhostError("What was just encrypted cannot be opened again; nothing was sent.", remedy="Run it once more.")


def decrypt(text: str, key: bytes) -> bytes:
    """Decrypt type 2 with a 64-byte key. Anything weaker is refused, as it would be a downgrade."""
    parsed = EncString.parse(text)
    if parsed.type != AES_CBC_HMAC:
        raise SelfhostError(f"The encrypted string has type {parsed.type}; only type 2 may be opened with this key.")
    _refuse_length(key, 64)
    iv, secret, mac = parsed.parts
    if not hmac.compare_digest(mac, _mac(key, iv, secret)):
        raise SelfhostError("The encrypted string does not belong to this key, or it was altered.")
    return _unpadded(_cbc(iv, key[:32], secret, "decryptor"))


def decrypt_legacy(text: str, key: bytes) -> bytes:
    """Decrypt type 0 (no MAC) with a 32-byte key: only for the wrapped user key of a very old account."""
    parsed = EncString.parse(text)
    if parsed.type != AES_CBC:
        raise SelfhostError(f"The encrypted string has type {parsed.type} instead of 0.")
    _refuse_length(key, 32)
    iv, secret = parsed.parts
    return _unpadded(_cbc(iv, key, secret, "decryptor"))


def seal(plain: bytes, public_key: bytes) -> str:
    """Encrypt a key for the owner of an RSA public key (SubjectPublicKeyInfo DER): type 4."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(public_key)
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise SelfhostError("The public key is not an RSA key.")
    if key.key_size < RSA_BITS:
        raise SelfhostError(f"The public key has {key.key_size} bits; less than {RSA_BITS} is not accepted.")
    return str(EncString(RSA_OAEP_SHA1, (key.encrypt(plain, _oaep(RSA_OAEP_SHA1)),)))


def unseal(text: str, private_key: bytes) -> bytes:
    """Decrypt types 3 to 6 with an RSA private key (PKCS#8 DER)."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    parsed = EncString.parse(text)
    if parsed.type in (AES_CBC, AES_CBC_HMAC):
        raise SelfhostError(f"The encrypted string has type {parsed.type}, which an RSA key does not open.")
    try:
        key = load_der_private_key(private_key, None)
        if isinstance(key, RSAPrivateKey):
            return key.decrypt(parsed.parts[0], _oaep(parsed.type))
    except ValueError:
        pass
    raise SelfhostError("The encrypted string does not belong to this private key, or it was altered.")


def _oaep(kind: int) -> OAEP:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP

    # SHA-1 is what the format prescribes for types 4 and 6; in OAEP its collisions do no harm.
    digest = hashes.SHA256() if kind in (3, 5) else hashes.SHA1()
    return OAEP(MGF1(digest), digest, None)


def _header(text: str) -> tuple[int, str]:
    head, dot, body = text.partition(".")
    if not dot:  # strings from before types existed
        return (1 if text.count("|") == 2 else 0), text
    return (int(head) if head in map(str, range(10)) else -1), body


def _base64(piece: str) -> bytes:
    try:
        value = base64.b64decode(piece.encode("ascii"), validate=True)
    except ValueError:
        value = b""
    if not value:
        raise SelfhostError("The encrypted string is damaged: a part of it is not base64.")
    return value


def _refuse_length(key: bytes, length: int) -> None:
    if len(key) != length:
        raise SelfhostError(f"The key is {len(key)} bytes long instead of {length}.")


def _mac(key: bytes, iv: bytes, secret: bytes) -> bytes:
    return hmac.digest(key[32:], iv + secret, "sha256")


def _cbc(iv: bytes, key: bytes, data: bytes, direction: str) -> bytes:
    cipher, aes, cbc = _library()
    try:
        worker = getattr(cipher(aes(key), cbc(iv)), direction)()
        return bytes(worker.update(data) + worker.finalize())
    except ValueError:
        raise SelfhostError("The encrypted string is damaged: its length is wrong.") from None


@cache
def _library() -> tuple[t.Any, t.Any, t.Any]:
    """Return what encrypts. To import it anew takes as long as to encrypt a text, of which an import of items has many."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    return Cipher, AES, CBC


def _padded(plain: bytes) -> bytes:
    missing = 16 - len(plain) % 16
    return plain + bytes([missing]) * missing


def _unpadded(padded: bytes) -> bytes:
    missing = padded[-1] if padded else 0
    if not 1 <= missing <= 16 or padded[-missing:] != bytes([missing]) * missing:
        raise SelfhostError("The encrypted string does not belong to this key, or it was altered.")
    return padded[:-missing]
