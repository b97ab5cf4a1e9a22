# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking the steps of a plan: one function for each stage, names resolved to ids as they come to exist."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import cached_property, partial

from ansible_collections.bw.selfhost.plugins.module_utils._client import (
    collections,
    groups,
    members,
    organizations,
    policies,
    sign_on,
)
from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import each
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model import sso_config
from ansible_collections.bw.selfhost.plugins.module_utils._model.access import access_object
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import reach
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import seal_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import SETTINGS, Member
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_case import Case
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_plan import STAGES
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import DATA_OWNERSHIP, POLICIES
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import CUSTOM_PERMISSIONS, ROLES
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import Workplace, sealed_for_member

MY_ITEMS = "My items"  # what the web vault calls a member's own collection
Body = dict[str, t.Any]
Ids = dict[str, str]  # natural key -> id
K = t.TypeVar("K")
V = t.TypeVar("V")


@dataclass
class Round:
    """One walk along the steps of a plan.

    Attributes:
        workplace: where.
        case: what is there and what is wanted.
        progress: hears what is done.
        refused: e-mail address -> the server's words, of people whom it would not confirm or restore.
    """

    workplace: Workplace
    case: Case
    progress: t.Callable[[str], None]
    refused: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        current = self.case.current
        self.members: Ids = {email: str(member.id) for email, member in current.members.items()}
        self.groups: Ids = {key: str(group.id) for key, group in current.groups.items()}
        self.collections: Ids = {key: str(collection.id) for key, collection in current.collections.items()}

    def run(self) -> None:
        """Take all steps in their order."""
        for stage in STAGES:
            keys = self.case.keys(stage)
            if keys:
                self.progress(f"{stage} ({len(keys)})")
                _WAYS[stage](self, keys)

    def each(self, call: t.Callable[[K], V], keys: t.Iterable[K]) -> list[V]:
        """Make a call for each key, several at a time where the server allows it."""
        return each(self.workplace.server, [partial(call, key) for key in keys], self.progress)

    @property
    def place(self) -> tuple[Server, str]:
        """The first two arguments of every request."""
        return self.workplace.server, self.workplace.id

    @cached_property
    def my_items(self) -> str:
        """The encrypted name of the collection that each member gets where the organization owns all data."""
        return seal_text(MY_ITEMS, self.workplace.key)

    def body_of(self, key: str) -> Body:
        """What a collection consists of."""
        wanted = self.case.target.collections[key]
        return {
            "name": seal_text(wanted.name, self.workplace.key),
            "externalId": wanted.external_id,
            "groups": [access_object(self.groups[name], word) for name, word in wanted.groups.items()],
            "users": [access_object(self.members[email], word) for email, word in wanted.members.items()],
        }

    def within_reach(self, permission: str) -> t.Callable[[t.Iterable[t.Mapping[str, t.Any]]], list[Body]]:
        """Return what leaves out the access that the caller may not change: the server keeps that, and refuses to hear of it."""
        covers = reach(self.case.caller, self.case.target.settings, self.case.current, permission)
        return lambda access: [dict(row) for row in access if covers(row["id"])]


# --- settings, policies, single sign-on, SCIM ---


def _settings(work: Round, _keys: list[str]) -> None:
    organizations.set_settings(*work.place, {SETTINGS[name]: value for name, value in work.case.target.settings.items()})


def _policies(work: Round, keys: list[str]) -> None:
    for name in keys:
        policy = work.case.target.policies[name]
        owned = name == DATA_OWNERSHIP and policy.enabled
        body = {"enabled": policy.enabled, "data": dict(policy.data) or None}
        policies.save(*work.place, POLICIES[name].number, body, work.my_items if owned else None)


def _sso(work: Round, _keys: list[str]) -> None:
    sign_on.save_sso(*work.place, sso_config.to_wire(work.case.target.sso))


def _scim(work: Round, _keys: list[str]) -> None:
    sign_on.save_scim(*work.place, work.case.current.scim_id, work.case.target.scim)


