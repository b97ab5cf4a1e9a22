# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The systemd units that sync one directory again and again, as somebody who may do nothing else on the machine."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.units import CONFINED, Keys, Sections, quoted, unit_text

# Credential -> the file that systemd, as root, hands over.
Credentials = t.Mapping[str, str]

_CALLS = ("@system-service", "~@privileged @resources")
_CONFINED: Keys = {
    **CONFINED,
    "CapabilityBoundingSet": "",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "SystemCallFilter": _CALLS,
}


@dataclass(frozen=True)
class Timing:
    """When it is done: an expression of systemd.time(7), and up to how many seconds later."""

    on_calendar: str
    randomized_delay: int


@dataclass(frozen=True)
class Program:
    """What is run: a file of Python and its interpreter."""

    python: str
    path: str


@dataclass(frozen=True)
class Writer:
    """For a program that has data of its own, such as the official connector: who owns them, and where they are."""

    user: str
    directory: str


def unit_name(profile: str) -> str:
    """Return what the units are called, without the ending, and the directory of their state."""
    return f"bw-selfhost-directory-{profile}"


def units(profile: str, program: Program, credentials: Credentials, timing: Timing, writer: Writer | None) -> dict[str, str]:
    """Return the texts of service and timer by name."""
    name = unit_name(profile)
    sections: dict[str, Sections] = {
        f"{name}.service": {
            "Unit": {
                "Description": f"Sync the directory {profile} to Bitwarden",
                "Wants": "network-online.target",
                "After": "network-online.target nss-lookup.target",
            },
            "Service": {
                "Type": "oneshot",
                "ExecStart": f"{quoted(program.python)} -I {quoted(program.path)}",
                "LoadCredential": tuple(f"{credential}:{path}" for credential, path in credentials.items()),
                "StateDirectory": name,
                "StateDirectoryMode": "0700",
                "TimeoutStartSec": "1h",
                **_CONFINED,
                **(_owner(writer) if writer else _NOBODY),
            },
        },
        f"{name}.timer": {
            "Unit": {"Description": f"Sync the directory {profile} to Bitwarden again and again"},
            "Timer": {
                "OnCalendar": timing.on_calendar,
                "RandomizedDelaySec": f"{timing.randomized_delay}s",
                "Persistent": "yes",
            },
            "Install": {"WantedBy": "timers.target"},
        },
    }
    return {unit: unit_text(content, "directory_schedule") for unit, content in sections.items()}


# An account that exists only while it is needed, and reads what everybody may read.
_NOBODY: Keys = {
    "DynamicUser": "yes",
    "MemoryDenyWriteExecute": "yes",
    "ProcSubset": "pid",
    "ProtectHome": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
}


def _owner(writer: Writer) -> Keys:
    """The connector compiles at run time and asks for the machine's interfaces; its data are made its owner's again and again."""
    return {
        "User": writer.user,
        "ProtectHome": "read-only",
        "ReadWritePaths": '"' + writer.directory.replace("%", "%%") + '"',
        "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "SystemCallFilter": (*_CALLS, "@chown"),
    }
