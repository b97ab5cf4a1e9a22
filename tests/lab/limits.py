"""Rate limits of the cloud, per address; off unless switched on.

Source: bitwarden/server src/Api/appsettings.json, src/Identity/appsettings.json.
"""

from __future__ import annotations

import re

# service, method, path, how many, in how many seconds
_RULES = (
    ("identity", "POST", r"/connect/token", 10, 60),
    ("identity", ".*", r".*", 60, 60),
    ("identity", ".*", r".*", 5, 1),
    ("api", "POST", r"/installations", 2, 120),
    ("api", "GET", r"/alive", 5, 60),
    ("api", "GET", r".*", 200, 60),
    ("api", "POST|PUT|DELETE", r".*", 60, 60),
    ("api", "POST|PUT|DELETE", r".*", 5, 1),
)


class Limiter:
    """Counts requests in sliding windows."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], list[float]] = {}

    def clear(self) -> None:
        """Forget all requests."""
        self._seen.clear()

    def seconds_to_wait(self, server: str, service: str, method: str, path: str, now: float) -> int:
        """Count a request; 0 when it may pass, else what Retry-After says."""
        wait = 0
        for number, (of, methods, pattern, most, window) in enumerate(_RULES):
            if of != service or not re.fullmatch(methods, method) or not re.fullmatch(pattern, path):
                continue
            times = [moment for moment in self._seen.get((server, number), []) if moment > now - window]
            if len(times) >= most:
                wait = max(wait, int(times[0] + window - now) + 1)
            else:
                times.append(now)
            self._seen[(server, number)] = times
        return wait
