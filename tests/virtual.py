"""Time that passes only when somebody sleeps."""

from __future__ import annotations

import typing as t


class Virtual:
    """Stands in for the module C(time) in the product; C(meanwhile) moves other clocks along.

    Attributes:
        slept: seconds that were slept so far.
    """

    def __init__(self, meanwhile: t.Callable[[float], object] = lambda _seconds: None) -> None:
        self.slept = 0.0
        self._meanwhile = meanwhile

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.slept

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept += seconds
        self._meanwhile(seconds)
