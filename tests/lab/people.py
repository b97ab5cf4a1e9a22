"""Scripted people: their passwords, keys and accounts."""

from __future__ import annotations

import functools
import hashlib
import json
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.lab import crypto
from tests.lab.state import Row

KEYS: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "keys.json").read_text())

# As quick as the official client accepts; a real account has 600000.
PBKDF2: Row = {"kdf": 0, "kdfIterations": 5000, "kdfMemory": None, "kdfParallelism": None}
ARGON2ID: Row = {"kdf": 1, "kdfIterations": 2, "kdfMemory": 16, "kdfParallelism": 1}


@dataclass(frozen=True)
class Person:
    """Somebody with an account on one server, and everything that person knows."""

    server: str
    email: str
    name: str
    master_password: str
    user_id: str
    client_id: str
    client_secret: str


def guid(label: str) -> str:
    """Return the same GUID for the same label, always."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"lab:{label}"))


def secret(label: str, length: int = 30) -> str:
    """Return the same random-looking letters and digits for the same label, always."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    digest = hashlib.shake_256(label.encode()).digest(length)
    return "".join(alphabet[byte % len(alphabet)] for byte in digest)


def key64(label: str) -> bytes:
    """Return the same 64 key bytes for the same label, always."""
    return hashlib.shake_256(f"key {label}".encode()).digest(64)


# label: (server, e-mail, name, master password, key derivation)
_CAST: dict[str, tuple[str, str, str, str, Row]] = {
    "cloud_owner": ("eu", "owner@example.com", "Olivia Owner", "cloud master password 1", PBKDF2),
    "provider_user": ("eu", "provider@example.net", "Petra Provider", "provider master password 1", PBKDF2),
    "service_user": ("eu", "service@example.net", "Sam Service", "service master password 1", PBKDF2),
    "alpha_owner": ("eu", "owner@alpha.example", "Alma Owner", "alpha master password 1", PBKDF2),
    "family": ("eu", "family@example.org", "Fay Family", "family master password 1", PBKDF2),
    "owner": ("selfhost", "owner@example.com", "Olivia Owner", "local master password 1", PBKDF2),
    "ann": ("selfhost", "ann@example.com", "Ann Member", "ann master password 1", PBKDF2),
    "bob": ("selfhost", "bob@example.com", "Bob Member", "bob master password 1", ARGON2ID),
}


def person(label: str) -> Person:
    """Return somebody of the cast."""
    server, email, name, password, _unused = _CAST[label]
    user_id = guid(f"user {label}")
    return Person(server, email, name, password, user_id, f"user.{user_id}", secret(f"api key {label}"))


PEOPLE = {label: person(label) for label in _CAST}


def user_row(label: str) -> Row:
    """Return the account of somebody of the cast, as its server stores it."""
    who, kdf = PEOPLE[label], _CAST[label][4]
    return {**account(who, kdf, key64(f"user {label}"), KEYS[label]), "id": who.user_id, "apiKey": who.client_secret}


def account(who: Person, kdf: Row, user_key: bytes, pair: t.Mapping[str, str]) -> Row:
    """Return a new account: what a client sends at registration plus what the server adds."""
    password_hash, stretched = _derive(who.email, who.master_password, *kdf.values())
    return {
        "email": who.email,
        "name": who.name,
        "emailVerified": True,
        **kdf,
        "salt": who.email,
        "passwordHash": password_hash,
        "key": crypto.encrypt(user_key, stretched),
        "publicKey": pair["public"],
        "privateKey": crypto.encrypt(crypto.unb64(pair["private"]), user_key),
        "securityStamp": guid(f"stamp {who.server} {who.email}"),
    }


@functools.cache
def _derive(email: str, password: str, *kdf: t.Any) -> tuple[str, bytes]:
    key = crypto.master_key(password, email, dict(zip(PBKDF2, kdf, strict=True)))
    return crypto.password_hash(key, password), crypto.stretch(key)
