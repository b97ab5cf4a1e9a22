# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking the steps of a directory's plan: removals first, so that seats and ids are free, and few requests."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from functools import partial

from ansible_collections.bw.selfhost.plugins.module_utils._client import public_api
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import each
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model import directory_import as wire
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_people import Step
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import Case
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_BUY = "Add seats (self-hosted: with a new license), or let a filter choose fewer people. Removals were already done."
# A part of what the server says -> cause, option, remedy. Source: bitwarden/server ImportOrganizationUsersAndGroupsCommand.cs.
_REFUSALS = (
    (
        "cannot use directory syncing",
        "The plan or the license of the organization does not include directory synchronization (useDirectory).",
        "client_id",
        "Change the plan, or apply a license that includes it.",
    ),
    (
        "cannot use groups",
        "The plan or the license of the organization does not include groups (useGroups).",
        "groups",
        "Leave groups out. The members were already imported.",
    ),
    (
        "does not allow additional seats",
        "The plan of the organization has a fixed number of seats, such as the 10 of Teams Starter.",
        "seats",
        "Change the plan, or let a filter choose fewer people. Removals were already done.",
    ),
    ("Cannot autoscale", "The organization does not have enough seats.", "seats", _BUY),
    ("Seat limit", "The organization does not have enough seats.", "seats", _BUY),
    (
        "active subscription",
        "The organization has no active subscription, so that no seats can be added.",
        "seats",
        "Renew the subscription.",
    ),
    (
        "confirmed owner",
        "The organization has no confirmed owner, without whom nobody can be invited.",
        "client_id",
        "Let an owner accept the invitation and be confirmed.",
    ),
)
TOO_LARGE = 413
_PLACE = re.compile(r"(members|groups)\[(\d+)\]", re.IGNORECASE)


@dataclass
class Round:
    """One walk along the steps.

    Attributes:
        server: where.
        case: what is to be done.
        progress: hears what is done.
        refused: e-mail address -> the server's words, of members whom it would not relink or restore.
    """

    server: Server
    case: Case
    progress: t.Callable[[str], None]
    refused: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Take all steps in their order."""
        case = self.case
        self._import(_entries(case.of("remove")), [])
        self._each(case.of("relink"), lambda step: public_api.set_external_id(self.server, step.id, step.external_id))
        self._each(case.of("restore"), lambda step: public_api.restore(self.server, step.id))
        self._import(_entries(case.of("link", "invite")), _entries(case.of("group_create", "group_update")))
        lost = [partial(public_api.delete_group, self.server, step.id) for step in case.of("group_delete")]
        each(self.server, lost, self.progress)

    def _import(self, members: list[wire.Body], groups: list[wire.Body]) -> None:
        if not members and not groups:
            return
        self.progress(f"importing {len(members)} members and {len(groups)} groups")
        for body in wire.requests(members, groups, invite=self.case.options.invite):
            try:
                public_api.import_directory(self.server, body)
            except ApiError as error:
                raise _explained(error, body) from None

    def _each(self, steps: t.Sequence[Step], act: t.Callable[[Step], None]) -> None:
        """Do something to each member, and remember whom the server refuses it to."""

        def attempt(step: Step) -> None:
            try:
                act(step)
            except ApiError as error:
                if error.status != 400:
                    raise
                self.refused[step.change.name] = error.cause

        each(self.server, [partial(attempt, step) for step in steps], self.progress)


def _entries(steps: t.Sequence[Step]) -> list[wire.Body]:
    return [dict(step.entry or {}) for step in steps]


def _explained(error: ApiError, body: wire.Body) -> SelfhostError:
    """Say what a refused import means, and which entry it is about."""
    if error.status == TOO_LARGE:
        return SelfhostError(
            f"A proxy before the server takes no requests of this size ({TOO_LARGE}).",
            field=error.endpoint,
            remedy="Let it take more, in nginx with client_max_body_size.",
        )
    if error.status != 400:
        return error
    said = " ".join([error.message, *(text for texts in error.validation.values() for text in texts)])
    for part, cause, option, remedy in _REFUSALS:
        if part.lower() in said.lower():
            return SelfhostError(f"{cause} ({said})", field=option, remedy=remedy)
    about = [f"{_named(place, body)}: {' '.join(texts)}" for place, texts in error.validation.items() if _PLACE.match(place)]
    if about:
        return SelfhostError(
            f"The server refuses {'; '.join(about[:3])}", field="users", remedy="Correct the entry, or let a filter leave it out."
        )
    return error


def _named(place: str, body: wire.Body) -> str:
    match = _PLACE.match(place)
    entries = body[match[1].lower()] if match else []
    entry = entries[int(match[2])] if match and int(match[2]) < len(entries) else {}
    return str(entry.get("email") or entry.get("name") or place)
