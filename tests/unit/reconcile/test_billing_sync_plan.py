# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Billing sync: what is changed, when the license is fetched, and what cannot be a token."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client.connections import Connection
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import billing_sync_token
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.billing_sync import (
    plan_connection,
    plan_sync,
    too_old,
)

NOW = datetime(2026, 8, 21, 12, 0, 0, tzinfo=UTC)
TOKEN, OTHER = "a" * 30, "b" * 30
CONNECTION = Connection("1", True, TOKEN, "cloud", "2026-08-21T10:05:11.1234567+00:00")
WANTED = {"enabled": True, "token": TOKEN, "cloud_organization_id": "cloud"}


@pytest.mark.parametrize(
    ("current", "wanted", "action", "fields"),
    [
        (None, WANTED, "create", {"enabled", "token", "cloud_organization_id"}),
        (CONNECTION, WANTED, None, set()),
        (CONNECTION, {**WANTED, "token": OTHER}, "update", {"token"}),
        (CONNECTION, {**WANTED, "enabled": False}, "update", {"enabled"}),
        (CONNECTION, {**WANTED, "cloud_organization_id": "other"}, "update", {"cloud_organization_id"}),
        (CONNECTION, None, "delete", set()),
        (None, None, None, set()),
    ],
)
def test_connection(current: Connection | None, wanted: dict[str, t.Any] | None, action: str | None, fields: set[str]) -> None:
    changes = plan_connection("Example Org", current, wanted).changes
    assert [change.action for change in changes] == ([action] if action else [])
    assert {name for change in changes for name in change.after} == fields


def test_no_token_is_shown() -> None:
    plan = plan_connection("Example Org", CONNECTION, {**WANTED, "token": OTHER})
    shown = str(plan.as_list()) + str(plan.diff())
    assert TOKEN not in shown
    assert OTHER not in shown
    assert plan.diff()["before"] != plan.diff()["after"]


@pytest.mark.parametrize(
    ("last", "hours", "old"),
    [
        (None, 24, True),
        ("2026-08-20T11:59:59.9999999+00:00", 24, True),
        ("2026-08-20T12:00:01+00:00", 24, False),
        ("2026-08-20T14:00:01+02:00", 24, False),
        ("2026-08-21T11:59:59+00:00", 0, True),
    ],
)
def test_too_old(last: str | None, hours: int, old: bool) -> None:
    assert bool(too_old(last, hours, NOW)) is old


@pytest.mark.parametrize(
    ("options", "connection_changes", "syncs"),
    [
        ({}, True, True),
        ({"sync_license": "never"}, True, False),
        ({"sync_license": "always"}, False, True),
        ({"sync_max_age": 10**6}, False, False),
        ({"enabled": False}, True, False),
        ({"state": "absent"}, True, False),
    ],
)
def test_sync(options: dict[str, t.Any], connection_changes: bool, syncs: bool) -> None:
    params = {"state": "present", "enabled": True, "sync_license": "if_older_than", "sync_max_age": 24, **options}
    assert plan_sync("Example Org", params, CONNECTION, connection_changes).changed is syncs


def test_token() -> None:
    assert [change.action for change in billing_sync_token.plan(False, "cloud").changes] == ["create"]
    assert [change.action for change in billing_sync_token.plan(False, "cloud", rotate=True).changes] == ["create"]
    assert not billing_sync_token.plan(True, "cloud").changed
    assert billing_sync_token.plan(True, "cloud", rotate=True).changed


@pytest.mark.parametrize("token", ["", "short", "a" * 29, "a" * 31, "a" * 29 + " ", "a" * 29 + "\n", " " + "a" * 30])
def test_bad_token(token: str) -> None:
    with pytest.raises(SelfhostError) as caught:
        billing_sync_token.refuse_bad(token)
    assert caught.value.field == "token"
    assert caught.value.remedy
    assert not token.strip() or token.strip() not in str(caught.value)


def test_good_token() -> None:
    billing_sync_token.refuse_bad(TOKEN)
    billing_sync_token.refuse_bad(None)
