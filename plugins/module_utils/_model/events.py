# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Events: their types by name, the span of time that can be asked for, and how an event is shown."""

from __future__ import annotations

import difflib
import typing as t
from datetime import datetime, timedelta, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.events_data import EVENT_KINDS

LONGEST = timedelta(days=367)  # the server refuses more
USUAL = timedelta(days=30)
KINDS = {kind: [first + offset for offset in range(len(all.split()))] for first, (kind, all) in EVENT_KINDS.items()}
NAMES = {
    first + offset: f"{kind}_{what}" for first, (kind, all) in EVENT_KINDS.items() for offset, what in enumerate(all.split())
}
_NUMBERS = {**{name: [number] for number, name in NAMES.items()}, **KINDS}
SYSTEM_USERS = {1: "scim", 2: "domain_verification", 3: "public_api", 4: "two_factor_disabled", 5: "bitwarden_portal"}
# What an event is about -> the wire's name.
SUBJECTS = {
    "user_id": "userId",
    "acting_user_id": "actingUserId",
    "organization_id": "organizationId",
    "provider_id": "providerId",
    "organization_user_id": "organizationUserId",
    "provider_user_id": "providerUserId",
    "provider_organization_id": "providerOrganizationId",
    "collection_id": "collectionId",
    "group_id": "groupId",
    "policy_id": "policyId",
    "cipher_id": "cipherId",
    "domain_name": "domainName",
    "device_type": "deviceType",
    "ip_address": "ipAddress",
}


def numbers(types: t.Sequence[str]) -> tuple[set[int], list[SelfhostError]]:
    """Return the numbers of event types that are given by name, kind or number, and what is wrong with others."""
    found: set[int] = set()
    problems = []
    for text in types:
        found.update([int(text)] if text.isdecimal() else _NUMBERS.get(text, ()))
        if not text.isdecimal() and text not in _NUMBERS:
            near = difflib.get_close_matches(text, _NUMBERS, 1)
            remedy = (
                f"Did you mean {near[0]}?" if near else "Give a name such as policy_updated, a kind such as policy, or a number."
            )
            problems.append(SelfhostError(f"There is no event type {text!r}.", field="types", remedy=remedy))
    return found, problems


def span(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the span of time that is asked for; by default the 30 days until the end of today (UTC), or until the given end."""
    last = _moment(end, "end") if end else now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    first = _moment(start, "start") if start else last - USUAL
    if first >= last:
        raise SelfhostError(
            "start is not earlier than end.", field="start", remedy="A date without a time means its midnight, UTC."
        )
    if last - first > LONGEST:
        raise SelfhostError(
            f"From start to end are {(last - first).days} days; the server tells of {LONGEST.days} at once.",
            field="start",
            remedy="Ask for a shorter span.",
        )
    return first, last


def _moment(text: str, field: str) -> datetime:
    try:
        return parse_date(text if len(text) > len("2026-08-20") else f"{text}T00:00:00Z").astimezone(timezone.utc)
    except ValueError:
        raise SelfhostError(
            f"{text!r} is not an ISO 8601 date.", field=field, remedy="Write 2026-08-20 or 2026-08-20T10:00:00Z."
        ) from None


def shown(event: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return an event as the module does: without what it does not tell."""
    subjects = {name: event.get(wire) for name, wire in SUBJECTS.items() if event.get(wire) is not None}
    system = event.get("systemUser")
    by = {} if system is None else {"system_user": SYSTEM_USERS.get(system, str(system))}
    named = {"type": NAMES.get(event["type"], str(event["type"])), "number": event["type"]}
    return {**named, "date": show_date(parse_date(event["date"])), **subjects, **by}
