"""How wall time is measured."""

from __future__ import annotations

import statistics
import time
import typing as t

from tools.metrics import Metric

RUNS = 5


def median_seconds(work: t.Callable[[], object], runs: int = RUNS) -> float:
    """Return the median wall time of some runs."""
    seconds = []
    for _run in range(runs):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def line(sizes: t.Sequence[float], name: str, values: t.Sequence[float], factor: float, unit: str) -> t.Iterator[Metric]:
    """How something grows with its size."""
    slope, _unused = statistics.linear_regression(sizes, values)
    yield Metric(f"... {name}", factor * slope, unit)
    yield Metric("... linear growth explains (R²)", statistics.correlation(sizes, values) ** 2, least=0.99)
