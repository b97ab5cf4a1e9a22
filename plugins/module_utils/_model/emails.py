# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""E-mail addresses, by which people are named."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

LONGEST = 256  # characters, the limit of Bitwarden's servers
# What the servers take is a little more; nobody has such an address, and every odd one seen was a slip of the pen.
_FORM = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@[^@\s\"(),:;<>\[\]\\.]+(\.[^@\s\"(),:;<>\[\]\\.]+)+")


def is_email(text: str | None) -> bool:
    """Say whether a text has the form of an e-mail address."""
    return len(text or "") <= LONGEST and _FORM.fullmatch(text or "") is not None


def refusals(emails: t.Sequence[str], field: str) -> list[SelfhostError]:
    """Return what is wrong with the addresses of a list; servers take C(Ann@x.example) and C(ann@x.example) for one person."""
    counts = Counter(email.lower() for email in emails)
    problems = [
        SelfhostError(f"{email!r} is not an e-mail address.", field=field, remedy="Write it as name@domain.")
        for email in dict.fromkeys(emails)
        if not is_email(email)
    ]
    return problems + [
        SelfhostError(f"{email!r} is named twice; case does not count.", field=field, remedy="Name each person once.")
        for email, count in counts.items()
        if count > 1
    ]
