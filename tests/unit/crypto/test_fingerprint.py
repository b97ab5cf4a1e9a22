"""Fingerprint phrases, as the official clients show them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.fingerprint import phrase, same
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.words_data import WORDS
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from hypothesis import given, strategies as st

from tests.unit.crypto.vectors import at, cases

Case = dict[str, t.Any]


def test_the_list_is_whole() -> None:
    assert len(WORDS) == len(set(WORDS)) == 7776
    assert (WORDS[0], WORDS[-1]) == ("abacus", "zoom")


@pytest.mark.parametrize("case", cases("fingerprint"))
def test_phrase(case: Case) -> None:
    key = case.get("public_key_spki_b64") or at(case["public_key"])
    assert phrase(case["material"], key) == case["phrase"]
    assert [WORDS[index] for index in case["word_indices"]] == case["phrase"].split("-")


def test_phrase_is_of_one_person() -> None:
    key = at("account_fixture.owner.public_key_b64")
    assert phrase("22222222-2222-4222-8222-222222222222", key) != phrase("11111111-1111-4111-8111-111111111111", key)


def test_damaged_key() -> None:
    with pytest.raises(SelfhostError, match="not base64"):
        phrase("11111111-1111-4111-8111-111111111111", "no key!")


@given(st.lists(st.sampled_from(WORDS), min_size=5, max_size=5))
def test_same_however_it_is_written(words: list[str]) -> None:
    assert same(" ".join(words).title(), "-".join(words))
    assert not same("-".join(words), "-".join([*words, "abacus"]))
