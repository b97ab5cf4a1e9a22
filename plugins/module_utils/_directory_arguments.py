# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the module directory_sync; their defaults stand in C(_model/directory_options.py)."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model import directory_options as model
from ansible_collections.bw.selfhost.plugins.module_utils._module import Spec

_TYPES = {bool: "bool", int: "int", str: "str"}


def _with_defaults(defaults: t.Mapping[str, t.Any], **choices: tuple[str, ...]) -> Spec:
    """Return the options that have defaults."""
    found: Spec = {name: {"type": _TYPES[type(value)], "default": value} for name, value in defaults.items()}
    for name, words in choices.items():
        found[name]["choices"] = list(words)
    return found


def _texts(*names: str) -> Spec:
    return {name: {"type": "str"} for name in names}


DIRECTORY_ARGUMENTS: Spec = {
    "directory": {
        "type": "dict",
        "required": True,
        "options": {
            **_with_defaults(model.DIRECTORY, tls=model.TLS),
            **_texts("bind_dn", "root_dn"),
            "hosts": {"type": "list", "elements": "str", "required": True},
            "port": {"type": "int"},
            "ca_path": {"type": "path"},
            "bind_password": {"type": "str", "no_log": True},
        },
    },
    "users": {
        "type": "dict",
        "required": True,
        "options": {
            **_with_defaults(model.USERS),
            **_texts("base", "object_class", "filter", "email_attribute"),
            "email_fallback": {
                "type": "dict",
                "options": {"prefix_attribute": {"type": "str"}, "suffix": {"type": "str", "required": True}},
            },
        },
    },
    "groups": {
        "type": "dict",
        "options": {
            **_with_defaults(model.GROUPS, absent=model.ABSENT_GROUPS),
            **_texts("base", "object_class", "filter", "name_attribute", "member_attribute"),
        },
    },
    **_with_defaults(model.SYNC, removals=model.REMOVALS),
    "seats": {"type": "int"},
}
