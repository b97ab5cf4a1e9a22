# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many requests that do not wait for one another."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor, as_completed

if t.TYPE_CHECKING:
    from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

T = t.TypeVar("T")
CONNECTIONS = 8  # with 20 ms of latency they are seven times as quick as one, on loopback half as quick again; more gain little
SILENCE = 10  # seconds without a word that people take for a standstill


def each(server: Server, calls: t.Sequence[t.Callable[[], T]], progress: t.Callable[[str], None]) -> list[T]:
    """Make all calls and return their results in the same order.

    A self-hosted server gets them over several connections at once, a cloud, which limits rates, one by one. After the
    first error no further call begins; those that are under way end, and then it is raised.

    Args:
        server: whom the calls ask.
        calls: each sends requests to that server alone; they must not depend on one another.
        progress: hears how many are done, at least every ten seconds.
    """
    teller, pace = _Teller(len(calls), progress), server.http.pace
    pace.progress, before = teller.wait, pace.progress
    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        if server.is_cloud:
            return [teller.count(call()) for call in calls]
        waiting = [pool.submit(call) for call in calls]
        for done in as_completed(waiting):
            teller.count(done.result())
        return [done.result() for done in waiting]
    finally:
        pool.shutdown(cancel_futures=True)
        pace.progress = before


class _Teller:
    """Tells how many calls are done: from time to time, and whenever one has to wait."""

    def __init__(self, total: int, progress: t.Callable[[str], None]) -> None:
        self._done, self._total = 0, total
        self._progress = progress
        self._told = time.monotonic()

    def count(self, result: T) -> T:
        """Count one more, and hand its result on."""
        self._done += 1
        if time.monotonic() - self._told >= SILENCE:
            self._tell("")
        return result

    def wait(self, why: str) -> None:
        """Tell of a wait."""
        self._tell(f"{why}; ")

    def _tell(self, before: str) -> None:
        self._told = time.monotonic()
        self._progress(f"{before}{self._done} of {self._total} done")
