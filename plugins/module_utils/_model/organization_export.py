# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An organization as the options of the module organization: everything that is named here, and so no secret."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model import sso_config, yaml_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import (
    SETTINGS,
    Collection,
    Group,
    Member,
    Organization,
    Policy,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES

Options = dict[str, t.Any]

PARTS = ("settings", "groups", "collections", "members", "policies", "sso", "scim")
COMMENTS = {
    "settings": ["Who may create and delete collections and items, and whether admins see all of them."],
    "groups": ["Groups own who is in them."],
    "collections": ["Collections own who has access. A slash in a name nests it."],
    "members": ["Whoever is not a member yet is invited, and confirmed in a later run, when the invitation has been accepted."],
    "confirm_members": [
        "Somebody waits to be confirmed. Compare the fingerprint phrase, which the module returns, before you allow it."
    ],
    "policies": ["The data of a policy has the names that Bitwarden's API uses."],
    "sso": ["Single sign-on."],
    "sso.oidc": [
        "client_secret is left out, as it is secret. The server keeps the one that it has. Give it for another organization,",
        'from Ansible Vault: client_secret: "{{ oidc_client_secret }}"',
    ],
    "scim": ["Directory synchronisation by SCIM. Its key is not part of this."],
}


def options_of(state: Organization, parts: t.Collection[str]) -> Options:
    """Return the options that describe a state, sorted, so that the same state always gives the same.

    Args:
        state: the organization.
        parts: which options, of C(PARTS).
    """
    found = {name: build(state) for name, build in _OPTIONS.items() if name.replace("confirm_", "") in parts}
    return {name: value for name, value in found.items() if value is not None}


def _settings(state: Organization) -> Options:
    return {name: state.settings[name] for name in SETTINGS}


def _groups(state: Organization) -> list[Options]:
    return [_group(key, state.groups[key]) for key in sorted(state.groups)]


def _group(key: str, group: Group) -> Options:
    return {"name": key, "members": sorted(group.members)}


def _collections(state: Organization) -> list[Options]:
    return [_collection(key, state.collections[key]) for key in sorted(state.collections)]


def _collection(key: str, collection: Collection) -> Options:
    external_id = {"external_id": collection.external_id} if collection.external_id else {}
    return {
        "name": key,
        **external_id,
        "groups": [{"name": name, "permission": word} for name, word in sorted(collection.groups.items())],
        "members": [{"email": email, "permission": word} for email, word in sorted(collection.members.items())],
    }


def _members(state: Organization) -> list[Options]:
    return [_member(state.members[email]) for email in sorted(state.members)]


def _member(member: Member) -> Options:
    permissions = {"permissions": sorted(member.permissions)} if member.role == "custom" else {}
    revoked = {"state": "revoked"} if member.status == "revoked" else {}
    return {"email": member.email, "role": member.role, **permissions, **revoked}


def _confirm_members(state: Organization) -> bool | None:
    """To confirm those who wait would be a change, and not one that should happen by the way."""
    return False if any(member.status == "accepted" for member in state.members.values()) else None


def _policies(state: Organization) -> list[Options]:
    return [_policy(state.policies[name]) for name in POLICIES if name in state.policies]


def _policy(policy: Policy) -> Options:
    known = {key: policy.data[key] for key in POLICIES[policy.type].keys if key in policy.data}
    return {"type": policy.type, "enabled": policy.enabled, **({"data": known} if known else {})}


def _sso(state: Organization) -> Options | None:
    names = ["enabled", "identifier", *(name for name in sso_config.FIELDS if name not in sso_config.SECRETS)]
    known = {name: state.sso[name] for name in names if state.sso.get(name) is not None}
    return sso_config.nested(known) or None


def _scim(state: Organization) -> Options | None:
    return {name: state.scim[name] for name in ("enabled", "provider") if state.scim.get(name) is not None} or None


# The module's option -> how it is made.
_OPTIONS: dict[str, t.Callable[[Organization], t.Any]] = {
    "settings": _settings,
    "groups": _groups,
    "collections": _collections,
    "members": _members,
    "confirm_members": _confirm_members,
    "policies": _policies,
    "sso": _sso,
    "scim": _scim,
}


def document(name: str, id: str, options: Options) -> str:
    """Return the options as a file of tasks, with comments.

    Args:
        name: the organization's.
        id: the organization's.
        options: those of C(options_of).
    """
    task = {"name": "The organization is as described here", "bw.selfhost.organization": {"organization_name": name, **options}}
    place = "bw.selfhost.organization"
    comments = {f"{place}.{path}": said for path, said in COMMENTS.items()}
    comments[f"{place}.organization_name"] = [f"Its id there is {yaml_text.scalar(id)}."]
    head = ["---", *(f"# {line}" for line in _HEAD)]
    return "\n".join([*head, *yaml_text.lines([task], comments)]) + "\n"


_HEAD = (
    "An organization as it is on its server, made by bw.selfhost.organization_export. Run it with ansible.builtin.include_tasks.",
    "What is not named stays. To take it away, add prune, such as prune: [access, memberships], and max_deletions.",
)
