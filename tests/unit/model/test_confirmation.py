"""Who may be given a key."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.confirmation import Candidate, refusal, waits_for

from tests.unit.crypto.vectors import FIXTURE, VECTORS

OWNER = FIXTURE["owner"]
CANDIDATE = Candidate("row", "ann@client.example", OWNER["user_id"], OWNER["public_key_b64"])
PHRASE = next(case["phrase"] for case in VECTORS["fingerprint"] if case["id"] == "fp-owner")


def test_the_phrase_is_known_before_anything_is_sealed() -> None:
    assert CANDIDATE.phrase == PHRASE


def test_another_key_than_the_expected_one_is_refused() -> None:
    assert refusal(CANDIDATE, "users") is None
    assert refusal(dataclasses.replace(CANDIDATE, expected=PHRASE.replace("-", " ")), "users") is None
    problem = refusal(dataclasses.replace(CANDIDATE, expected="turban-deftly-anime-chatroom-unselfish"), "users")
    assert problem is not None
    assert PHRASE in problem.cause
    assert problem.field == "users"


@pytest.mark.parametrize(
    ("confirm", "domains", "expected", "reason"),
    [
        (True, [], None, ""),
        (True, ["client.example"], None, ""),
        (True, ["@CLIENT.example"], None, ""),
        (True, ["msp.example"], None, "client.example is not among confirm_domains, and no fingerprint is expected"),
        (True, ["msp.example"], PHRASE, ""),
        (True, ["example"], None, "client.example is not among confirm_domains, and no fingerprint is expected"),
        (False, [], PHRASE, "confirmation is switched off"),
    ],
)
def test_reasons_to_wait(confirm: bool, domains: list[str], expected: str | None, reason: str) -> None:
    assert waits_for(dataclasses.replace(CANDIDATE, expected=expected), confirm, domains) == reason
