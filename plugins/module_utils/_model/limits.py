# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many requests a cloud takes from one address. A self-hosted server has no limits.

Source: bitwarden/server src/Api/appsettings.json and src/Identity/appsettings.json (ac309aa19e), read by AspNetCoreRateLimit:
each address has a counter per verb, exact path and period, and its period begins with the first request that it counts.
Of two rules with the same period the stricter one holds.
"""

from __future__ import annotations

import typing as t
from fnmatch import fnmatchcase

Budget = tuple[str, str, int, int]

DAY = 86400
INVITATIONS_A_DAY = 300  # requests, each for up to 20 people
# Service and verb, path, how many requests, in how many seconds.
CLOUD: tuple[Budget, ...] = (
    ("api:GET", "*", 200, 60),
    ("api:GET", "/alive", 5, 60),
    ("api:POST", "*", 60, 60),
    ("api:POST", "*", 5, 1),
    ("api:PUT", "*", 60, 60),
    ("api:PUT", "*", 5, 1),
    ("api:DELETE", "*", 60, 60),
    ("api:DELETE", "*", 5, 1),
    ("api:POST", "/installations", 2, 120),
    ("api:POST", "/organizations/*/users/invite", 5, 60),
    ("api:POST", "/organizations/*/users/invite", INVITATIONS_A_DAY, DAY),
    ("api:POST", "/organizations/*/users/*/reinvite", 5, 60),
    ("api:POST", "/organizations/*/users/*/reinvite", INVITATIONS_A_DAY, DAY),
    ("identity:*", "*", 60, 60),
    ("identity:*", "*", 5, 1),
    ("identity:POST", "/connect/token", 10, 60),
)


def limits(budgets: t.Sequence[Budget], service: str, method: str, path: str) -> dict[int, int]:
    """Return how many requests to a path may be sent in which periods (seconds)."""
    found: dict[int, int] = {}
    for verb, pattern, most, seconds in budgets:
        if fnmatchcase(f"{service}:{method}", verb) and fnmatchcase(path, pattern):
            found[seconds] = min(most, found.get(seconds, most))
    return found
