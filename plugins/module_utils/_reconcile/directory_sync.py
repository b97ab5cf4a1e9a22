# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Members and groups of an organization as a directory says: read both, compare, refuse, apply, and look again.

Whatever goes wrong on the way, the next look tells what is left; so a lost answer, a killed run and a second run are the same.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import partial

from ansible_collections.bw.selfhost.plugins.module_utils._client import public_api
from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import silent
from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import each
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._directory import ldap
from ansible_collections.bw.selfhost.plugins.module_utils._model import directory_options
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Directory, map_entries
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_guards import refusals, warnings
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_import import import_requests, sync_hash
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import Options
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_people import Step
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import Case, counts, plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_state import Group, Member, Seats, State
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.directory_apply import Round
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import (
    LOST_ANSWERS,
    RERUN,
    may_have_happened,
    refuse_standstill,
)

Params = t.Mapping[str, t.Any]
Values = dict[str, t.Any]
Progress = t.Callable[[str], None]


def ensure(params: Params, check_mode: bool, progress: Progress = silent) -> tuple[Plan, Values, list[str]]:
    """Bring members and groups into the state that a directory has; tell what was changed, and what waits for people.

    Args:
        params: the options of the module directory_sync; those that are missing have their defaults.
        check_mode: whether to change nothing.
        progress: hears what is done.
    """
    options = directory_options.parse(params)
    server = public_api.connect_organization(params, progress)
    public_api.organization_id(server)  # a wrong key is refused before the directory is asked
    directory = read_directory(params, options)
    progress(f"the directory has {len(directory.users)} people and {len(directory.groups)} groups")
    work = Work(server, options, directory, progress)
    case = work.look()
    said = [*_connection_warnings(params), *warnings(case)]
    if case.steps and not check_mode:
        case = work.carry_out(case)
    return work.plan, work.values(case), said


def read_directory(params: Params, options: Options) -> Directory:
    """Search the directory and map what is found."""
    with ldap.connect(directory_options.connection(params)) as found:
        users = found.search(options.users.base, options.users.filter, options.users.attributes, "users")
        rules = options.groups
        groups = found.search(rules.base, rules.filter, rules.attributes, "groups") if rules else []
    return map_entries(users, groups, options.users, options.groups)


def read_state(server: Server, options: Options, directory: Directory, progress: Progress) -> State:
    """Read the organization: who is in a group is asked of those groups only that the directory has."""
    members = tuple(map(Member.of_wire, public_api.members(server)))
    return State(members, _groups(server, directory, progress) if options.groups else (), _seats(server))


def _groups(server: Server, directory: Directory, progress: Progress) -> tuple[Group, ...]:
    rows = public_api.groups(server)
    wanted = {group.external_id for group in directory.groups}
    asked = [row["id"] for row in rows if row.get("externalId") in wanted]
    found = dict(zip(asked, each(server, [partial(public_api.group_members, server, id) for id in asked], progress)))
    return tuple(Group.of_wire(row, found.get(row["id"])) for row in rows)


def _seats(server: Server) -> Seats | None:
    now, most = public_api.seats(server) if server.is_cloud else (None, None)
    return None if now is None else Seats(now, most)


def _connection_warnings(params: Params) -> list[str]:
    connection = directory_options.connection(params)
    if connection["tls"] != "none" or connection["anonymous"]:
        return []
    return ["The password of bind_dn crosses the network in clear text; set tls to ldaps or to starttls."]


@dataclass
class Work:
    """One run.

    Attributes:
        server: the server, with the organization logged in.
        options: what is wanted.
        directory: what should be.
        progress: hears what is done.
        planned: every step that was found to be needed, in the order of finding.
        refused: e-mail address -> the server's words, of members whom it would not relink or restore.
    """

    server: Server
    options: Options
    directory: Directory
    progress: Progress
    planned: dict[tuple[str, str], Step] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def look(self) -> Case:
        """Read, compare, and refuse what is wrong."""
        state = read_state(self.server, self.options, self.directory, self.progress)
        case = plan(self.directory, state, self.options, self.refused)
        refuse_all([*refusals(case), *self._release_problems(case)])
        for step in case.steps:
            self.planned.setdefault(step.key, step)
        return case

    def _release_problems(self, case: Case) -> list[SelfhostError]:
        if not case.of("restore") or self.server.supports("public restore"):
            return []
        return [
            SelfhostError(
                f"The server {self.server.version} cannot restore members for an organization's key.",
                field="restore",
                remedy="Update it to 2026.2.0 or later, or leave restore out.",
            )
        ]

    def carry_out(self, case: Case) -> Case:
        """Take the steps until none is left, and return the last look."""
        taken: set[tuple[str, str]] = set()
        lost = 0
        while case.steps:
            refuse_standstill([step.change for step in case.steps if step.key in taken], "users")
            walk = Round(self.server, case, self.progress)
            try:
                walk.run()
                taken.update(step.key for step in case.steps)
            except Failure as error:
                lost += 1
                if not may_have_happened(error):
                    raise
                if lost > LOST_ANSWERS:
                    raise SelfhostError(error.cause, field=error.field, remedy=RERUN) from None
            self.refused.update(walk.refused)
            case = self.look()
        return case

    @property
    def steps(self) -> list[Step]:
        """What was, or would be, done."""
        refusable = ("relink", "restore")
        return [step for step in self.planned.values() if step.action not in refusable or step.change.name not in self.refused]

    @property
    def plan(self) -> Plan:
        """The same, as people are shown it."""
        return Plan(tuple(step.change for step in self.steps))

    def values(self, case: Case) -> Values:
        """Return the module's values; C(case) is the last look."""
        directory = self.directory
        bodies = import_requests(directory, remove_disabled=self.options.removals != "none", invite=self.options.invite)
        return {
            "directory": {
                "users": len(directory.users),
                "groups": len(directory.groups),
                "disabled": sum(user.disabled for user in directory.users),
                "skipped": [{"name": name, "reason": reason} for name, reason in directory.skipped],
                "sync_hash": sync_hash(self.server.endpoints.api, public_api.organization_id(self.server), bodies),
            },
            "plan": counts(self.steps),
            "pending": [one.as_dict() for one in case.pending],
        }
