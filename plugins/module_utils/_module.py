# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only glue to AnsibleModule: argument spec pieces, secrets, errors and plans."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan

Spec = dict[str, dict[str, t.Any]]


def _server_arguments() -> Spec:
    """How to reach one Bitwarden server and who we are there; documented in the fragment C(bw.selfhost.api)."""
    return {
        "server_url": {"type": "str", "fallback": (env_fallback, ["BW_SERVER"])},
        "region": {"type": "str", "choices": ["us", "eu"]},
        "client_id": {"type": "str", "fallback": (env_fallback, ["BW_CLIENTID"])},
        "client_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["BW_CLIENTSECRET"])},
        "email": {"type": "str"},
        "master_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["BW_PASSWORD"])},
        "session": {"type": "dict", "no_log": True},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "timeout": {"type": "int", "default": 30},
    }


API_ARGUMENTS: Spec = _server_arguments()
# The same options for a second server; its credentials are never taken from the first one's environment.
CLOUD_ARGUMENTS: Spec = {
    "cloud": {
        "type": "dict",
        "options": {name: {k: v for k, v in spec.items() if k != "fallback"} for name, spec in _server_arguments().items()},
    }
}
# Which organization or provider of the account is meant; documented in the fragments C(bw.selfhost.organization) and
# C(bw.selfhost.provider).
ORGANIZATION_ARGUMENTS: Spec = {"organization_id": {"type": "str"}, "organization_name": {"type": "str"}}
PROVIDER_ARGUMENTS: Spec = {"provider_id": {"type": "str"}, "provider_name": {"type": "str"}}
# Where the installation is; documented in the fragment C(bw.selfhost.host).
HOST_ARGUMENTS: Spec = {"bwdata": {"type": "path", "default": "/opt/bitwarden/bwdata"}}
# What must be reachable; documented in the fragment C(bw.selfhost.egress).
EGRESS_ARGUMENTS: Spec = {
    **HOST_ARGUMENTS,
    "region": {"type": "str", "choices": ["us", "eu"]},
    "settings": {"type": "dict", "default": {}},
    "purposes": {"type": "list", "elements": "str", "choices": ["cloud", "settings", "update"], "default": ["cloud", "settings"]},
    "destinations": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "default": 443},
            "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
            "reason": {"type": "str"},
        },
    },
    "scope": {"type": "list", "elements": "str", "choices": ["host", "containers"], "default": ["host", "containers"]},
    "resolvers": {"type": "list", "elements": "str"},
    "allow_private": {"type": "list", "elements": "str", "default": []},
    "proxy": {"type": "str", "no_log": True},  # its URL may hold a password
    "no_proxy": {"type": "str"},
    "timeout": {"type": "float", "default": 5},
    "ca_path": {"type": "path"},
}


@dataclass
class Task:
    """What a module's work function gets: its options, the mode, and a way to hide secrets it meets on its way.

    C(progress) shows a sentence to the operator at once; where nobody could see it before the end, it is silent.
    """

    params: dict[str, t.Any]
    check_mode: bool
    hide: t.Callable[[str | None], None]
    progress: t.Callable[[str], None] = lambda _text: None


@dataclass
class Outcome:
    """What a module's work function gives back.

    Attributes:
        plan: what was (or, in check mode, would be) changed.
        values: further return values.
        warnings: sentences shown to the operator.
        diff: replaces the plan's own diff, where a better one exists (a file's text).
    """

    plan: Plan = field(default_factory=Plan)
    values: dict[str, t.Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    diff: t.Any = None


class _Module(AnsibleModule):  # type: ignore[misc]
    """A module that never repeats its options: secrets hide in free-form ones, and ansible-core 2.22 no longer does it either."""

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        super().exit_json(invocation={}, **result)
        raise SystemExit

    def fail_json(self, msg: str, **result: t.Any) -> t.NoReturn:
        super().fail_json(msg, invocation={}, **result)
        raise SystemExit


Work = t.Callable[[Task], Outcome]


def run(work: Work, argument_spec: Spec, **rules: t.Any) -> None:
    """Run one module: parse the options, do the work, and exit as Ansible expects. C(rules) are those of AnsibleModule."""
    module = _Module(argument_spec=argument_spec, supports_check_mode=True, **rules)
    result = result_of(work, Task(dict(module.params), module.check_mode, lambda secret: _hide(module, secret)))
    for warning in result.pop("warnings"):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def result_of(work: Work, task: Task) -> dict[str, t.Any]:
    """Do the work and return what Ansible gets to see, before secrets are masked."""
    try:
        outcome = work(task)
    except SelfhostError as error:
        return {"failed": True, "msg": str(error), "error": error.as_dict(), "warnings": []}
    return {
        "changed": outcome.plan.changed,
        "changes": outcome.plan.as_list(),
        "diff": outcome.plan.diff() if outcome.diff is None else outcome.diff,
        "warnings": outcome.warnings,
        **outcome.values,
    }


def masked(result: dict[str, t.Any], secrets: t.Collection[str]) -> dict[str, t.Any]:
    """Mask secrets wherever they stand in a result, after a quick look: JSON writes every character for itself."""
    text = json.dumps(result, default=str)
    found = any(json.dumps(secret)[1:-1] in text for secret in secrets)
    return t.cast("dict[str, t.Any]", remove_values(result, secrets)) if found else result


def _hide(module: AnsibleModule, secret: str | None) -> None:
    """Mask a value in everything this module prints from now on."""
    if not secret:
        return
    try:  # ansible-core 2.22 and later
        from ansible.module_utils.secrets import register_secret
    except ImportError:
        module.no_log_values.add(secret)
    else:
        register_secret(secret)
