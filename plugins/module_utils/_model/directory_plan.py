# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan that leads from an organization to what a directory says: people first, then groups."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model import directory_import as wire
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Directory, Group as Wanted
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_names import Scope, kind, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import Options
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_people import Pending, People, Step
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_state import Group, Member, State
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, compare

# In the order in which they have to be taken: seats are freed before they are needed, and groups refer to people.
ACTIONS = (
    "remove",
    "relink",
    "restore",
    "link",
    "invite",
    "group_create",
    "group_update",
    "group_delete",
)
COUNTS = (*(action for action in ACTIONS if action != "group_update"), "group_rename", "group_membership")


@dataclass(frozen=True)
class Case:
    """Both sides, and what follows from them.

    Attributes:
        directory: what should be.
        state: what is.
        options: what is wanted.
        steps: the steps in their order.
        pending: what is left to people.
        ours: members who came from this directory.
        gone: those of them who are not in it any more.
        losing: those of them who are removed, or lose a group because they are gone.
        groups: groups on the server that came from this directory.
        emptied: names of those that are deleted or lose all their members.
    """

    directory: Directory
    state: State
    options: Options
    steps: list[Step]
    pending: list[Pending]
    ours: list[Member]
    gone: list[Member]
    losing: list[Member]
    groups: list[Group]
    emptied: list[str]

    def of(self, *actions: str) -> list[Step]:
        """Return the steps of some kinds."""
        return [step for step in self.steps if step.action in actions]


def counts(steps: t.Sequence[Step]) -> dict[str, int]:
    """Return how many steps of each kind there are; a group may be renamed and get other members in one."""
    found = Counter(step.action for step in steps)
    updates = [step.change.after for step in steps if step.action == "group_update"]
    found["group_rename"] = sum("name" in fields for fields in updates)
    found["group_membership"] = sum(bool(fields.keys() - {"name"}) for fields in updates)
    return {name: found[name] for name in COUNTS}


def plan(directory: Directory, state: State, options: Options, refused: t.Mapping[str, str] | None = None) -> Case:
    """Compare both sides.

    Args:
        directory: what should be.
        state: what is; the groups that came from the directory with their members.
        options: what is wanted.
        refused: e-mail address -> the server's words, of members whom it would not relink or restore.
    """
    people = People(directory, state, options, refused or {})
    teams = _Teams(directory, state, options, people)
    removed = {step.id for step in people.steps if step.action == "remove"}
    gone = {member.id for member in people.gone}
    return Case(
        directory=directory,
        state=state,
        options=options,
        steps=sorted([*people.steps, *teams.steps], key=lambda step: ACTIONS.index(step.action)),
        pending=[*people.pending, *teams.pending],
        ours=[member for member in state.members if people.scope.holds(member.external_id)],
        gone=people.gone,
        losing=[member for member in state.members if member.id in removed | (teams.losing & gone)],
        groups=teams.ours,
        emptied=teams.emptied,
    )


def group_scope(directory: Directory, options: Options) -> Scope:
    """Return which external ids are those of this directory's groups."""
    base = options.groups.base if options.groups else options.users.base
    return Scope(
        parse(base), frozenset(kind(group.external_id) for group in directory.groups) or frozenset(map(kind, directory.present))
    )


class _Teams:
    """The groups of a directory beside those of an organization."""

    def __init__(self, directory: Directory, state: State, options: Options, people: People) -> None:
        self._state = state
        self._people = people
        self._removed = {step.id for step in people.steps if step.action == "remove"}
        self._names = {member.id: member.email for member in state.members}
        self._names.update((user.external_id, user.email) for user in directory.users)
        self.steps: list[Step] = []
        self.pending: list[Pending] = []
        self.losing: set[str] = set()
        self.emptied: list[str] = []
        scope = group_scope(directory, options)
        self.ours = [group for group in state.groups if options.groups and scope.holds(group.external_id)]
        known = {group.external_id: group for group in state.groups}
        for wanted in directory.groups:
            self._compare(wanted, known.get(wanted.external_id))
        wanted_ids = {group.external_id for group in directory.groups}
        for group in self.ours:
            if options.groups and group.external_id not in wanted_ids:
                self._lost(group, options.groups.absent)

    def _compare(self, wanted: Wanted, found: Group | None) -> None:
        known = [self._people.known[id] for id in wanted.members if id in self._people.known]
        after = frozenset(key for key, _id in known)
        entry = wire.group(wanted.name, wanted.external_id, (id for _key, id in known))
        if found is None:
            fields = {"external_id": wanted.external_id, **self._fields(after)}
            change = Change("create", "group", wanted.name, after=fields)
            self.steps.append(Step("group_create", change, external_id=wanted.external_id, entry=entry))
            return
        before = (found.members or frozenset()) - self._removed
        if (found.name, before) == (wanted.name, after):
            return
        was, will = self._fields(before), self._fields(after)
        current, target = {"name": found.name, **was}, {"name": wanted.name, **dict.fromkeys(was), **will}
        for change in compare("group", wanted.name, current, target).changes:
            self.steps.append(Step("group_update", change, found.id, wanted.external_id, entry))
        self.losing |= before - after
        if before and not after:
            self.emptied.append(found.name)

    def _fields(self, members: t.Iterable[str]) -> dict[str, t.Any]:
        return {f"member {email}": True for email in sorted(self._names.get(key, key) for key in members)}

    def _lost(self, group: Group, absent: str) -> None:
        """A group that the directory does not have any more."""
        if absent == "delete":
            change = Change("delete", "group", group.name, before={"external_id": group.external_id})
            self.steps.append(Step("group_delete", change, group.id, str(group.external_id)))
            self.emptied.append(group.name)
        elif absent == "report":
            self.pending.append(Pending("group", group.name, "The group is not in the directory."))
