# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The texts of systemd units."""

from __future__ import annotations

import typing as t

# Key -> value, or the values of a key that stands there several times.
Keys = t.Mapping[str, t.Union[str, tuple[str, ...]]]
Sections = t.Mapping[str, Keys]

# What no program of ours needs of a machine, whatever it does.
CONFINED = {
    "LockPersonality": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectSystem": "strict",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "UMask": "0077",
}


def unit_text(sections: Sections, module: str) -> str:
    """Return a unit's text, with the name of the module that manages it."""
    return f"# Managed by bw.selfhost.{module}\n" + "\n\n".join(_block(name, keys) for name, keys in sections.items()) + "\n"


def _block(name: str, keys: Keys) -> str:
    pairs = ((key, one) for key, value in keys.items() for one in ((value,) if isinstance(value, str) else value))
    return "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in pairs)])


def quoted(path: str) -> str:
    """Return a path as systemd's command lines want it."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'
