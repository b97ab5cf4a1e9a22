# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happened in an organization or to a provider."""

from __future__ import annotations

import itertools
import typing as t
from datetime import datetime, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._client.events import events
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model import events as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.provider import admin_needed
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import find_portal
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import find_workplace

Params = t.Mapping[str, t.Any]


def listed(params: Params, progress: Progress) -> dict[str, t.Any]:
    """Return the newest events of the wanted types."""
    types, problems = model.numbers(params["types"])
    refuse_all(problems)
    start, end = model.span(params["start"], params["end"], datetime.now(timezone.utc))
    server, owner, refused = _log(params, progress)
    try:
        everything = events(server, owner, str(show_date(start)), str(show_date(end)))
        wanted = (event for event in everything if not types or event["type"] in types)
        found = list(itertools.islice(wanted, params["limit"] + 1))
    except ApiError as error:
        raise refused if error.status == 404 else error from None
    shown = [model.shown(event) for event in found[: params["limit"]]]
    return {"events": shown, "truncated": len(found) > len(shown), "start": show_date(start), "end": show_date(end)}


def _log(params: Params, progress: Progress) -> tuple[Server, str, SelfhostError]:
    """Return where to ask for the log, and what it means when it is not found."""
    if params["provider_id"] or params["provider_name"]:
        portal = find_portal(params, progress)
        if not portal.seat.admin:
            raise admin_needed(portal.seat, "Reading its event log")
        what, server, owner = f"the provider {portal.name}", portal.server, f"/providers/{portal.id}"
    else:
        workplace = find_workplace(params, progress)
        what, server, owner = f"the organization {workplace.name}", workplace.server, f"/organizations/{workplace.id}"
    refused = SelfhostError(
        f"The event log of {what} is not to be seen.",
        field="client_id",
        remedy="It takes an owner, an admin, or a member with the permission access_event_logs.",
    )
    return server, owner, refused
