"""Items of a file and items of an organization: counted, told apart, and put into requests."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import import_request
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import open_text, seal_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_file import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_match import Existing, compared, pair, plan, told
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_item import open_item, read_item
from hypothesis import given, strategies as st

KEY = bytes(range(64))


def entry(name: str, password: str = "", *collections: str) -> Entry:
    return Entry("item", read_item({"type": 1, "name": name, "login": {"password": password}}), collections)


def existing(id: str, name: str, password: str = "", *collections: str) -> Existing:
    return Existing(id, collections, entry(name, password).item)


def paired(entries: t.Sequence[Entry], there: t.Sequence[Existing]) -> list[str | None]:
    """The ids of the partners; here the name is the fingerprint."""
    groups: dict[str, list[Existing]] = {}
    for one in there:
        groups.setdefault(one.item.name, []).append(one)
    return [partner.id if partner else None for partner in pair(entries, [one.item.name for one in entries], groups)]


# --- pairs -----------------------------------------------------------------------------------------------------------


def test_equal_items_are_counted() -> None:
    assert paired([entry("a")] * 3, [existing("1", "a"), existing("2", "a"), existing("3", "b")]) == ["1", "2", None]
    assert paired([entry("a")], [existing("1", "a"), existing("2", "a")]) == ["1"]
    assert paired([entry("a"), entry("b")], []) == [None, None]


def test_what_is_more_alike_goes_first() -> None:
    mine = [entry("a", "new"), entry("a", "p", "B"), entry("a", "p", "A")]
    there = [existing("1", "a", "old"), existing("2", "a", "p", "A"), existing("3", "a", "p", "C")]
    assert paired(mine, there) == ["1", "3", "2"]
    assert paired(mine, there[1:]) == [None, "3", "2"]


@given(st.lists(st.sampled_from("ab")), st.lists(st.sampled_from("ab")))
def test_nobody_has_two_partners(mine: list[str], there: list[str]) -> None:
    found = paired([entry(name) for name in mine], [existing(str(number), name) for number, name in enumerate(there)])
    partners = [one for one in found if one is not None]
    assert len(set(partners)) == len(partners)
    for name in "ab":
        missing = sum(one is None for one, called in zip(found, mine, strict=True) if called == name)
        assert missing == max(0, mine.count(name) - there.count(name))


def test_many_equal_items_cost_no_more_than_others() -> None:
    """They would need a hundred million comparisons if each was compared with each."""
    mine = [entry("a", str(number)) for number in range(10_000)]
    there = [existing(str(number), "a", str(number)) for number in reversed(range(10_000))]
    assert paired(mine, there) == [str(number) for number in range(10_000)]


def test_what_is_told() -> None:
    mine = entry("a", "s3cret", "Ops", "Web")
    assert told(mine, None) == {"name": "a", "collections": ["Ops", "Web"], "id": None}
    same = compared(mine, existing("1", "a", "s3cret", "Web", "Ops"))
    assert same == {"name": "a", "collections": ["Ops", "Web"], "id": "1", "differs_in": []}
    other = compared(mine, existing("1", "a", "0ther", "Web"))
    assert other["differs_in"] == ["login.password", "collections"]


def test_plan_shows_names_by_collection() -> None:
    changes = plan([entry("b", "s3cret", "Web", "Ops"), entry("a"), entry("c", "", "Ops", "Web")], ["Web"])
    assert changes.diff()["after"] == (
        "collection Web: create\n"
        "items in (no collection):\n  count: 1\n  names: a\n"
        "items in Ops, Web:\n  count: 2\n  names: b, c\n"
    )
    assert not plan([], []).changed


# --- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "value", "sizes"),
    [
        ("MOST_ITEMS", 2, [2, 2, 1]),
        ("MOST_BYTES", 1500, [2, 2, 1]),
        ("MOST_BYTES", 1, [1, 1, 1, 1, 1]),
        ("MOST_COLLECTIONS", 3, [2, 2, 1]),
        ("MOST_LINKS", 3, [3, 2]),
    ],
)
def test_requests_are_not_too_large(monkeypatch: pytest.MonkeyPatch, limit: str, value: int, sizes: list[int]) -> None:
    monkeypatch.setattr(import_request, limit, value)
    entries = {number: entry("x" * 300, "", f"A/{number}") for number in range(5)}
    batches = list(import_request.batches(entries, KEY))
    assert [len(batch) for batch in batches] == sizes
    assert [number for batch in batches for number, _wire in batch] == [0, 1, 2, 3, 4]


def test_body_of_a_request() -> None:
    entries = {3: entry("a", "s3cret", "Ops", "New/Deep/er"), 5: entry("b", "", "Ops"), 7: entry("c")}
    known = {
        "Ops": {"id": "1", "name": seal_text("Ops", KEY), "externalId": "x"},
        "New": {"id": "2", "name": seal_text("New", KEY)},
    }
    (batch,) = import_request.batches(entries, KEY)
    body = import_request.body(batch, entries, known, KEY)
    assert [(one["id"], open_text(one["name"], KEY)) for one in body["collections"]] == [
        ("1", "Ops"),
        (None, "New/Deep/er"),
        (None, "New/Deep"),
    ]
    assert body["collectionRelationships"] == [{"key": 0, "value": 0}, {"key": 0, "value": 1}, {"key": 1, "value": 0}]
    assert [open_item(wire, KEY) for wire in body["ciphers"]] == [one.item for one in entries.values()]


def test_parents() -> None:
    assert import_request.with_parents(["a/b/c", "a", "d//e", "/f"]) == ["a", "a/b", "a/b/c", "d", "d//e", "/f"]
