"""A measured figure and its target, and how wall time is measured."""

from __future__ import annotations

import statistics
import time
import typing as t
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True)
class Figure:
    """One measured figure; C(limit) is its target, or None when it is only told."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    def __str__(self) -> str:
        if self.limit is None:
            return f"{self.name:<58}{self.value:>10.4g} {self.unit}"
        verdict = "ok" if self.value <= self.limit else "ABOVE TARGET"
        return f"{self.name:<58}{self.value:>10.4g} {self.unit:<8} target {self.limit:g}  {verdict}"


def median_seconds(work: t.Callable[[], object], runs: int = RUNS) -> float:
    """Return the median wall time of some runs."""
    seconds = []
    for _run in range(runs):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)
