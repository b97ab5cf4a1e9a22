# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sending no faster than a cloud allows, and waiting when a server asks for it."""

from __future__ import annotations

import time
import typing as t
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.limits import DAY, Budget, limits

Progress = t.Callable[[str], None]

_PERIODS = {1: "a second", 60: "a minute", 120: "in two minutes", DAY: "a day"}

LONGEST_WAIT = 180  # seconds that are waited; what takes longer, such as a day's budget, ends the run instead
_MARGIN = 0.05  # seconds, so that a clock that is a little faster finds a period over
_WORTH_TELLING = 3  # seconds


def silent(_text: str) -> None:
    """Tell nobody."""


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
