# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a license must not be applied to a self-hosted server."""

from __future__ import annotations

from datetime import datetime

from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.versions import parse_version
from ansible_collections.bw.selfhost.plugins.module_utils._model import license as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import License
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.license_case import Case, Current, holders
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import occupied_seats


def refusals(case: Case, current: Current | None, now: datetime, *, changing: bool) -> list[SelfhostError]:
    """Return every reason not to apply the candidate. What costs a request is only asked when something is to be changed."""
    given, replace = case.params["cloud_organization_id"], case.params["replace"]
    in_force = _cloud_id_in_force(case, current) if current and changing and not replace else None
    fresh = replace or case.params["cloud"]  # what the cloud has just given is never older
    problems = model.refusals(
        case.candidate,
        case.params["installation_id"],
        now,
        server_version=parse_version(case.server.version),
        occupied_seats=_occupied_seats(case, current) if changing else None,
        cloud_organization_id=in_force or given,
        current_expires=None if fresh else _in_force_until(current, now),
        creating=current is None,
    )
    if current is None:
        problems += _cannot_create(case)
    elif current.stored is not None and not fresh:
        problems += _older_file(case.candidate, current.stored)
    return problems + (_used_elsewhere(case, current) if changing else [])


def _cloud_id_in_force(case: Case, current: Current) -> str | None:
    if current.stored is not None:
        return current.stored.id
    connection = case.directory.connection(current.id)
    return connection.cloud_organization_id if connection else None


def _in_force_until(current: Current | None, now: datetime) -> datetime | None:
    """Return the end of the license in force; None when it has none, or is over, so that nothing is older than it."""
    expiration = (current.subscription or {}).get("expiration") if current else None
    ends = parse_date(expiration) if expiration else None
    return ends if ends is not None and ends > now else None


def _occupied_seats(case: Case, current: Current | None) -> int | None:
    """Count what occupies seats, only when the candidate has fewer than the license in force."""
    new, old = case.candidate.seats, (current.subscription or {}).get("seats") if current else None
    if current is None or new is None or (old is not None and new >= old):
        return None
    return occupied_seats(case.server, current.id)


def _older_file(candidate: License, stored: License) -> list[SelfhostError]:
    if candidate.issued is None or stored.issued is None or candidate.issued >= stored.issued:
        return []
    return [
        SelfhostError(
            f"The license was issued at {show_date(candidate.issued)}, before the one in force ({show_date(stored.issued)}).",
            field="license",
            remedy="Download it again, or set replace to go back to it on purpose.",
        )
    ]


def _used_elsewhere(case: Case, current: Current | None) -> list[SelfhostError]:
    """Refuse a license that another organization of this server uses already."""
    connected = {entry["id"] for entry in case.directory.entries if case.directory.cloud_id(entry) == case.candidate.id}
    others = {local.lower() for local in holders(case.files, case.candidate) | connected}
    return [
        SelfhostError(
            f"Another organization of this server ({other}) uses this license already.",
            field="license",
            remedy="Each license serves one organization: set organization_id to that one, or use another license.",
        )
        for other in sorted(others - {current.id.lower() if current else ""})
    ]


def _cannot_create(case: Case) -> list[SelfhostError]:
    try:
        Account.unlock(case.server, case.params["master_password"])
    except SelfhostError as error:
        return [error]
    return []
