# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sending no faster than a cloud allows, and waiting when a server asks for it. A self-hosted server has no limits.

Source: bitwarden/server src/Api/appsettings.json and src/Identity/appsettings.json (ac309aa19e), read by AspNetCoreRateLimit:
each address has a counter per verb, exact path and period, and its period begins with the first request that it counts.
Of two rules with the same period the stricter one holds.
"""

from __future__ import annotations

import time
import typing as t
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

Progress = t.Callable[[str], None]
Budget = tuple[str, str, int, int]

DAY = 86400
# Service and verb, path, how many requests, in how many seconds.
CLOUD: tuple[Budget, ...] = (
    ("api:GET", "*", 200, 60),
    ("api:GET", "/alive", 5, 60),
    ("api:POST", "*", 60, 60),
    ("api:POST", "*", 5, 1),
    ("api:PUT", "*", 60, 60),
    ("api:PUT", "*", 5, 1),
    ("api:DELETE", "*", 60, 60),
    ("api:DELETE", "*", 5, 1),
    ("api:POST", "/installations", 2, 120),
    ("api:POST", "/organizations/*/users/invite", 5, 60),
    ("api:POST", "/organizations/*/users/invite", 300, DAY),
    ("api:POST", "/organizations/*/users/*/reinvite", 5, 60),
    ("api:POST", "/organizations/*/users/*/reinvite", 300, DAY),
    ("identity:*", "*", 60, 60),
    ("identity:*", "*", 5, 1),
    ("identity:POST", "/connect/token", 10, 60),
)
_PERIODS = {1: "a second", 60: "a minute", 120: "in two minutes", DAY: "a day"}

LONGEST_WAIT = 180  # seconds that are waited; what takes longer, such as a day's budget, ends the run instead
_MARGIN = 0.05  # seconds, so that a clock that is a little faster finds a period over
_WORTH_TELLING = 3  # seconds


def silent(_text: str) -> None:
    """Tell nobody."""


def limits(budgets: t.Sequence[Budget], service: str, method: str, path: str) -> dict[int, int]:
    """Return how many requests to a path may be sent in which periods (seconds)."""
    found: dict[int, int] = {}
    for verb, pattern, most, seconds in budgets:
        if fnmatchcase(f"{service}:{method}", verb) and fnmatchcase(path, pattern):
            found[seconds] = min(most, found.get(seconds, most))
    return found


def beyond_a_day(path: str, requests: int) -> str | None:
    """Say in a sentence that a cloud takes fewer POSTs to this path of its API in a day; None when they fit."""
    most = limits(CLOUD, "api", "POST", path).get(DAY, requests)
    if requests <= most:
        return None
    days = -(-requests // most)
    return f"The cloud takes {most} requests like this a day, and these are {requests}: it takes {days} days, with a run on each."


@dataclass
class Pace:
    """Waits before requests, and after those that were turned away.

    A request may be sent when the one that stands as many places before it as the limit allows was answered a whole period
    ago. So the server can count no more than the limit, whenever its periods begin. Requests come one at a time.

    Attributes:
        budgets: the server's limits.
        progress: hears of waits.
    """

    budgets: tuple[Budget, ...] = ()
    progress: Progress = field(default=silent, repr=False)
    _answered: dict[tuple[str, str, int], deque[float]] = field(default_factory=dict, repr=False)

    def prepare(self, method: str, url: str) -> None:
        """Wait until a request is within the server's limits."""
        for seconds, most, moments in self._counters(method, url):
            if len(moments) < most:
                continue
            limit = f"limit of {most} requests {_PERIODS[seconds]}"
            wait = moments[0] + seconds + _MARGIN - time.monotonic()
            if wait > LONGEST_WAIT:
                raise SelfhostError(
                    f"The cloud's {limit} is reached.",
                    field=f"{method} {url}",
                    remedy="Run it again when the period is over: what is already done will be found, not repeated.",
                )
            self._rest(wait, f"for the cloud's {limit}")

    def count(self, method: str, url: str) -> None:
        """Note that a request was answered, or will never be."""
        for _seconds, _most, moments in self._counters(method, url):
            moments.append(time.monotonic())

    def again(self, status: int, headers: t.Mapping[str, str]) -> bool:
        """Say whether a request was turned away for now, after waiting as long as the server asks.

        That happens when others behind the same address use up its limits. Nothing was done, so any method may be repeated.
        """
        asked = headers.get("Retry-After", "")
        wait = int(asked) + 1 if asked.isdigit() else 60  # the server rounds
        if status != 429 or wait > LONGEST_WAIT:
            return False
        self._rest(wait, "because the server limits requests")
        return True

    def _counters(self, method: str, url: str) -> t.Iterator[tuple[int, int, deque[float]]]:
        """Yield period, limit, and when as many requests as that were answered last."""
        if not self.budgets:
            return
        place = urlsplit(url)
        service = (place.hostname or "").partition(".")[0]
        for seconds, most in limits(self.budgets, service, method, place.path).items():
            yield seconds, most, self._answered.setdefault((method, service + place.path, seconds), deque(maxlen=most))

    def _rest(self, seconds: float, why: str) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if seconds >= _WORTH_TELLING:
                self.progress(f"waiting {left:.0f} s {why}")
            time.sleep(min(left, 10))
