# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading an organization: few requests, whatever its size."""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict

from ansible_collections.bw.selfhost.plugins.module_utils._client import (
    groups,
    organizations,
    policies,
    profile,
    sign_on,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model import policies as policy_types, sso_config
from ansible_collections.bw.selfhost.plugins.module_utils._model.access import permission_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import open_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import (
    SETTINGS,
    Collection,
    Group,
    Member,
    Organization,
    Policy,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import CUSTOM_PERMISSIONS, ROLE_NAMES, STATUSES
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import Workplace

Rows = list[dict[str, t.Any]]
Keys = dict[str, str]  # id -> natural key

PEOPLE = frozenset({"collections", "groups", "members"})  # these are only read together, except for the names of collections
KEPT = ("accessSecretsManager", "accessPam")  # members of a member's object that an update would reset


def read(workplace: Workplace, parts: frozenset[str]) -> Organization:
    """Return what is in an organization.

    Args:
        workplace: which one.
        parts: what of it: C(collections), C(groups), C(members), C(policies), C(sso), C(scim), and C(settings) to read them anew.
            What is not asked for is empty.
    """
    server, id = workplace.server, workplace.id
    people = organizations.members(server, id) if parts & PEOPLE else []
    teams = groups.listed(server, id) if parts & PEOPLE and workplace.entry.get("useGroups") else []
    emails = {row["id"]: row["email"].lower() for row in people}
    names = _unique_names(teams)
    connection, scim = sign_on.scim(server, id) if "scim" in parts else (None, {})
    return Organization(
        settings=_settings(workplace, "settings" in parts),
        collections=_collections(workplace, (people, emails), (teams, names)) if "collections" in parts else {},
        groups=_groups(teams, names, people),
        members={emails[row["id"]]: _member(row) for row in people},
        policies=_policies(policies.listed(server, id)) if "policies" in parts else {},
        sso=sso_config.from_wire(sign_on.sso(server, id)) if "sso" in parts else {},
        scim=scim,
        scim_id=connection,
    )


def _settings(workplace: Workplace, anew: bool) -> dict[str, bool]:
    entry = workplace.entry
    if anew:
        found = profile.read(workplace.server)
        entry = {one["id"]: one for one in found.organizations + found.provider_organizations}[workplace.id]
    return {name: bool(entry.get(wire)) for name, wire in SETTINGS.items()}


def _unique_names(rows: Rows) -> Keys:
    """Return id -> key: the name, or C(name (id)) where several have it."""
    counts = Counter(row["name"] for row in rows)
    return {row["id"]: row["name"] if counts[row["name"]] == 1 else f"{row['name']} ({row['id']})" for row in rows}


def _collections(workplace: Workplace, people: tuple[Rows, Keys], teams: tuple[Rows, Keys]) -> dict[str, Collection]:
    found = workplace.collections()
    key = workplace.key  # also where there is nothing to open: a wrong password is found before anything is changed
    rows = [{**row, "name": name_of(row, key)} for row in found]
    members, groups_of = _access(*people), _access(*teams)
    keys = _unique_names(rows)
    return {
        keys[row["id"]]: Collection(
            row["name"], row.get("externalId") or None, groups_of.get(row["id"], {}), members.get(row["id"], {}), row["id"]
        )
        for row in rows
    }


def name_of(row: t.Mapping[str, t.Any], key: bytes) -> str:
    """Return the full name of a collection."""
    try:
        return open_text(row["name"], key).strip()
    except SelfhostError as error:
        raise SelfhostError(
            f"The name of the collection {row['id']} cannot be read: {error.cause}",
            field="collections",
            remedy="Another tool may have made it with a wrong key: delete it, or rename it in the web vault.",
        ) from None


def _access(rows: Rows, keys: Keys) -> dict[str, dict[str, str]]:
    """Turn the access of members or groups around: collection id -> who -> what."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        for access in row.get("collections") or ():
            found[access["id"]][keys[row["id"]]] = permission_of(access)
    return found


def _groups(rows: Rows, names: Keys, people: Rows) -> dict[str, Group]:
    members: dict[str, set[str]] = defaultdict(set)
    for row in people:
        for id in row.get("groups") or ():
            members[id].add(row["email"].lower())
    return {
        names[row["id"]]: Group(
            row["name"],
            frozenset(members[row["id"]]),
            row.get("externalId") or None,
            row["id"],
            tuple(row.get("collections") or ()),
        )
        for row in rows
    }


def _member(row: dict[str, t.Any]) -> Member:
    role, granted = ROLE_NAMES.get(row["type"], "user"), row.get("permissions") or {}
    return Member(
        email=row["email"].lower(),
        role=role,
        permissions=frozenset(name for name, wire in CUSTOM_PERMISSIONS.items() if role == "custom" and granted.get(wire)),
        status=STATUSES.get(row["status"], "staged"),
        two_step=bool(row.get("twoFactorEnabled")),
        id=row["id"],
        user_id=row.get("userId"),
        name=row.get("name"),
        claimed=bool(row.get("claimedByOrganization")),
        access=tuple(row.get("collections") or ()),
        kept={name: row[name] for name in KEPT if name in row},
    )


def _policies(rows: Rows) -> dict[str, Policy]:
    """Types that are newer than this collection are left alone."""
    known = {policy_types.NAMES[row["type"]]: row for row in rows if row["type"] in policy_types.NAMES}
    return {
        name: Policy(name, bool(row["enabled"]), {key: value for key, value in (row["data"] or {}).items() if value is not None})
        for name, row in known.items()
    }
