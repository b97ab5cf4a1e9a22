"""Rate limits of the cloud; off unless switched on. All clients of the lab share one address.

Source: bitwarden/server src/Api/appsettings.json, src/Identity/appsettings.json, Core/Utilities/CustomIpRateLimitMiddleware.cs;
for the way they are counted AspNetCoreRateLimit (RateLimitProcessor, PathCounterKeyBuilder, AsyncKeyLockProcessingStrategy).
"""

from __future__ import annotations

import re

# service, method, path, how many, in which period
_RULES = (
    ("api", "POST|PUT|DELETE", r".*", 60, "1m"),
    ("api", "POST|PUT|DELETE", r".*", 5, "1s"),
    ("api", "GET", r".*", 200, "1m"),
    ("api", "GET", r"/alive", 5, "1m"),
    ("api", "POST", r"/installations", 2, "2m"),
    ("api", "POST", r"/organizations/.*/users/invite", 5, "1m"),
    ("api", "POST", r"/organizations/.*/users/invite", 300, "1d"),
    ("api", "POST", r"/organizations/.*/users/.*/reinvite", 5, "1m"),
    ("api", "POST", r"/organizations/.*/users/.*/reinvite", 300, "1d"),
    ("api", "POST", r"/accounts/prelogin", 10, "1m"),
    ("identity", ".*", r".*", 60, "1m"),
    ("identity", ".*", r".*", 5, "1s"),
    ("identity", "POST", r"/connect/token", 10, "1m"),
)
_PERIODS = {"1s": 1, "1m": 60, "2m": 120, "1d": 86400}  # seconds; shorter ones are counted first


class Limiter:
    """One counter per server, service, method, exact path and period, which begins with the first request that is counted."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, ...], tuple[float, int]] = {}

    def clear(self) -> None:
        """Forget all requests."""
        self._counters.clear()

    def refuses(self, server: str, service: str, method: str, path: str, now: float) -> tuple[str, int] | None:
        """Count a request; None when it may pass, else the period that is full and what Retry-After says.

        A counter whose period is full goes on counting, those of longer periods do not see such a request.
        """
        path = path.lower().rstrip("/")
        rules = _matching(service, method, path)
        for period, seconds in _PERIODS.items():
            if period not in rules:
                continue
            key = (server, service, method, path, period)
            began, count = self._counters.get(key, (now, 0))
            if began + seconds < now:
                began, count = now, 0
            self._counters[key] = (began, count + 1)
            if count + 1 > rules[period]:
                return period, round(max(began + seconds - now, 1))
        return None


def _matching(service: str, method: str, path: str) -> dict[str, int]:
    """Return how many requests each period allows; of two rules with the same period the stricter one holds."""
    found: dict[str, int] = {}
    for of, methods, pattern, most, period in _RULES:
        if of == service and re.fullmatch(methods, method) and re.fullmatch(pattern, path):
            found[period] = min(most, found.get(period, most))
    return found
