"""The lab's own cryptography against the known answers."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.lab import crypto

VECTORS: dict[str, t.Any] = json.loads((Path(__file__).parents[1] / "data" / "crypto-vectors.json").read_text())


def kdf(vector: dict[str, t.Any]) -> dict[str, t.Any]:
    """A vector's parameters under the API's names."""
    names = {"kdf": "kdf", "iterations": "kdfIterations", "memory": "kdfMemory", "parallelism": "kdfParallelism"}
    return {ours: vector[theirs] for theirs, ours in names.items()}


@pytest.mark.parametrize("vector", VECTORS["master_password_hash"], ids=lambda vector: vector["id"])
def test_master_password_hash(vector: dict[str, t.Any]) -> None:
    """Both key derivations, up to what is sent to the server."""
    key = crypto.master_key(vector["password"], vector["salt"], kdf(vector))
    assert crypto.password_hash(key, vector["password"]) == vector["server_hash_b64"]


def test_an_account_from_password_to_organization_key() -> None:
    """Password, user key, private key, organization key, collection name."""
    account, organization = VECTORS["account_fixture"]["owner"], VECTORS["account_fixture"]["organization"]
    key = crypto.master_key(account["password"], account["email"], kdf(account))
    user_key = crypto.decrypt(account["protected_user_key"], crypto.stretch(key))
    assert user_key.hex() == account["user_key_hex"]
    private = crypto.b64(crypto.decrypt(account["protected_private_key"], user_key))
    organization_key = crypto.unwrap(organization["org_key_wrapped_for_owner"], private)
    assert organization_key.hex() == organization["org_key_hex"]
    name = crypto.decrypt(organization["default_collection_name_enc"], organization_key)
    assert name.decode() == organization["default_collection_name"]


@pytest.mark.parametrize("vector", VECTORS["encstring_type2"], ids=lambda vector: vector["id"])
def test_type_2_both_ways(vector: dict[str, t.Any]) -> None:
    """Encryption with a given IV gives the known text, and opens again."""
    key, text = bytes.fromhex(vector["key_hex"]), vector["plaintext"].encode()
    assert crypto.encrypt(text, key, bytes.fromhex(vector["iv_hex"])) == vector["enc_string"]
    assert crypto.decrypt(vector["enc_string"], key) == text


@pytest.mark.parametrize("vector", [v for v in VECTORS["negative"] if "enc_string" in v], ids=lambda vector: vector["id"])
def test_what_must_not_open_does_not(vector: dict[str, t.Any]) -> None:
    """Changed MAC, downgrade, unknown type."""
    with pytest.raises(ValueError, match=r"MAC mismatch|not an EncString"):
        crypto.decrypt(vector["enc_string"], bytes.fromhex(vector.get("key_hex", "00" * 64)))


@pytest.mark.parametrize("text", ["", "2", "2.", "2.a|b", "2.AAAA|AAAA", "2.AAAA|AAAA|A", "9.AAAA", "AAAA", "4.AAAA|AAAA"])
def test_enc_string_shape_refuses(text: str) -> None:
    """Number of parts for the type, and base64 in each."""
    assert not crypto.is_enc_string(text)


@pytest.mark.parametrize("text", ["2.AAAA|AAAA|AAAA", "4.AAAA", "0.AAAA|AAAA", "7.AAAA"])
def test_enc_string_shape_accepts(text: str) -> None:
    """The content is not looked at."""
    assert crypto.is_enc_string(text)
