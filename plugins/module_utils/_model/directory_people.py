# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who of a directory is which member, and what has to be done about people."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model import directory_import as wire
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Directory, User
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_names import Scope, kind, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import Options
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_state import Member, State
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change

# How a person is known to the organization: by the external id, by the address alone (made by hand), by the address under an id
# that the directory gave once, or by the address under somebody else's id.
SAME, BY_HAND, MOVED, FOREIGN = "same", "by hand", "moved", "foreign"


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        action: a word of C(directory_plan.ACTIONS).
        change: what people are shown of it.
        id: the server's id of the member or group, where there is one.
        external_id: what the step is about.
        entry: what is imported, where the step is an import.
    """

    action: str
    change: Change
    id: str = ""
    external_id: str = ""
    entry: t.Mapping[str, t.Any] | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells this step from all others."""
        return self.action, self.id or self.external_id


@dataclass(frozen=True)
class Pending:
    """What a sync does not do by itself, and why."""

    kind: str
    name: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Return it as the module does."""
        return {"kind": self.kind, "name": self.name, "reason": self.reason}


class People:
    """The people of a directory beside the members of an organization.

    Attributes:
        scope: which external ids are this directory's.
        known: external id in the directory -> (the member's id, or the external id of one to be invited; the external id under
            which the organization knows or will know the person).
        gone: members who came from this directory and are not in it any more.
    """

    def __init__(self, directory: Directory, state: State, options: Options, refused: t.Mapping[str, str]) -> None:
        self._directory, self._state, self._options, self._refused = directory, state, options, refused
        self.scope = Scope(parse(options.users.base), frozenset(map(kind, directory.present)))
        self.known: dict[str, tuple[str, str]] = {}
        self.steps: list[Step] = []
        self.pending: list[Pending] = []
        matched: set[str] = set()
        for user in directory.users:
            found = self._find(user)
            matched.update(member.id for member, _how in found)
            self._decide(user, found)
        self.gone = [member for member in state.members if member.id not in matched and self._is_gone(member)]
        if options.removals == "absent":
            for member in self.gone:
                self._remove(member, "It is not in the directory.")

    def _find(self, user: User) -> list[tuple[Member, str]]:
        """Return the members who are this person, the best match first; more than one was made by hand, or by a mistake."""
        same, member = self._state.by_external_id.get(user.external_id), self._state.by_email.get(user.email)
        found = [] if same is None else [(same, SAME)]
        if member is not None and member is not same:
            found.append((member, self._known_as(member)))
        return found

    def _known_as(self, member: Member) -> str:
        """Say how a member is known who has a person's address, but not the external id."""
        if member.external_id is None:
            return BY_HAND
        moved = self.scope.held(member.external_id) and member.external_id not in self._directory.present
        return MOVED if moved else FOREIGN

    def _is_gone(self, member: Member) -> bool:
        if not self.scope.holds(member.external_id) or member.external_id in self._directory.present:
            return False
        return member.email not in self._directory.addresses

    def _decide(self, user: User, found: list[tuple[Member, str]]) -> None:
        if user.disabled and self._options.removals != "none":
            for member, how in found:
                self._leave(user, member, how)
        elif found:
            self._stay(user, *found[0])
        else:
            entry = wire.member(user.email, user.external_id)
            change = Change("create", "member", user.email, after={"external_id": user.external_id})
            self.steps.append(Step("invite", change, external_id=user.external_id, entry=entry))
            self.known[user.external_id] = (user.external_id, user.external_id)

    def _leave(self, user: User, member: Member, how: str) -> None:
        """Let go of somebody whose account is disabled."""
        if how == BY_HAND:
            self._wait(member, "The account is disabled in the directory, but the member was not made by it.")
        elif how == SAME and member.email != user.email and member.email in self._directory.addresses:
            self._wait(member, f"{user.dn} is disabled in the directory, but the member has the address of somebody else there.")
        elif how != FOREIGN:
            self._remove(member, "The account is disabled in the directory.")
            if member.is_owner:
                self.known[user.external_id] = (member.id, str(member.external_id))

    def _remove(self, member: Member, reason: str) -> None:
        if member.is_owner:
            self._wait(member, f"{reason} A sync never removes owners.")
            return
        before = {"external_id": member.external_id, "status": member.status}
        entry = wire.member(member.email, str(member.external_id), deleted=True)
        change = Change("delete", "member", member.email, before=before, reason=reason)
        self.steps.append(Step("remove", change, member.id, str(member.external_id), entry))

    def _stay(self, user: User, member: Member, how: str) -> None:
        relinked = how == MOVED and self._options.relink and member.email not in self._refused
        external_id = str(member.external_id) if how in (MOVED, FOREIGN) and not relinked else user.external_id
        self.known[user.external_id] = (member.id, external_id)
        if how == FOREIGN:
            self._wait(member, f"The address belongs to a member with the external id {member.external_id}.")
            return
        if how == BY_HAND:
            entry = wire.member(user.email, user.external_id)
            self.steps.append(Step("link", _relink(member, external_id), member.id, external_id, entry))
        elif relinked:
            self.steps.append(Step("relink", _relink(member, external_id), member.id, external_id))
        elif how == MOVED:
            why = self._refused.get(member.email, "With relink the member gets it.")
            self._wait(member, f"The external id is now {user.external_id}, and was {member.external_id}. {why}")
        if member.email != user.email:
            self._wait(member, f"The address in the directory is now {user.email}; a server lets only the member change it.")
        if member.status == "revoked":
            self._restore(member)

    def _restore(self, member: Member) -> None:
        if self._options.restore and member.email not in self._refused:
            change = Change("update", "member", member.email, {"status": "revoked"}, {"status": "as it was before"})
            self.steps.append(Step("restore", change, member.id))
        else:
            self._wait(member, self._refused.get(member.email, "The member is revoked. With restore the access comes back."))

    def _wait(self, member: Member, reason: str) -> None:
        self.pending.append(Pending("member", member.email, reason))


def _relink(member: Member, external_id: str) -> Change:
    return Change("update", "member", member.email, {"external_id": member.external_id}, {"external_id": external_id})
