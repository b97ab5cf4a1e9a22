"""The lab's own cryptography. Nothing here comes from the product, so a mistake there cannot hide here.

Checked by the known-answer vectors (tests/contract/test_crypto.py) and by the official command line client.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import typing as t

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


def b64(data: bytes) -> str:
    """Return standard base64 text."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """Read standard base64 text strictly."""
    return base64.b64decode(text, validate=True)


def master_key(password: str, salt: str, kdf: t.Mapping[str, t.Any]) -> bytes:
    """Derive the 32 byte master key; C(kdf) has C(kdf), C(kdfIterations), C(kdfMemory) (MiB), C(kdfParallelism)."""
    clean = salt.strip().lower().encode()
    if kdf["kdf"] == 0:
        return hashlib.pbkdf2_hmac("sha256", password.encode(), clean, kdf["kdfIterations"])
    argon = Argon2id(
        salt=hashlib.sha256(clean).digest(),
        length=32,
        iterations=kdf["kdfIterations"],
        lanes=kdf["kdfParallelism"],
        memory_cost=kdf["kdfMemory"] * 1024,
    )
    return argon.derive(password.encode())


def password_hash(key: bytes, password: str) -> str:
    """Return the hash that is sent to the server."""
    return b64(hashlib.pbkdf2_hmac("sha256", key, password.encode(), 1))


def stretch(key: bytes) -> bytes:
    """Stretch a 32 byte master key to the 64 bytes that wrap the user key."""
    return b"".join(HKDFExpand(hashes.SHA256(), 32, info).derive(key) for info in (b"enc", b"mac"))


def encrypt(plain: bytes, key: bytes, iv: bytes | None = None) -> str:
    """Return an EncString of type 2 (AES-256-CBC, HMAC-SHA256) under a 64 byte key."""
    iv = iv or os.urandom(16)
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key[:32]), modes.CBC(iv)).encryptor()
    text = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()
    mac = hmac.digest(key[32:], iv + text, "sha256")
    return f"2.{b64(iv)}|{b64(text)}|{b64(mac)}"


def decrypt(text: str, key: bytes) -> bytes:
    """Open an EncString of type 2. Raises ValueError when it is not one, or not under this key."""
    kind, _unused, rest = text.partition(".")
    parts = rest.split("|")
    if kind != "2" or len(parts) != 3 or len(key) != 64:
        raise ValueError("not an EncString of type 2 for a 64 byte key")
    iv, ciphertext, mac = (unb64(part) for part in parts)
    if not hmac.compare_digest(mac, hmac.digest(key[32:], iv + ciphertext, "sha256")):
        raise ValueError("MAC mismatch")
    cipher = Cipher(algorithms.AES(key[:32]), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(cipher.update(ciphertext) + cipher.finalize()) + unpadder.finalize()


def wrap(key: bytes, public_key_b64: str) -> str:
    """Return an EncString of type 4 (RSA-OAEP-SHA1) for the owner of a public key (base64 SPKI)."""
    public = t.cast(RSAPublicKey, serialization.load_der_public_key(unb64(public_key_b64)))
    return f"4.{b64(public.encrypt(key, _OAEP))}"


def unwrap(text: str, private_key_b64: str) -> bytes:
    """Open an EncString of type 4 with a private key (base64 PKCS#8). Raises ValueError when it does not fit."""
    kind, _unused, rest = text.partition(".")
    if kind != "4":
        raise ValueError("not an EncString of type 4")
    return load_private(private_key_b64).decrypt(unb64(rest), _OAEP)


# Parts per EncString type; source: bitwarden/server src/Core/Utilities/EncryptedStringAttribute.cs
_PARTS = {0: 2, 1: 3, 2: 3, 3: 1, 4: 1, 5: 2, 6: 2, 7: 1}


def is_enc_string(text: str) -> bool:
    """Say whether a text has the shape of an EncString, as the server checks it."""
    kind, _unused, rest = text.partition(".")
    parts = rest.split("|")
    if not kind.isdecimal() or _PARTS.get(int(kind)) != len(parts):
        return False
    try:
        return all(unb64(part) for part in parts)
    except ValueError:
        return False


def new_pair() -> dict[str, str]:
    """Return a new RSA key pair as base64 texts: C(private) (PKCS#8) and C(public) (SPKI)."""
    key = generate_private_key(65537, 2048)
    unencrypted = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"private": b64(key.private_bytes(*unencrypted)), "public": b64(public)}


def load_private(private_key_b64: str) -> RSAPrivateKey:
    """Load an RSA private key (base64 PKCS#8) that this lab made itself."""
    key = serialization.load_der_private_key(unb64(private_key_b64), None, unsafe_skip_rsa_key_validation=True)
    return t.cast(RSAPrivateKey, key)


def rsa_sign(data: bytes, key: RSAPrivateKey) -> bytes:
    """Sign with RSA PKCS#1 v1.5 and SHA-256."""
    return key.sign(data, rsa_padding.PKCS1v15(), hashes.SHA256())


def rsa_verify(data: bytes, signature: bytes, key: RSAPublicKey) -> bool:
    """Check such a signature."""
    try:
        key.verify(signature, data, rsa_padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def jwt_encode(claims: t.Mapping[str, t.Any], key: RSAPrivateKey, typ: str) -> str:
    """Return a JWT signed with RS256."""
    header = {"alg": "RS256", "typ": typ}
    signed = ".".join(_url64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{signed}.{_url64(rsa_sign(signed.encode(), key))}"


def jwt_decode(token: str, key: RSAPublicKey) -> dict[str, t.Any] | None:
    """Return the claims of a JWT, or None when it is malformed or not signed with this key. Dates are not looked at."""
    try:
        signed, _unused, signature = token.rpartition(".")
        claims = json.loads(_unurl64(signed.split(".")[1]))
        genuine = rsa_verify(signed.encode(), _unurl64(signature), key)
    except (ValueError, IndexError):
        return None
    return claims if genuine and isinstance(claims, dict) else None


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unurl64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
