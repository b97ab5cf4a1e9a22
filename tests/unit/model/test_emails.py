"""What counts as an e-mail address, and as the same one."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.emails import is_email, refusals


@pytest.mark.parametrize("text", ["ann@example.com", "Ann.O'Neil+vault@mail.example.co.uk", "a@b.c", "ümlaut@bücher.example"])
def test_addresses(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@example.",
        "ann@@example.com",
        "ann@.example.com",
        "ann @example.com",
        "Ann <ann@example.com>",
        "ann@example.com, bob@example.com",
        "ann@example..com",
        "ann@example.com\n",
        "a" * 251 + "@b.com",
    ],
)
def test_no_addresses(text: str | None) -> None:
    assert not is_email(text)


def test_refusals() -> None:
    assert refusals(["ann@example.com", "bob@example.com"], "users") == []
    said = [str(problem) for problem in refusals(["ann@example.com", "Ann@Example.com", "bob"], "users")]
    assert said == [
        "users: 'bob' is not an e-mail address. Write it as name@domain.",
        "users: 'ann@example.com' is named twice; case does not count. Name each person once.",
    ]
