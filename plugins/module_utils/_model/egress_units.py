# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The systemd units that keep the permissions across boots, reloads of firewalls, and changes of DNS and container networks."""

from __future__ import annotations

from ansible_collections.bw.selfhost.plugins.module_utils._model.units import CONFINED, Sections, quoted, unit_text

RESTORE = "bw-selfhost-egress.service"
EARLY = "bw-selfhost-egress-early.service"
RELOAD = "bw-selfhost-egress-reload.service"
REFRESH = "bw-selfhost-egress-refresh.service"
TIMER = "bw-selfhost-egress-refresh.timer"
PATH = "bw-selfhost-egress.path"
UNITS = (RESTORE, EARLY, RELOAD, REFRESH, TIMER, PATH)
# What must be active all the time; these start the others.
STARTED = (RELOAD, TIMER, PATH)
# A start, restart or reload of one of these may remove rules of ours; those that a host does not have do no harm.
_FIREWALLS = "nftables.service netfilter-persistent.service iptables.service ip6tables.service ufw.service firewalld.service"
_DOCKER = "docker.service"
_AROUND = f"{_FIREWALLS} {_DOCKER}"
# Where firewall programs write, besides our own state; a leading - is for what a host may not have.
_WRITABLE = "/run /var/lib/bw-selfhost -/etc/ufw -/lib/ufw -/var/lib/ufw -/etc/firewalld"

# Firewalls restart and networks change many times in a row; a refused start would leave rules out, or end the path unit.
_UNLIMITED = {"StartLimitIntervalSec": "0"}
# The programs need the network's configuration, files of root, and nothing else of the machine.
_CONFINED = {
    **CONFINED,
    "KillMode": "process",  # a transaction that is under way comes to its end
    "TimeoutStartSec": "120s",  # what hangs must not keep Docker from starting
    "CapabilityBoundingSet": "CAP_NET_ADMIN CAP_NET_RAW CAP_DAC_OVERRIDE",
    "MemoryDenyWriteExecute": "yes",
    "ProtectHome": "read-only",
    "ReadWritePaths": _WRITABLE,
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallFilter": "@system-service",
}


def units(python: str, program: str, interval: int, database: str | None = None) -> dict[str, str]:
    """Return the texts of the units by name.

    Args:
        python: the interpreter that runs the program, an absolute path.
        program: the program's path; it understands C(restore), C(refresh) and C(refresh DATABASE).
        interval: seconds between two looks at DNS.
        database: the file that Docker writes when networks change, an absolute path. With it, a change of networks starts a
            refresh at once, and the rules are in place before Docker starts containers; for C(mode=enforce).
    """
    command = f"{quoted(python)} -I {quoted(program)}"
    found = {
        RESTORE: _text(_restore(command)),
        RELOAD: _text(_reload(command)),
        REFRESH: _text(_refresh(f"{command} refresh" + (f" {quoted(database)}" if database else ""))),
        TIMER: _text(_timer(interval)),
    }
    if database is not None:
        found[EARLY] = _text(_early(command))
        found[PATH] = _text(_path(database))
    return found


def _restore(command: str) -> Sections:
    return {
        "Unit": {"Description": "Restore the firewall's permissions for Bitwarden", "After": _AROUND, **_UNLIMITED},
        "Service": {"Type": "oneshot", "ExecStart": f"{command} restore", **_CONFINED},
        # Every start or restart of one of them starts this anew, because it does not remain active. Not PartOf: firewalls
        # conflict, and starting one would stop and restart this at the same time, which systemd refuses altogether.
        "Install": {"WantedBy": f"multi-user.target {_AROUND}"},
    }


def _reload(command: str) -> Sections:
    return {
        "Unit": {
            "Description": "Restore the firewall's permissions for Bitwarden after reloads",
            "After": _AROUND,
            "ReloadPropagatedFrom": _AROUND,
        },
        # Only what is active can be reloaded.
        "Service": {
            "Type": "oneshot",
            "RemainAfterExit": "yes",
            "ExecStart": "/bin/true",
            "ExecReload": f"{command} restore",
            **_CONFINED,
        },
        "Install": {"WantedBy": "multi-user.target"},
    }


def _early(command: str) -> Sections:
    return {
        "Unit": {
            "Description": "Restore the firewall's rules for Bitwarden before containers start",
            "After": _FIREWALLS,
            "Before": _DOCKER,
            **_UNLIMITED,
        },
        "Service": {"Type": "oneshot", "ExecStart": f"{command} restore", **_CONFINED},
        "Install": {"WantedBy": _DOCKER},
    }


def _refresh(command: str) -> Sections:
    return {
        "Unit": {
            "Description": "Bring the firewall's permissions for Bitwarden up to date with DNS",
            "After": f"network-online.target nss-lookup.target {_DOCKER} {RESTORE}",
            **_UNLIMITED,
        },
        "Service": {"Type": "oneshot", "ExecStart": command, **_CONFINED},
    }


def _timer(interval: int) -> Sections:
    return {
        "Unit": {"Description": "Bring the firewall's permissions for Bitwarden up to date with DNS again and again"},
        "Timer": {"OnActiveSec": "5s", "OnUnitInactiveSec": f"{interval}s", "AccuracySec": "1s", "Unit": REFRESH},
        "Install": {"WantedBy": "timers.target"},
    }


def _path(database: str) -> Sections:
    return {
        "Unit": {"Description": "Look for changes of container networks"},
        # Not PathChanged, which waits until the file is closed: Docker may keep it open.
        "Path": {"PathModified": database.replace("%", "%%"), "Unit": REFRESH},
        "Install": {"WantedBy": "paths.target"},
    }


def _text(sections: Sections) -> str:
    return unit_text(sections, "egress")
