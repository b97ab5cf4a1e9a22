# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An organization from one description: read, merge, compare, refuse, apply, and look again.

Whatever goes wrong on the way, the next look tells what is left; so a lost answer, a killed run and a second run are the same.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client import members, sponsorships
from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure
from ansible_collections.bw.selfhost.plugins.module_utils._client.versions import parse_version
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import Caller
from ansible_collections.bw.selfhost.plugins.module_utils._model.confirmation import waits_for
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import Desired, MemberWish, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import Organization
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_case import Case, Facts
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_plan import Step
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_rules import (
    parts,
    refusals,
    rights,
    warnings,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_target import candidate
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import CUSTOM_PERMISSIONS, ROLE_NAMES
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.organization_apply import Round
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.organization_read import read
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import Workplace, find_workplace
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import (
    LOST_ANSWERS,
    may_have_happened,
    refuse_standstill,
)

Values = dict[str, t.Any]
Options = t.Mapping[str, t.Any]
Progress = t.Callable[[str], None]


def ensure(params: Options, wanted: Options, check_mode: bool, progress: Progress) -> tuple[Plan, Values, list[str]]:
    """Bring an organization into the state that is wanted; tell what was changed, and what waits for people.

    Args:
        params: how to get there: the options of the API, and which organization.
        wanted: the options of the module organization, or some of them.
        check_mode: whether to change nothing.
        progress: hears what is done.
    """
    work = Work(find_workplace(params, progress), parse(wanted), progress)
    refuse_all(rights(work.desired, work.caller))
    case = work.look(anew=False)
    if case.needs_key:
        _key = work.workplace.key  # a wrong password is found before anything is changed
    said = warnings(case)
    if case.steps and not check_mode:
        case = work.carry_out(case)
    return work.plan, work.values(case.target if check_mode else case.current), said


def caller_of(workplace: Workplace) -> Caller:
    """Return who we are in an organization."""
    if workplace.via_provider:
        own = workplace.profile.email.lower() if workplace.self_id else None
        return Caller(own, "owner", provider=True)
    entry = workplace.entry
    granted = entry.get("permissions") or {}
    permissions = frozenset(name for name, wire in CUSTOM_PERMISSIONS.items() if granted.get(wire))
    role = ROLE_NAMES.get(entry["type"], "user")
    return Caller(workplace.profile.email.lower(), role, permissions if role == "custom" else frozenset())


@dataclass
class Work:
    """One run.

    Attributes:
        workplace: where.
        desired: what is wanted.
        progress: hears what is done.
        planned: every step that was found to be needed, in the order of finding.
        phrases: fingerprint phrases by e-mail address.
        refused: e-mail address -> the server's words, of people whom it would not confirm or restore.
    """

    workplace: Workplace
    desired: Desired
    progress: Progress
    planned: dict[tuple[str, str], Step] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.caller = caller_of(self.workplace)

    def look(self, *, anew: bool = True) -> Case:
        """Read, compare, and refuse what is wrong. The first time, the settings stand in the profile that was just read."""
        settings = {"settings"} if anew and self.desired.settings else set()
        case = self._case(self._with_keys(read(self.workplace, parts(self.desired) | settings)))
        refuse_all(refusals(case))
        self.phrases.update(case.phrases)
        for step in case.steps:
            self.planned.setdefault((step.stage, step.key), step)
        return case

    def _case(self, current: Organization) -> Case:
        server, entry = self.workplace.server, self.workplace.entry
        version = () if server.is_cloud else parse_version(server.version)
        case = Case(self.desired, current, self.caller, Facts(entry, version, not server.is_cloud))
        if server.is_cloud or not entry.get("useAdminSponsoredFamilies") or not case.keys("invite", "restore"):
            return case
        offered = len(sponsorships.listed(server, self.workplace.id)) if server.supports("admin sponsorships") else 0
        return dataclasses.replace(case, facts=dataclasses.replace(case.facts, sponsorships=offered))

    def _with_keys(self, current: Organization) -> Organization:
        """Ask for the public keys of those who have accepted and are named, or may be confirmed without being named."""
        named = {wish.email for wish in self.desired.members or ()}
        waiting = {
            str(member.id): member
            for email, member in current.members.items()
            if member.status == "accepted" and (email in named or self.desired.confirm_domains)
        }
        if not waiting:
            return current
        keys = {row["id"]: row["key"] for row in members.public_keys(self.workplace.server, self.workplace.id, list(waiting))}
        found = {member.email: dataclasses.replace(member, public_key=keys.get(id)) for id, member in waiting.items()}
        return dataclasses.replace(current, members={**current.members, **found})

    def carry_out(self, case: Case) -> Case:
        """Take the steps until none is left, and return the last look."""
        taken: set[tuple[str, str]] = set()
        lost = 0
        while True:
            walk = Round(self.workplace, case, self.progress)
            try:
                walk.run()
                taken.update((step.stage, step.key) for step in case.steps)
            except Failure as error:
                lost += 1
                if lost > LOST_ANSWERS or not may_have_happened(error):
                    raise
            self.refused.update(walk.refused)
            case = self.look()
            left = [step for step in case.steps if not self._is_refused(step)]
            if not left:
                return case
            refuse_standstill([step.change for step in left if (step.stage, step.key) in taken], "organization")

    def _is_refused(self, step: Step) -> bool:
        return step.stage in ("confirm", "restore") and step.key in self.refused

    @property
    def plan(self) -> Plan:
        """What was, or would be, changed."""
        return Plan(tuple(step.change for step in self.planned.values() if not self._is_refused(step)))

    def values(self, state: Organization) -> Values:
        """Return the module's values for a state."""
        named = [wish for wish in self.desired.members or () if wish.email in state.members]
        people = [
            {
                "email": wish.email,
                "role": state.members[wish.email].role,
                "status": state.members[wish.email].status,
                "fingerprint": self.phrases.get(wish.email),
            }
            for wish in named
        ]
        reasons = {wish.email: self._waits_for(wish, state) for wish in named if wish.state == "present"}
        return {
            "organization_id": self.workplace.id,
            "organization_name": self.workplace.name,
            "members": people,
            "pending": [{"kind": "member", "name": email, "reason": reason} for email, reason in reasons.items() if reason],
        }

    def _waits_for(self, wish: MemberWish, state: Organization) -> str:
        """Say what a person waits for; nothing for somebody who is where they should be."""
        member = state.members[wish.email]
        if member.status == "confirmed":
            return ""
        if wish.email in self.refused:
            return self.refused[wish.email]
        if member.status == "accepted":
            reason = waits_for(candidate(member, wish), self.desired.confirm, self.desired.confirm_domains)
            return reason or "The account has no key pair yet."
        return _REASONS.get(member.status, member.status)


_REASONS = {
    "invited": "The invitation is not accepted yet.",
    "staged": "A directory has provisioned the member without an invitation.",
}
