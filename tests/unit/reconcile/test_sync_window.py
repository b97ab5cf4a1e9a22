# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When the daily sponsorship sync runs next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.sync_window import next_sponsorship_sync

NOW = datetime(2026, 8, 21, 12, 0, 0, tzinfo=UTC)


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


@pytest.mark.parametrize(
    ("started", "last", "latest"),
    [
        pytest.param(None, None, hours(24), id="nothing is known: within a day"),
        pytest.param(hours(-1), None, hours(22), id="just started: 23 hours after the start at the latest"),
        pytest.param(hours(-100), None, hours(24), id="long running: within a day"),
        pytest.param(hours(-100), hours(-20), hours(4), id="long running, synced since: a day after that"),
        pytest.param(hours(-1), hours(-20), hours(22), id="restarted after the last sync: drawn anew"),
        pytest.param(None, hours(-20), hours(24), id="a last sync alone proves nothing, there may have been a restart"),
        pytest.param(hours(-100), hours(-30), hours(24), id="the job failed or had nothing to sync"),
    ],
)
def test_bounds(started: datetime | None, last: datetime | None, latest: datetime) -> None:
    assert next_sponsorship_sync(NOW, started, last) == {
        "earliest": "2026-08-21T12:00:00Z",
        "latest": latest.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
