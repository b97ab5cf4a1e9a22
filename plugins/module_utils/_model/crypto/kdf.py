# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a master password to the keys and the hash that Bitwarden derives from it.

Source: bitwarden/sdk-internal crates/bitwarden-crypto/src/keys/{kdf,master_key,utils}.rs (b57d1bbbb).
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

PBKDF2 = 0
ARGON2ID = 1
_NAMES = {PBKDF2: "PBKDF2", ARGON2ID: "Argon2id"}

# Lowest value the official clients use (a lower one hints at an attack), highest one a server lets an account choose.
_LIMITS: dict[int, dict[str, tuple[int, int]]] = {
    PBKDF2: {"iterations": (5000, 2_000_000)},
    ARGON2ID: {"iterations": (2, 10), "memory": (16, 1024), "parallelism": (1, 16)},
}


@dataclass(frozen=True)
class Kdf:
    """How an account turns its master password into a key.

    Attributes:
        type: C(0) PBKDF2-HMAC-SHA256 or C(1) Argon2id.
        iterations: rounds.
        memory: MiB, Argon2id only.
        parallelism: lanes, Argon2id only.
    """

    type: int
    iterations: int
    memory: int | None = None
    parallelism: int | None = None

    def refuse_weak(self) -> None:
        """Raise when the server asks for parameters that no honest server uses."""
        if self.type not in _LIMITS:
            raise SelfhostError(f"The account uses key derivation type {self.type}, which is unknown.", remedy=_UPDATE)
        for name, (lowest, highest) in _LIMITS[self.type].items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
                raise SelfhostError(
                    f"The server asks for {_NAMES[self.type]} {name} {value}; only {lowest} to {highest} is accepted.",
                    remedy="A lower value may be an attack on the master password: check that this is the right server.",
                )


_UPDATE = "Update the collection, or use an account with PBKDF2 or Argon2id."


def normalised_salt(email: str) -> bytes:
    """Return the salt as the clients use it: trimmed, lower case, UTF-8."""
    return email.strip().lower().encode("utf-8", "surrogateescape")


def master_key(password: str, salt: str, kdf: Kdf) -> bytes:
    """Derive the 32-byte master key. C(salt) is the account's salt, or its e-mail address."""
    kdf.refuse_weak()
    derive = _pbkdf2_master_key if kdf.type == PBKDF2 else _argon2id
    try:
        return derive(_bytes(password), normalised_salt(salt), kdf)
    except ImportError as error:
        raise SelfhostError(
            f"The Python library {error.name} is missing.", remedy="Install it where the task runs: pip install cryptography."
        ) from None


def password_hash(key: bytes, password: str) -> str:
    """Return what proves the master password to the server, the wire's C(masterPasswordHash)."""
    return base64.b64encode(_pbkdf2(key, _bytes(password), 1)).decode()


def stretched_key(key: bytes) -> bytes:
    """Stretch the 32-byte master key to the 64 bytes that wrap the user key."""
    return expand(key, b"enc", 32) + expand(key, b"mac", 32)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-256 (RFC 5869 2.3), without the extract step."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def _bytes(password: str) -> bytes:
    # The bytes as they were typed: Bitwarden's own libraries do not normalise Unicode either.
    return password.encode("utf-8", "surrogateescape")


def _pbkdf2(secret: bytes, salt: bytes, iterations: int) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    return PBKDF2HMAC(hashes.SHA256(), 32, salt, iterations).derive(secret)


def _pbkdf2_master_key(password: bytes, salt: bytes, kdf: Kdf) -> bytes:
    return _pbkdf2(password, salt, kdf.iterations)


def _argon2id(password: bytes, salt: bytes, kdf: Kdf) -> bytes:
    """Argon2id 1.3 from whichever library has it; both give the same bytes."""
    from cryptography.exceptions import UnsupportedAlgorithm

    digest = hashlib.sha256(salt).digest()
    libraries: tuple[t.Callable[[bytes, bytes, Kdf], bytes], ...] = (_argon2id_of_cryptography, _argon2id_of_argon2_cffi)
    for derive in libraries:
        try:
            return derive(password, digest, kdf)
        except (ImportError, UnsupportedAlgorithm):
            continue
    raise SelfhostError(
        "The account uses Argon2id, which no installed Python library offers.",
        remedy="Install cryptography 44 or later, or argon2-cffi, where the task runs.",
    )


def _argon2id_of_cryptography(password: bytes, salt: bytes, kdf: Kdf) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    lanes, memory = t.cast(int, kdf.parallelism), t.cast(int, kdf.memory)
    return Argon2id(salt=salt, length=32, iterations=kdf.iterations, lanes=lanes, memory_cost=memory * 1024).derive(password)


def _argon2id_of_argon2_cffi(password: bytes, salt: bytes, kdf: Kdf) -> bytes:
    argon2: t.Any = importlib.import_module("argon2.low_level")
    lanes, memory = t.cast(int, kdf.parallelism), t.cast(int, kdf.memory)
    key = argon2.hash_secret_raw(password, salt, kdf.iterations, memory * 1024, lanes, 32, argon2.Type.ID, version=0x13)
    return bytes(key)
