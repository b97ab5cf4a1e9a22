# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The users of a provider: invited, given their role, confirmed, removed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._client import providers
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._model import emails, provider as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.confirmation import Candidate, refusal, waits_for
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan, compare
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal, find_portal
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle

Values = dict[str, t.Any]
KIND = "provider user"


@dataclass(frozen=True)
class User:
    """A user of a provider. C(status) is a word of C(model.STATUSES)."""

    id: str
    email: str
    role: str
    status: str


@dataclass(frozen=True)
class Wish:
    """A user as the operator wants it."""

    email: str
    role: str
    fingerprint: str | None
    present: bool


Users = t.Mapping[str, User]  # by lower-case e-mail address


def plan(users: Users, wishes: t.Sequence[Wish], confirmable: t.Collection[str]) -> Plan:
    """Return what leads from the users as they are to those that were asked for; C(confirmable) are e-mail addresses."""
    todo = Plan()
    for wish in wishes:
        user = users.get(wish.email)
        status = "confirmed" if wish.email in confirmable else user.status if user else "invited"
        current = {"role": user.role, "status": user.status} if user else None
        todo += compare(KIND, wish.email, current, {"role": wish.role, "status": status} if wish.present else None)
    return todo


def refusals(users: Users, wishes: t.Sequence[Wish], self_email: str) -> list[SelfhostError]:
    """Return what is wrong with the wishes. As we stay a confirmed admin, the provider never loses its last one."""
    own = users.get(self_email.lower())
    return [
        SelfhostError(
            f"This would {'demote' if wish.present else 'remove'} {wish.email}, the account that is logged in.",
            field="users",
            remedy="Let another admin of the provider do it.",
        )
        for wish in wishes
        if own and wish.email == own.email and not (wish.present and wish.role == own.role)
    ]


def warnings(users: Users) -> list[str]:
    """Return what the operator should know although it is no reason to stop."""
    admins = [user.email for user in users.values() if (user.role, user.status) == ("provider_admin", "confirmed")]
    if len(admins) > 1:
        return []
    return [f"{admins[0]} is the only confirmed admin of the provider. If this account is lost, nobody can manage the clients."]


def ensure(params: t.Mapping[str, t.Any], check_mode: bool, progress: Progress) -> tuple[Plan, Values, list[str]]:
    """Bring the users that are named to what was asked for."""
    wishes = [_wish(item) for item in params["users"]]
    portal = find_portal(params, progress)
    refuse_all(portal.refusals(admin=True))
    users = _read(portal)
    candidates = _candidates(portal, users, wishes)
    waiting = {one.email: waits_for(one, params["confirm"], params["confirm_domains"]) for one in candidates}
    confirmed = [one for one in candidates if not waiting[one.email]]
    problems = emails.refusals([item["email"] for item in params["users"]], "users") + refusals(
        users, wishes, portal.profile.email
    )
    refuse_all([*problems, *filter(None, (refusal(one, "users") for one in candidates))])
    sealed = {one.id: keys.seal_for(portal.key, one.public_key) for one in confirmed}
    confirmable = {one.email for one in confirmed}
    todo = plan(users, wishes, confirmable)
    if todo.changed and not check_mode:
        _apply(portal, users, wishes, sealed)
        users = _read(portal)
        _verify(plan(users, wishes, confirmable))
    return todo, _values(portal, users, wishes, candidates, waiting), warnings(users)


def _wish(item: t.Mapping[str, t.Any]) -> Wish:
    return Wish(item["email"].lower(), item["role"], item["fingerprint"], item["state"] == "present")


def _read(portal: Portal) -> Users:
    rows = providers.users(portal.server, portal.id)
    return {
        row["email"].lower(): User(
            row["id"], row["email"].lower(), model.ROLE_NAMES.get(row["type"], "unknown"), model.STATUSES[row["status"]]
        )
        for row in rows
    }


def _candidates(portal: Portal, users: Users, wishes: t.Sequence[Wish]) -> list[Candidate]:
    """Return those that are named and have accepted, with the keys that the server names as theirs."""
    accepted = {users[wish.email].id: wish for wish in wishes if wish.present and _status(users, wish) == "accepted"}
    rows = providers.public_keys(portal.server, portal.id, list(accepted)) if accepted else []
    return [
        Candidate(row["id"], accepted[row["id"]].email, row["userId"], row["key"], accepted[row["id"]].fingerprint)
        for row in rows
    ]


def _status(users: Users, wish: Wish) -> str | None:
    return users[wish.email].status if wish.email in users else None


# --- applying ------------------------------------------------------------------------------------------------------------


def _apply(portal: Portal, users: Users, wishes: t.Sequence[Wish], sealed: t.Mapping[str, str]) -> None:
    server, id = portal.server, portal.id
    leaving = [users[wish.email] for wish in wishes if not wish.present and wish.email in users]
    if leaving:
        ids = [user.id for user in leaving]
        settle(
            lambda: _refuse_errors(providers.remove(server, id, ids), users),
            lambda: not {user.email for user in leaving} & set(_read(portal)),
        )
    for wish in wishes:
        if wish.present and wish.email in users and wish.role != users[wish.email].role:
            _set_role(portal, users[wish.email], wish.role)
    for role, number in model.ROLES.items():
        new = [wish.email for wish in wishes if wish.present and wish.role == role and wish.email not in users]
        for start in range(0, len(new), providers.MOST_INVITATIONS):
            _invite(portal, new[start : start + providers.MOST_INVITATIONS], number)
    if sealed:
        settle(
            lambda: _refuse_errors(providers.confirm(server, id, sealed), users),
            lambda: all(user.status == "confirmed" for user in _read(portal).values() if user.id in sealed),
        )


def _set_role(portal: Portal, user: User, role: str) -> None:
    settle(
        lambda: providers.set_role(portal.server, portal.id, user.id, model.ROLES[role]),
        lambda: _read(portal)[user.email].role == role,
    )


def _invite(portal: Portal, addresses: t.Sequence[str], role: int) -> None:
    # Asked again after a lost answer, the server passes over those whom it has invited: nobody gets a second mail.
    settle(
        lambda: providers.invite(portal.server, portal.id, addresses, role),
        lambda: set(addresses) <= set(_read(portal)),
    )


def _refuse_errors(answers: t.Iterable[t.Mapping[str, t.Any]], users: Users) -> None:
    names = {user.id: user.email for user in users.values()}
    refuse_all(
        [
            SelfhostError(f"The server refused {names.get(one['id'], one['id'])}: {one['error']}", field="users")
            for one in answers
            if one["error"]
        ]
    )


def _verify(left: Plan) -> None:
    if left.changed:
        names = ", ".join(change.name for change in left.changes)
        raise SelfhostError(
            f"The server accepted the request but did not change {names}.", field="users", remedy="Look at the provider's events."
        )


def _values(
    portal: Portal, users: Users, wishes: t.Sequence[Wish], candidates: t.Sequence[Candidate], waiting: t.Mapping[str, str]
) -> Values:
    phrases = {one.email: one.phrase for one in candidates}
    reasons = {"invited": "the invitation has not been accepted yet", "accepted": "the server has no public key of this person"}
    named = [users[wish.email] for wish in wishes if wish.email in users]
    shown = [
        {"email": user.email, "role": user.role, "status": user.status, "fingerprint": phrases.get(user.email)} for user in named
    ]
    pending = [
        {"kind": KIND, "name": user.email, "reason": waiting.get(user.email) or reasons[user.status]}
        for user in named
        if user.status in reasons
    ]
    return {"provider_id": portal.id, "provider_name": portal.name, "users": shown, "pending": pending}
