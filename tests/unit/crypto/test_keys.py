"""The chain of keys, from a master password down to an organization's private key."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import decrypt, encrypt, seal
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import Kdf, master_key
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings, strategies as st

from tests.unit.crypto.vectors import FIXTURE, VECTORS, cases

Case = dict[str, t.Any]
OWNER, MEMBER, ORGANIZATION, PROVIDER = (FIXTURE[name] for name in ("owner", "member", "organization", "provider"))
PRIVATE = base64.b64decode(OWNER["private_key_pkcs8_b64"])
PROVIDER_KEY = bytes.fromhex(PROVIDER["provider_key_hex"])


@pytest.mark.parametrize("case", cases("user_key_unwrap"))
def test_user_key(case: Case) -> None:
    key = master_key(case["password"], case["salt"], Kdf(case["kdf"], case["iterations"]))
    assert keys.unwrap_user_key(case["protected_user_key"], key).hex() == case["user_key_hex"]


@pytest.mark.parametrize("who", ["owner", "member"])
def test_whole_chain(who: str) -> None:
    """The official client accepted this account."""
    person = FIXTURE[who]
    user_key = keys.unwrap_user_key(person["protected_user_key"], bytes.fromhex(person["master_key_hex"]))
    private = keys.open_private_key(person["protected_private_key"], user_key)
    assert base64.b64encode(private).decode() == person["private_key_pkcs8_b64"]
    assert base64.b64encode(keys.public_key_of(private)).decode() == person["public_key_b64"]
    organization_key = keys.open_shared_key(ORGANIZATION[f"org_key_wrapped_for_{who}"], private)
    assert organization_key.hex() == ORGANIZATION["org_key_hex"]
    organization_private = keys.open_private_key(ORGANIZATION["protected_private_key"], organization_key)
    assert base64.b64encode(keys.public_key_of(organization_private)).decode() == ORGANIZATION["public_key_b64"]


def test_chain_through_a_provider() -> None:
    """User, provider, client organization, and the name of its first collection."""
    provider_key = keys.open_shared_key(PROVIDER["provider_key_wrapped_for_owner"], PRIVATE)
    assert provider_key == PROVIDER_KEY
    key = keys.open_client_key(PROVIDER["org_key_wrapped_by_provider_key"], provider_key)
    assert key.hex() == ORGANIZATION["org_key_hex"]
    assert decrypt(ORGANIZATION["default_collection_name_enc"], key).decode() == ORGANIZATION["default_collection_name"]
    assert decrypt(FIXTURE["collection"]["name_enc"], key).decode() == FIXTURE["collection"]["name"]


def test_client_key_belongs_to_one_provider() -> None:
    with pytest.raises(SelfhostError, match="does not belong to this key"):
        keys.open_client_key(PROVIDER["org_key_wrapped_by_provider_key"], b"o" * 64)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=5, deadline=None)  # each makes an RSA key
def test_new_client_opens_for_its_provider(name: str) -> None:
    new = keys.new_client_organization(PROVIDER_KEY, name)
    key = keys.open_client_key(new.key, PROVIDER_KEY)
    assert decrypt(new.collection_name, key).decode() == name
    private = keys.open_private_key(new.pair.encrypted_private_key, key)
    assert base64.b64encode(keys.public_key_of(private)).decode() == new.pair.public_key
    assert keys.open_client_key(keys.wrap_client_key(key, PROVIDER_KEY), PROVIDER_KEY) == key


def test_confirmed_member_opens_the_key() -> None:
    sealed = keys.seal_for(PROVIDER_KEY, MEMBER["public_key_b64"])
    assert keys.open_shared_key(sealed, base64.b64decode(MEMBER["private_key_pkcs8_b64"])) == PROVIDER_KEY
    with pytest.raises(SelfhostError, match="does not belong to this private key"):
        keys.open_shared_key(sealed, PRIVATE)


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        pytest.param("no key!", "not base64", id="text"),
        pytest.param("AAAA", "not an RSA key", id="bytes"),
        pytest.param(public(ec.generate_private_key(ec.SECP256R1())), "not an RSA key", id="elliptic"),
        pytest.param(public(rsa.generate_private_key(65537, 1024)), "1024 bits", id="short"),  # that is the point
    ],
)
def test_no_key_is_sealed_for_less_than_an_rsa_key(key: str, said: str) -> None:
    with pytest.raises(SelfhostError, match=said):
        keys.seal_for(PROVIDER_KEY, key)


@pytest.mark.parametrize(
    "make", [lambda: keys.seal_for(b"short", MEMBER["public_key_b64"]), lambda: keys.wrap_client_key(b"", PROVIDER_KEY)]
)
def test_no_other_key_is_handed_out(make: t.Callable[[], str]) -> None:
    with pytest.raises(SelfhostError, match="unknown form"):
        make()


@pytest.mark.parametrize("case", cases("user_key_unwrap"))
def test_wrong_master_password(case: Case) -> None:
    with pytest.raises(SelfhostError, match="does not belong to this key"):
        keys.unwrap_user_key(case["protected_user_key"], b"\0" * 32)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=5, deadline=None)  # each makes an RSA key
def test_new_organization_opens_for_its_owner(name: str) -> None:
    new = keys.new_organization(PRIVATE, name)
    key = keys.open_shared_key(new.key, PRIVATE)
    assert (new.key[:2], new.collection_name[:2], new.pair.encrypted_private_key[:2]) == ("4.", "2.", "2.")
    assert decrypt(new.collection_name, key).decode() == name
    private = keys.open_private_key(new.pair.encrypted_private_key, key)
    assert base64.b64encode(keys.public_key_of(private)).decode() == new.pair.public_key


def test_every_organization_has_its_own_key() -> None:
    first, second = (keys.open_shared_key(keys.new_organization(PRIVATE, "").key, PRIVATE) for _unused in range(2))
    assert first != second


def test_private_key_of_a_v2_account_is_refused_by_name() -> None:
    with pytest.raises(SelfhostError, match="type 7: COSE"):
        keys.open_private_key(VECTORS["type7_cose_v2_account"][0]["enc_string"], bytes.fromhex(OWNER["user_key_hex"]))


def test_damaged_keys() -> None:
    with pytest.raises(SelfhostError, match="damaged"):
        keys.public_key_of(b"no key at all")
    short = seal(b"too short", keys.public_key_of(PRIVATE))
    with pytest.raises(SelfhostError, match="unknown form"):
        keys.open_shared_key(short, PRIVATE)
    with pytest.raises(SelfhostError, match="damaged"):
        keys.public_key_of(keys.open_private_key(encrypt(b"no key", b"k" * 64), b"k" * 64))
