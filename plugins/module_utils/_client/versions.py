# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between server versions, in one table.

Source: bitwarden/server release tags v2023.2.0 to v2026.8.0.
"""

from __future__ import annotations

import re

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

# What a server can do, and the first release that does it.
SINCE = {
    "license sync": "2023.2.0",  # POST organizations/licenses/self-hosted/{id}/sync
    "current licenses": "2024.1.0",  # accepts the format that the cloud issues today
    "admin sponsorships": "2025.5.2",  # listing and revoking on a self-hosted server
    "policy metadata apart": "2026.1.0",  # PUT policies/{type}/vnext, gone since 2026.6.0
    "policy metadata": "2026.4.1",  # PUT policies/{type} takes them
    "license update from token": "2026.1.0",  # an update takes every ability from the token
    "public restore": "2026.2.0",  # POST public/members/{id}/restore
    "new item types": "2026.4.0",  # bank accounts, driver's licenses, passports
}


def parse_version(text: str) -> tuple[int, ...]:
    """Return a dotted version as numbers; what follows them (C(-beta)) does not count."""
    match = re.match(r"v?(\d+(?:\.\d+)+)(?![\d.])", text, re.ASCII)
    if match is None or len(text) > 50:
        raise SelfhostError(f"The server says that its version is {text[:50]!r}.", remedy="Is this an official Bitwarden server?")
    return tuple(int(part) for part in match.group(1).split("."))
