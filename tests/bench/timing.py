"""How wall time is measured."""

from __future__ import annotations

import statistics
import time
import typing as t

RUNS = 5


def median_seconds(work: t.Callable[[], object], runs: int = RUNS) -> float:
    """Return the median wall time of some runs."""
    seconds = []
    for _run in range(runs):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)
