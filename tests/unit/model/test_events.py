"""Event types by name, and the span of time that can be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import events
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

NOW = datetime(2026, 8, 20, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1000, "user_logged_in"),
        (1300, "collection_created"),
        (1503, "organization_user_removed"),
        (1523, "organization_user_staged"),
        (1608, "organization_sponsorships_synced"),
        (1617, "organization_allow_admin_access_to_all_collection_items_disabled"),
        (1700, "policy_updated"),
        (1803, "provider_user_removed"),
        (1903, "provider_organization_vault_accessed"),
        (2604, "pam_access_lease_revoked"),
    ],
)
def test_names(number: int, name: str) -> None:
    assert events.NAMES[number] == name


def test_types_by_name_kind_and_number() -> None:
    assert events.numbers(["provider_user", "policy_updated", "9999"]) == ({1800, 1801, 1802, 1803, 1700, 9999}, [])
    assert events.numbers([]) == (set(), [])
    _found, problems = events.numbers(["policy_update", "nonsense"])
    assert [problem.remedy for problem in problems] == [
        "Did you mean policy_updated?",
        "Give a name such as policy_updated, a kind such as policy, or a number.",
    ]


def test_span() -> None:
    midnight = datetime(2026, 8, 21, tzinfo=UTC)
    assert events.span(None, None, NOW) == (midnight - timedelta(days=30), midnight)
    assert events.span("2026-08-01", "2026-08-02T12:00:00+02:00", NOW) == (
        datetime(2026, 8, 1, tzinfo=UTC),
        datetime(2026, 8, 2, 10, tzinfo=UTC),
    )
    assert events.span("2025-08-19", None, NOW)


@pytest.mark.parametrize(
    ("start", "end"),
    [("2025-08-18", None), ("2026-08-22", None), ("2026-01-02", "2026-01-02"), ("x", None), (None, "2026-13-01")],
)
def test_refused_spans(start: str | None, end: str | None) -> None:
    with pytest.raises(SelfhostError) as caught:
        events.span(start, end, NOW)
    assert caught.value.field in ("start", "end")
    assert caught.value.remedy


def test_shown() -> None:
    event = {"type": 1501, "date": "2026-08-20T10:00:00.1234567Z", "actingUserId": None, "systemUser": 1, "userId": "u"}
    assert events.shown(event) == {
        "type": "organization_user_confirmed",
        "number": 1501,
        "date": "2026-08-20T10:00:00Z",
        "user_id": "u",
        "system_user": "scim",
    }
    assert events.shown({"type": 7777, "date": "2026-08-20T10:00:00Z"})["type"] == "7777"
