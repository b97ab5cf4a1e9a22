# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sponsorships: their states, the plan, and what is refused."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.sponsorships import (
    Sponsorship,
    Wish,
    of_list,
    of_member,
    plan,
    refusals,
    warnings,
)

SYNCED = datetime(2026, 8, 21, tzinfo=UTC)
LATER = datetime(2027, 8, 21, tzinfo=UTC)


def one(name: str = "ann@personal.example", email: str | None = "ann@personal.example", **fields: t.Any) -> Sponsorship:
    known = {"last_sync": None, "valid_until": None, "to_delete": False, "admin_initiated": True}
    return Sponsorship(friendly_name=name, email=email, **{**known, **fields})


def offered(name: str = "ann@personal.example", email: str | None = "ann@personal.example") -> Wish:
    return Wish(name, email, offered=True)


def revoked(name: str = "ann@personal.example") -> Wish:
    return Wish(name, None, offered=False)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "awaiting_sync"),
        ({"last_sync": SYNCED}, "sent"),
        ({"last_sync": SYNCED, "valid_until": LATER}, "active"),
        ({"valid_until": LATER}, "active"),
        ({"to_delete": True, "last_sync": SYNCED}, "removal_requested"),
        ({"to_delete": True, "last_sync": SYNCED, "valid_until": LATER}, "revoked_when_expired"),
    ],
)
def test_state(fields: dict[str, t.Any], state: str) -> None:
    assert one(**fields).state == state


@pytest.mark.parametrize(
    ("current", "wish", "action"),
    [
        pytest.param([], offered(), "create", id="new offer"),
        pytest.param([one()], offered(), None, id="offered already"),
        pytest.param([one(to_delete=True)], offered(), None, id="still being revoked: the server would ignore it"),
        pytest.param([one()], revoked(), "delete", id="revoke"),
        pytest.param([one(to_delete=True)], revoked(), None, id="revoked already"),
        pytest.param([], revoked(), None, id="never offered"),
    ],
)
def test_plan(current: list[Sponsorship], wish: Wish, action: str | None) -> None:
    assert [change.action for change in plan(current, [wish]).changes] == ([action] if action else [])


@pytest.mark.parametrize(
    ("current", "wishes", "own", "cause"),
    [
        pytest.param([], [offered(email=None)], False, "needs an e-mail address", id="no address"),
        pytest.param([], [offered(email="ann")], False, "needs an e-mail address", id="not an address"),
        pytest.param([one()], [offered(email="other@personal.example")], False, "already used", id="name taken"),
        pytest.param([], [offered(), offered()], False, "named twice", id="twice"),
        pytest.param([], [offered("a", "a@b.example"), offered("c", "c@b.example")], True, "only one", id="two own ones"),
        pytest.param([one("old", None)], [offered()], True, "only one", id="own one is taken"),
    ],
)
def test_refusals(current: list[Sponsorship], wishes: list[Wish], own: bool, cause: str) -> None:
    problems = refusals(current, wishes, own)
    assert len(problems) == 1
    assert cause in problems[0].cause
    assert problems[0].field
    assert problems[0].remedy


def test_no_refusals() -> None:
    assert refusals([one(email=None)], [offered()], own=True) == []
    assert refusals([one()], [offered(email="ANN@personal.example"), revoked("gone")], own=False) == []


def test_warnings() -> None:
    assert warnings([], [offered()], created=1) == []
    assert "still being revoked" in warnings([one(to_delete=True)], [offered()], created=0)[0]
    assert "same administrator" in warnings([one("other")], [offered()], created=1)[0]


def test_reading() -> None:
    item = {
        "friendlyName": "ann@personal.example",
        "offeredToEmail": "ann@personal.example",
        "lastSyncDate": "2026-08-21T00:00:00.1234567",
        "validUntil": None,
        "toDelete": False,
        "isAdminInitiated": True,
    }
    assert of_list(item) == one(last_sync=SYNCED)
    assert of_member({"familySponsorshipFriendlyName": None}) == []
    own = {"familySponsorshipFriendlyName": "me", "familySponsorshipLastSyncDate": None, "familySponsorshipToDelete": None}
    assert of_member(own) == [one("me", None, admin_initiated=False)]
