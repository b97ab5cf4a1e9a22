"""The keys of a new account open with its master password, and with nothing else."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import master_key, password_hash
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.new_account import STANDARD, new_account, weakness

EMAIL, PASSWORD = "service@msp.example", "correct horse battery staple"


def test_the_whole_chain() -> None:
    account = new_account(EMAIL, PASSWORD)
    assert (account.kdf.type, account.kdf.iterations) == (0, 600_000)
    key = master_key(PASSWORD, EMAIL, STANDARD)
    assert account.password_hash == password_hash(key, PASSWORD)
    user_key = keys.unwrap_user_key(account.user_key, key)
    private = keys.open_private_key(account.pair.encrypted_private_key, user_key)
    assert base64.b64encode(keys.public_key_of(private)).decode() == account.pair.public_key
    for secret in (PASSWORD, account.password_hash, account.user_key, account.pair.encrypted_private_key):
        assert secret not in repr(account)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("eleven char", "shorter than 12"),
        ("abcabcabcabcabc", "repeats a few"),
        ("the Service of old", "the name in the e-mail address"),
        (PASSWORD, None),
    ],
)
def test_weak_master_passwords(password: str, says: str | None) -> None:
    found = weakness(password, EMAIL)
    assert (says in found) if says and found else found is says
