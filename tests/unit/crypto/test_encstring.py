"""Encrypted strings: known answers, round trips, and everything that must be refused."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import (
    EncString,
    decrypt,
    decrypt_legacy,
    encrypt,
    seal,
    unseal,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings, strategies as st

from tests.unit.crypto.vectors import FIXTURE, VECTORS, at, cases

Case = dict[str, t.Any]
KEY = bytes(range(64))
NEGATIVE = {case["id"]: case for case in VECTORS["negative"]}
OWNER = base64.b64decode(FIXTURE["owner"]["private_key_pkcs8_b64"])
OWNER_PUBLIC = base64.b64decode(FIXTURE["owner"]["public_key_b64"])
MEMBER = base64.b64decode(FIXTURE["member"]["private_key_pkcs8_b64"])


@pytest.mark.parametrize("case", cases("encstring_type2"))
def test_known_type_2(case: Case) -> None:
    assert decrypt(case["enc_string"], bytes.fromhex(case["key_hex"])).decode() == case["plaintext"]


@pytest.mark.parametrize("case", cases("rsa_type4"))
def test_known_type_4(case: Case) -> None:
    sealed = case["enc_string"] if case["enc_string"].startswith("4.") else at(case["enc_string"])
    assert unseal(sealed, base64.b64decode(at(case["private_key"]))).hex() == case["plaintext_hex"]


def test_item_and_collection_names_of_the_fixture() -> None:
    key = bytes.fromhex(FIXTURE["organization"]["org_key_hex"])
    assert decrypt(FIXTURE["collection"]["name_enc"], key).decode() == FIXTURE["collection"]["name"]
    assert decrypt(FIXTURE["organization"]["default_collection_name_enc"], key) == b"Default collection"


@given(st.binary(max_size=200), st.binary(min_size=64, max_size=64))
@settings(deadline=None)
def test_type_2_round_trip(plain: bytes, key: bytes) -> None:
    assert decrypt(encrypt(plain, key), key) == plain


@given(st.binary(max_size=100))
@settings(max_examples=25, deadline=None)
def test_type_4_round_trip(plain: bytes) -> None:
    assert unseal(seal(plain, OWNER_PUBLIC), OWNER) == plain


def test_encrypting_twice_never_looks_the_same() -> None:
    assert encrypt(b"same", KEY) != encrypt(b"same", KEY)


@given(st.binary(max_size=40), st.integers(0, 10_000), st.integers(1, 255))
@settings(deadline=None)
def test_any_flipped_bit_is_noticed(plain: bytes, where: int, flip: int) -> None:
    parsed = EncString.parse(encrypt(plain, KEY))
    parts = list(parsed.parts)
    index = where % 3
    part = bytearray(parts[index])
    part[where % len(part)] ^= flip
    parts[index] = bytes(part)
    with pytest.raises(SelfhostError, match="altered"):
        decrypt(str(EncString(2, tuple(parts))), KEY)


@given(st.text(max_size=120) | st.from_regex(r"[0-9]\.[A-Za-z0-9+/=|]{0,80}", fullmatch=True))
@settings(deadline=None)
def test_no_text_whatever_crashes_the_parser(text: str) -> None:
    readers: tuple[tuple[t.Callable[[str, bytes], bytes], bytes], ...] = (
        (decrypt, KEY),
        (decrypt_legacy, KEY[:32]),
        (unseal, OWNER),
    )
    for read, key in readers:
        with pytest.raises(SelfhostError):
            read(text, key)


@pytest.mark.parametrize("kind", [3, 4, 5, 6])
def test_all_rsa_types_are_read(kind: int) -> None:
    public = load_der_public_key(OWNER_PUBLIC)
    assert isinstance(public, rsa.RSAPublicKey)
    from cryptography.hazmat.primitives.hashes import SHA1

    digest = SHA256() if kind in (3, 5) else SHA1()
    secret = public.encrypt(b"key", padding.OAEP(padding.MGF1(digest), digest, None))
    parts = (secret,) if kind < 5 else (secret, b"an ignored mac")
    assert unseal(str(EncString(kind, parts)), OWNER) == b"key"


def test_text_without_a_type() -> None:
    two = "QQ==|QQ=="
    assert EncString.parse(two).type == 0
    with pytest.raises(SelfhostError, match="type 1"):
        EncString.parse(two + "|QQ==")


def test_altered_mac_of_the_vectors() -> None:
    with pytest.raises(SelfhostError, match="altered"):
        decrypt(NEGATIVE["neg-mac"]["enc_string"], KEY)


def test_downgrade_to_type_0_is_refused() -> None:
    with pytest.raises(SelfhostError, match="only type 2"):
        decrypt(NEGATIVE["neg-downgrade"]["enc_string"], KEY)
    with pytest.raises(SelfhostError, match="64 bytes long instead of 32"):
        decrypt_legacy(NEGATIVE["neg-downgrade"]["enc_string"], KEY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NEGATIVE["neg-type"]["enc_string"], "unknown type"),
        ("99.QQ==", "unknown type"),
        ("x.QQ==", "unknown type"),
        ("1.QQ==|QQ==|QQ==", "type 1: AES-128"),
        (VECTORS["type7_cose_v2_account"][0]["enc_string"], "type 7: COSE"),
        ("2.QQ==|QQ==", "2 parts instead of 3"),
        ("2.QQ==|Q Q==|QQ==", "not base64"),
        ("2.QQ==||QQ==", "not base64"),
        ("2.QQ==|é|QQ==", "not base64"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, says: str) -> None:
    with pytest.raises(SelfhostError, match=says) as caught:
        decrypt(text, KEY)
    assert "QQ" not in str(caught.value)


def test_wrong_keys() -> None:
    sealed = FIXTURE["organization"]["org_key_wrapped_for_owner"]
    with pytest.raises(SelfhostError, match="private key"):
        unseal(sealed, MEMBER)
    with pytest.raises(SelfhostError, match="RSA key does not open"):
        unseal(encrypt(b"", KEY), OWNER)
    with pytest.raises(SelfhostError, match="private key"):
        unseal(sealed, b"no key at all")
    with pytest.raises(SelfhostError, match="not an RSA key"):
        seal(b"", b"no key at all")
    with pytest.raises(SelfhostError, match="63 bytes"):
        encrypt(b"", KEY[:63])


def test_no_secret_in_repr() -> None:
    text = encrypt(b"canary", KEY)
    assert repr(EncString.parse(text)) == "EncString(type=2)"
