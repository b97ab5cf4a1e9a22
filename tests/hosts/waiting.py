"""Waiting for a condition, and never for ever."""

from __future__ import annotations

import time
import typing as t


def until(condition: t.Callable[[], bool], what: str, timeout: float = 60) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it did not hold in time; names what was awaited.
    """
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {timeout:g} s")
        time.sleep(0.02)
