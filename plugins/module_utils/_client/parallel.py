# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many requests that do not wait for one another."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

if t.TYPE_CHECKING:
    from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

T = t.TypeVar("T")
CONNECTIONS = 4
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
    failed: list[Exception] = []

    def attempt(call: t.Callable[[], T]) -> T:
        if failed:
            raise failed[0]
        try:
            return call()
        except Exception as error:
            failed.append(error)
            raise

    with ThreadPoolExecutor(1 if server.is_cloud else CONNECTIONS) as pool:
        return list(_told(pool.map(attempt, calls), len(calls), progress))


def _told(results: t.Iterable[T], total: int, progress: t.Callable[[str], None]) -> t.Iterator[T]:
    """Hand results on, and tell from time to time how many there are."""
    told = time.monotonic()
    for number, result in enumerate(results, start=1):
        if time.monotonic() - told >= SILENCE:
            told = time.monotonic()
            progress(f"{number} of {total} done")
        yield result