# --- members ---


def _confirm(work: Round, keys: list[str]) -> None:
    people = [work.case.current.members[email] for email in keys]
    sealed = {str(member.id): sealed_for_member(work.workplace, str(member.public_key)) for member in people}
    _note(work, members.confirm(*work.place, sealed, work.my_items))


def _restore(work: Round, keys: list[str]) -> None:
    _note(work, members.restore(*work.place, [work.members[email] for email in keys]))


def _note(work: Round, results: list[Body]) -> None:
    """Remember whom the server does not let in, for example because a policy asks for two-step login first."""
    emails = {id: email for email, id in work.members.items()}
    work.refused.update({emails[row["id"]]: row["error"] for row in results if row["error"]})


def _revoke(work: Round, keys: list[str]) -> None:
    _demand(work, members.revoke(*work.place, [work.members[email] for email in keys]))


def _remove(work: Round, keys: list[str]) -> None:
    _demand(work, members.remove(*work.place, [work.members[email] for email in keys]))


def _demand(work: Round, results: list[Body]) -> None:
    emails = {id: email for email, id in work.members.items()}
    errors = [f"{emails[row['id']]}: {row['error']}" for row in results if row["error"]]
    if errors:
        raise SelfhostError(f"The server refused: {' '.join(errors)}", field="members", remedy="Mend that, then run it again.")


def _update(work: Round, keys: list[str]) -> None:
    kept = work.within_reach("manage_users")

    def update(email: str) -> None:
        member = work.case.target.members[email]
        body = {**_role(member), "accessSecretsManager": False, **member.kept, "collections": kept(member.access), "groups": None}
        members.update(*work.place, work.members[email], body)

    work.each(update, keys)


def _invite(work: Round, _keys: list[str]) -> None:
    """Invite, then learn the ids."""

    def invite(part: list[str]) -> None:
        role = _role(work.case.target.members[part[0]])
        members.invite(*work.place, part, **role)

    work.each(invite, work.case.invitations)
    work.members.update({row["email"].lower(): row["id"] for row in organizations.members(*work.place)})


def _role(member: Member) -> Body:
    granted = {wire: name in member.permissions for name, wire in CUSTOM_PERMISSIONS.items()} if member.role == "custom" else None
    return {"type": ROLES[member.role], "permissions": granted}


# --- groups and collections ---


def _groups(work: Round, keys: list[str]) -> None:
    """Who is in a group is written here; its access belongs to the collections and is repeated as it is."""
    kept = work.within_reach("manage_groups")

    def save(name: str) -> str:
        wanted, id = work.case.target.groups[name], work.groups.get(name)
        body = {
            "name": wanted.name,
            "collections": kept(wanted.access),
            "users": [work.members[email] for email in sorted(wanted.members)],
        }
        if id is None:
            return groups.create(*work.place, body)
        groups.update(*work.place, id, body)
        return id

    work.groups.update(zip(keys, work.each(save, keys)))


def _collections(work: Round, keys: list[str]) -> None:
    def save(key: str) -> None:
        id, body = work.collections.get(key), work.body_of(key)
        if id is None:
            collections.create(*work.place, body)
        else:
            collections.update(*work.place, id, body)

    work.each(save, keys)


def _delete_groups(work: Round, keys: list[str]) -> None:
    groups.delete(*work.place, [work.groups[key] for key in keys])


def _delete_collections(work: Round, keys: list[str]) -> None:
    collections.delete(*work.place, [work.collections[key] for key in keys])


_WAYS: dict[str, t.Callable[[Round, list[str]], None]] = {
    "settings": _settings,
    "enable policy": _policies,
    "sso": _sso,
    "disable policy": _policies,
    "confirm": _confirm,
    "update member": _update,
    "remove": _remove,
    "revoke": _revoke,
    "restore": _restore,
    "invite": _invite,
    "group": _groups,
    "collection": _collections,
    "delete group": _delete_groups,
    "delete collection": _delete_collections,
    "scim": _scim,
    "update self": _update,
}
