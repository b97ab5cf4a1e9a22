# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the modules that work inside an organization; documented in the fragment C(bw.selfhost.organization_content)."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.sign_on import PROVIDERS
from ansible_collections.bw.selfhost.plugins.module_utils._model.access import PERMISSIONS
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import SETTINGS as SETTING_NAMES
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import CUSTOM_PERMISSIONS, ROLES
from ansible_collections.bw.selfhost.plugins.module_utils._model.sso_config import DECRYPTION, FIELDS, SECRETS
from ansible_collections.bw.selfhost.plugins.module_utils._module import Outcome, Spec, Task
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import organization


def _entries(options: Spec) -> dict[str, t.Any]:
    return {"type": "list", "elements": "dict", "options": options}


def _access(key: str) -> dict[str, t.Any]:
    return _entries(
        {
            key: {"type": "str", "required": True},
            "permission": {"type": "str", "choices": list(PERMISSIONS), "default": "edit"},
        }
    )


def _state(*states: str) -> dict[str, t.Any]:
    return {"type": "str", "choices": ["present", *states], "default": "present"}


def prune(*classes: str) -> dict[str, t.Any]:
    """Return the option that names what goes if it is not named."""
    return {"type": "list", "elements": "str", "choices": list(classes), "default": []}


def _sign_on(kind: str) -> dict[str, t.Any]:
    options: Spec = {}
    for name, field in FIELDS.items():
        prefix, _dot, inner = name.partition(".")
        if prefix == kind:
            options[inner] = {"type": {"pem": "str"}.get(field.kind, field.kind)}
            if field.kind == "list":
                options[inner]["elements"] = "str"
            if field.choices and "algorithm" not in name:
                options[inner]["choices"] = list(field.choices)
            if name in SECRETS:
                options[inner]["no_log"] = True
    return {"type": "dict", "options": options}


COLLECTION: Spec = {
    "name": {"type": "str", "required": True},
    "external_id": {"type": "str"},
    "groups": _access("name"),
    "members": _access("email"),
    "state": _state("absent"),
}
GROUP: Spec = {
    "name": {"type": "str", "required": True},
    "members": {"type": "list", "elements": "str"},
    "state": _state("absent"),
}
MEMBER: Spec = {
    "email": {"type": "str", "required": True},
    "role": {"type": "str", "choices": list(ROLES), "default": "user"},
    "permissions": {"type": "list", "elements": "str", "choices": list(CUSTOM_PERMISSIONS)},
    "fingerprint": {"type": "str"},
    "state": _state("revoked", "absent"),
}
POLICY: Spec = {
    "type": {"type": "str", "required": True, "choices": list(POLICIES)},
    "enabled": {"type": "bool", "default": True},
    "data": {"type": "dict"},
}
SSO: Spec = {
    "enabled": {"type": "bool"},
    "identifier": {"type": "str"},
    "member_decryption": {"type": "str", "choices": list(DECRYPTION)},
    "key_connector_url": {"type": "str", "no_log": False},  # an address
    "oidc": _sign_on("oidc"),
    "saml2": _sign_on("saml2"),
}
ONE_WAY = [("oidc", "saml2")]  # these exclude each other
CONFIRMATION: Spec = {
    "confirm_members": {"type": "bool", "default": True},
    "confirm_domains": {"type": "list", "elements": "str", "default": []},
}
MAX_AFFECTED: Spec = {"max_affected": {"type": "int", "default": 0}}
CONTENT: Spec = {
    "settings": {"type": "dict", "options": {name: {"type": "bool"} for name in SETTING_NAMES}},
    "collections": _entries(COLLECTION),
    "groups": _entries(GROUP),
    "members": _entries(MEMBER),
    "policies": _entries(POLICY),
    "sso": {"type": "dict", "options": SSO, "mutually_exclusive": ONE_WAY},
    "scim": {
        "type": "dict",
        "options": {
            "enabled": {"type": "bool", "default": True},
            "provider": {"type": "str", "choices": list(PROVIDERS), "default": "default"},
        },
    },
    **CONFIRMATION,
    "prune": prune("collections", "groups", "members", "access", "memberships"),
    "max_deletions": {"type": "int", "default": 0},
    **MAX_AFFECTED,
}


def ensure(task: Task, wanted: t.Mapping[str, t.Any], *returned: str) -> Outcome:
    """Bring a part of the organization into the state that is wanted.

    Args:
        task: its options say how to get there, and what may be pruned, confirmed and affected.
        wanted: options of the module organization.
        returned: the values besides those that say which organization it is.
    """
    limits = {name: task.params[name] for name in _LIMITS if name in task.params}
    plan, values, warnings = organization.ensure(task.params, {**limits, **wanted}, task.check_mode, task.progress)
    return Outcome(plan, {name: values[name] for name in ("organization_id", "organization_name", *returned)}, warnings)


_LIMITS = (*CONFIRMATION, *MAX_AFFECTED, "prune", "max_deletions")


def chosen(task: Task, options: Spec) -> dict[str, t.Any]:
    """Return the module's own options, as an entry of a list of the module organization."""
    return {name: task.params[name] for name in options}
