# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The chain of keys: master key, user key, private key, and the keys of organizations and providers.

Source: bitwarden/sdk-internal crates/bitwarden-crypto/src/keys/ (b57d1bbbb); sizes are those of V1 encryption.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import (
    decrypt,
    decrypt_legacy,
    encrypt,
    not_the_same,
    seal,
    unseal,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import stretched_key
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

KEY_LENGTH = 64


@dataclass(frozen=True)
class KeyPair:
    """An organization's key pair as it is sent: base64 SubjectPublicKeyInfo, and PKCS#8 wrapped as type 2."""

    public_key: str
    encrypted_private_key: str


@dataclass(frozen=True)
class NewOrganization:
    """What a server must be given to create an organization; nothing in it is in clear text.

    Attributes:
        key: the organization key, sealed (type 4) with its creator's public key, or wrapped (type 2) with a provider's key.
        collection_name: the first collection's name, type 2 under the organization key.
        pair: the organization's own key pair.
    """

    key: str
    collection_name: str
    pair: KeyPair


def unwrap_user_key(wrapped: str, master_key: bytes) -> bytes:
    """Open the wrapped user key; a failure means that the master password is wrong.

    The result is 64 bytes, or longer for an account with V2 encryption.
    """
    if wrapped.startswith("0.") or wrapped.count("|") == 1:
        return decrypt_legacy(wrapped, master_key)
    return decrypt(wrapped, stretched_key(master_key))


def open_private_key(wrapped: str, user_key: bytes) -> bytes:
    """Open a user's or an organization's private key: PKCS#8 DER."""
    return decrypt(wrapped, user_key)


def public_key_of(private_key: bytes) -> bytes:
    """Return the public half (SubjectPublicKeyInfo DER) of a PKCS#8 DER private key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

    try:
        key = load_der_private_key(private_key, None)
    except ValueError:
        raise SelfhostError("The account's private key is damaged.") from None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def open_shared_key(sealed: str, private_key: bytes) -> bytes:
    """Open the organization key of a membership, or the provider key of a provider's user."""
    return _whole(unseal(sealed, private_key))


def open_client_key(wrapped: str, provider_key: bytes) -> bytes:
    """Open the organization key of a provider's client."""
    return _whole(decrypt(wrapped, provider_key))


def wrap_client_key(key: bytes, provider_key: bytes) -> str:
    """Wrap an organization key for a provider."""
    return encrypt(_whole(key), provider_key)


def seal_for(key: bytes, public_key: str) -> str:
    """Seal an organization or provider key for the owner of a public key (base64 SubjectPublicKeyInfo), who then is confirmed."""
    try:
        der = base64.b64decode(public_key, validate=True)
    except ValueError:
        raise SelfhostError("The public key is not base64.") from None
    return seal(_whole(key), der)


def new_key_pair(organization_key: bytes) -> KeyPair:
    """Make an organization's RSA key pair, its private half wrapped with the organization key."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    return KeyPair(base64.b64encode(public_key_of(private)).decode(), encrypt(private, organization_key))


def new_organization(private_key: bytes, collection_name: str) -> NewOrganization:
    """Make the keys of a new organization for the owner of a private key (PKCS#8 DER)."""
    key = os.urandom(KEY_LENGTH)
    sealed = seal(key, public_key_of(private_key))
    if unseal(sealed, private_key) != key:  # a server stores whatever it is given, and a wrong key locks people out
        raise not_the_same()
    return NewOrganization(sealed, encrypt(collection_name.encode(), key), new_key_pair(key))


def new_client_organization(provider_key: bytes, collection_name: str) -> NewOrganization:
    """Make the keys of a new client organization of a provider."""
    key = os.urandom(KEY_LENGTH)
    return NewOrganization(wrap_client_key(key, provider_key), encrypt(collection_name.encode(), key), new_key_pair(key))


def _whole(key: bytes) -> bytes:
    if len(key) != KEY_LENGTH:
        raise SelfhostError("The key of the organization or provider has an unknown form.", remedy="Update the collection.")
    return key
