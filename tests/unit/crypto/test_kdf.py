"""Key derivation gives the known answers and refuses weak parameters."""

from __future__ import annotations

import importlib.util
import sys
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import kdf as product
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import (
    ARGON2ID,
    PBKDF2,
    Kdf,
    expand,
    master_key,
    normalised_salt,
    password_hash,
    stretched_key,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

from tests.unit.crypto.vectors import FIXTURE, VECTORS, cases

Case = dict[str, t.Any]


def parameters(case: Case) -> Kdf:
    return Kdf(case["kdf"], case["iterations"], case["memory"], case["parallelism"])


@pytest.mark.parametrize("case", [*cases("master_key"), *(pytest.param(FIXTURE[who], id=who) for who in ("owner", "member"))])
def test_master_key(case: Case) -> None:
    salt = case.get("salt") or case["email"]
    assert master_key(case["password"], salt, parameters(case)).hex() == case["master_key_hex"]


@pytest.mark.parametrize("case", cases("master_password_hash"))
def test_password_hash(case: Case) -> None:
    key = master_key(case["password"], case["salt"], parameters(case))
    assert password_hash(key, case["password"]) == case["server_hash_b64"]


@pytest.mark.parametrize("case", cases("stretched_key"))
def test_stretched_key(case: Case) -> None:
    key = stretched_key(bytes.fromhex(case["master_key_hex"]))
    assert key.hex() == case["enc_key_hex"] + case["mac_key_hex"]


@pytest.mark.parametrize("case", cases("hkdf_expand"))
def test_expand(case: Case) -> None:
    assert expand(bytes.fromhex(case["prk_hex"]), case["info"].encode(), case["length"]).hex() == case["okm_hex"]


def test_salt_is_trimmed_and_lower_case() -> None:
    assert normalised_salt(" TEST@bitwarden.com") == b"test@bitwarden.com"


WEAK = [case for case in VECTORS["negative"] if "kdf" in case]


@pytest.mark.parametrize(
    "weak",
    [
        *(Kdf(case["kdf"], case["iterations"], case.get("memory"), case.get("parallelism")) for case in WEAK),
        Kdf(PBKDF2, 2_000_001),
        Kdf(PBKDF2, True),
        Kdf(ARGON2ID, 1, 64, 4),
        Kdf(ARGON2ID, 3, 64, 0),
        Kdf(ARGON2ID, 3, None, 4),
        Kdf(ARGON2ID, 3, 4096, 4),
    ],
    ids=str,
)
def test_weak_or_absurd_parameters_are_refused(weak: Kdf) -> None:
    with pytest.raises(SelfhostError, match=r"only .* is accepted") as caught:
        master_key("password", "someone@example.com", weak)
    assert "right server" in str(caught.value.remedy)


def test_unknown_derivation_is_named() -> None:
    with pytest.raises(SelfhostError, match="type 2, which is unknown"):
        master_key("password", "someone@example.com", Kdf(2, 600_000))


def test_oldest_accounts_are_read() -> None:
    assert len(master_key("password", "someone@example.com", Kdf(PBKDF2, 5000))) == 32


# Where each library keeps Argon2id; argon2-cffi is optional.
ARGON2 = {"cryptography": "cryptography.hazmat.primitives.kdf.argon2", "argon2": "argon2.low_level"}
INSTALLED = [name for name in ARGON2 if importlib.util.find_spec(name) and importlib.util.find_spec(ARGON2[name])]


class TestLibraries:
    """What happens where a library is old or missing: the import itself is made to fail, as it would there."""

    CASE: t.ClassVar[Case] = next(case for case in VECTORS["master_key"] if case["id"] == "mk-argon2id-4-32-2")

    @pytest.mark.parametrize("library", INSTALLED)
    def test_argon2_of_each_library(self, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for other in set(ARGON2) - {library}:
            monkeypatch.setitem(sys.modules, ARGON2[other], None)
        key = master_key(self.CASE["password"], self.CASE["salt"], parameters(self.CASE))
        assert key.hex() == self.CASE["master_key_hex"]

    def test_argon2_without_any_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ARGON2.values():
            monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(SelfhostError, match="Argon2id") as caught:
            master_key(self.CASE["password"], self.CASE["salt"], parameters(self.CASE))
        assert "argon2-cffi" in str(caught.value.remedy)

    def test_cryptography_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
        with pytest.raises(SelfhostError, match=r"cryptography.* is missing"):
            master_key("password", "someone@example.com", Kdf(PBKDF2, 5000))


def test_password_with_bytes_that_are_not_text() -> None:
    """Ansible hands such bytes over as surrogates; they count as they were typed."""
    assert product.password_hash(b"k" * 32, b"\xff".decode("utf-8", "surrogateescape"))
