# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a self-hosted server syncs sponsorships with the cloud by itself.

Source: bitwarden/server src/Api/Jobs/SelfHostedSponsorshipSyncJob.cs and JobsHostedService.cs (ac309aa19e): first a random
whole number of hours (0 to 23) after the api service started, then every 24 hours; each start draws anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import show_date

LONGEST_FIRST = timedelta(hours=23)
PERIOD = timedelta(hours=24)


def next_sponsorship_sync(
    now: datetime, api_started: datetime | None, last_sync: datetime | None = None
) -> dict[str, str | None]:
    """Return the bounds of the next sync, while the server keeps running.

    The last sync only tells something when the service has not been started again since. It may have been a manual one, so it
    never moves the earliest time.
    """
    bounds = [now + PERIOD]
    if api_started is not None and api_started + LONGEST_FIRST > now:
        bounds.append(api_started + LONGEST_FIRST)
    if api_started is not None and last_sync is not None and api_started <= last_sync and last_sync + PERIOD > now:
        bounds.append(last_sync + PERIOD)
    return {"earliest": show_date(now), "latest": show_date(min(bounds))}
