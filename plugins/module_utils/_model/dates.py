# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dates as Bitwarden writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def parse_date(text: str) -> datetime:
    """Parse an ISO 8601 date to UTC, to the second; a date without a zone is UTC, as self-hosted servers mean it.

    Raises ValueError. Python's own parser cannot do it before 3.11: the server writes C(Z) and seven digits of a second.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 date")
    day, time, zone = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in (None, 'Z') else zone}").astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("a date out of range") from None


def from_epoch(seconds: float) -> datetime:
    """Return the UTC date of a Unix time. Raises ValueError when it is out of range."""
    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=int(seconds))
    except OverflowError:
        raise ValueError("a date out of range") from None


def show_date(date: datetime | None) -> str | None:
    """Write a date for people and for results: C(2027-10-20T00:00:00Z)."""
    return None if date is None else date.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
