# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Directory Connector's JSON answers. Source: bitwarden/directory-connector src-cli/models, src-cli/baseProgram.ts."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

_SYNCED = re.compile(r"Synced (\d+) group\(s\) and (\d+) user\(s\)\.")
_LOGGED_IN = re.compile(r"You are already logged in as organization\.([0-9a-f-]{36})\.", re.IGNORECASE)
_THROWN = re.compile(r"^\s*(\w*Error: .+)$", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """One answer. C(text) says what failed; C(data) is the answer's content."""

    success: bool
    data: t.Any = None
    text: str = ""

    @property
    def already_logged_in(self) -> str | None:
        """The organization for which there is a session already, when that is all that is wrong."""
        found = _LOGGED_IN.search(self.text)
        return found[1].lower() if found else None

    @property
    def synced(self) -> dict[str, int]:
        """How many groups and users a sync has sent; none when nothing has changed since the last one."""
        found = _SYNCED.search(str((self.data or {}).get("message")))
        groups, users = map(int, found.groups()) if found else (0, 0)
        return {"groups": groups, "users": users}


def answer_of(code: int | None, stdout: str, stderr: str) -> Answer:
    """Read what a command printed under C(--response); what broke without an answer is told by the first line of its trace."""
    for line in reversed(stdout.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("success"), bool):
            return Answer(found["success"] and code == 0, found.get("data"), str(found.get("message") or ""))
    if code is None:
        return Answer(False, text="timeout")
    thrown = _THROWN.search(stderr)
    last = [line for line in (stderr or stdout).splitlines() if line.strip()][-1:]
    return Answer(False, text=thrown[1] if thrown else "".join(last) or f"exit code {code}")
