# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The keys of a new account, and which master passwords are too weak for one.

Source: bitwarden/sdk-internal crates/bitwarden-crypto/src/keys/ (b57d1bbbb); limits of the web vault's registration.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import encrypt
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import (
    PBKDF2,
    Kdf,
    master_key,
    password_hash,
    stretched_key,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.keys import KEY_LENGTH, KeyPair, new_key_pair

STANDARD = Kdf(PBKDF2, 600_000)  # the least that a server takes today, and what the official clients choose
MIN_LENGTH = 12
MIN_DIFFERENT = 6


@dataclass(frozen=True)
class NewAccount:
    """What a server must be given to create an account; nothing in it is in clear text.

    Attributes:
        kdf: how the master key is derived.
        password_hash: the wire's C(masterPasswordHash). Secret.
        user_key: wrapped by the stretched master key, type 2.
        pair: the account's key pair.
    """

    kdf: Kdf
    password_hash: str = field(repr=False)
    user_key: str = field(repr=False)
    pair: KeyPair = field(repr=False)


def new_account(email: str, password: str) -> NewAccount:
    """Make the keys of a new account."""
    key, user_key = master_key(password, email, STANDARD), os.urandom(KEY_LENGTH)
    wrapped = encrypt(user_key, stretched_key(key))
    return NewAccount(STANDARD, password_hash(key, password), wrapped, new_key_pair(user_key))


def weakness(password: str, email: str) -> str | None:
    """Say what makes a master password too weak for a new account."""
    if len(password) < MIN_LENGTH:
        return f"The master password is shorter than {MIN_LENGTH} characters."
    if len(set(password)) < MIN_DIFFERENT:
        return "The master password repeats a few characters."
    if email.partition("@")[0].lower() in password.lower():
        return "The master password contains the name in the e-mail address."
    return None
