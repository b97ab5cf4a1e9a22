# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The event logs of organizations and providers.

Source: bitwarden/server src/Api/Dirt/Controllers/EventsController.cs (ac309aa19e).
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]


def events(server: Server, owner: str, start: str, end: str) -> t.Iterator[Members]:
    """Yield the events of a span of time, the newest first, asking for each page (of 50) when it is needed.

    Args:
        server: whose log.
        owner: C(/organizations/<id>) or C(/providers/<id>).
        start: ISO 8601, as is C(end); at most 367 days earlier.
        end: must be given with C(start), as the server else forgets both.
    """
    token: str | None = None
    while True:
        span = {"start": start, "end": end, **({"continuationToken": token} if token else {})}
        answer = server.get(f"{owner}/events", params=span)
        yield from answer["data"]
        token = answer["continuationToken"]
        if not token:
            return
