# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The service manager: which units are enabled and running, and how to change that."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Command
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, compare

_ASKED = "--property=Id,ActiveState,UnitFileState,NeedDaemonReload"


class Steps(t.NamedTuple):
    """What must change, for people; and what to run before files of units are changed, and after it."""

    changes: tuple[Change, ...] = ()
    before: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()


def running() -> bool:
    """Say whether systemd manages this machine. Source: sd_booted(3)."""
    return Path("/run/systemd/system").is_dir()


def version(tools: Tools) -> int:
    """Return systemd's version, such as 252; 0 where it does not manage this machine."""
    return int(tools.read(["systemctl", "--version"]).split()[1]) if running() else 0


def steps(tools: Tools, wanted: t.Mapping[str, bool], others: t.Collection[str], changed: t.Collection[str]) -> Steps:
    """Return what makes the C(wanted) units enabled, and those active that must be, and all C(others) neither.

    Args:
        wanted: unit -> whether it must be active all the time. A unit that is only started by others is not named here.
        changed: the units whose files will be written or removed.
    """
    states = _states(tools, [*wanted, *others])
    found = {name: _facts(state) for name, state in states.items()}
    desired = {name: {"enabled": True, **({"active": True} if active else {})} for name, active in wanted.items()}
    changes = [change for name, state in desired.items() for change in compare("systemd unit", name, found[name], state).changes]
    leave = [name for name in others if any(found[name].values())]
    changes += [Change("delete", "systemd unit", name, before=found[name]) for name in leave]
    enable = [name for name in wanted if name in changed or not found[name]["enabled"]]
    # A running timer or path unit goes on with its old settings until it is started anew.
    start = [name for name, active in wanted.items() if active and (name in changed or not found[name]["active"])]
    after = []
    if changed or any(state["NeedDaemonReload"] == "yes" for state in states.values()):
        after.append(_systemctl("daemon-reload"))
    after += [_systemctl("reenable", *enable)] if enable else []
    after += [_systemctl("restart", *start)] if start else []
    return Steps(tuple(changes), tuple(_leaving(leave, others)), tuple(after))


def _leaving(names: t.Sequence[str], others: t.Collection[str]) -> t.Iterator[Command]:
    """Return how to disable and stop units: first those that start others, or a stop would be canceled by such a start."""
    starters = [name for name in names if name.endswith((".timer", ".path"))]
    rest = [name for name in names if name not in starters]
    if starters:
        yield _systemctl("disable", "--now", *starters)
    if rest:
        yield _systemctl("disable", *rest)
    if names:  # also what was started after we looked, and what fails only by being stopped; a pattern may match nothing
        patterns = [f"{name}*" for name in others]
        yield _systemctl("stop", *patterns)
        yield _systemctl("reset-failed", *patterns)


def _states(tools: Tools, names: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what systemd says of units, by name; units that it does not know are inactive and not enabled."""
    blocks = tools.read(["systemctl", "show", _ASKED, *names]).strip().split("\n\n")
    states = (dict(line.split("=", 1) for line in block.splitlines()) for block in blocks)
    return {state["Id"]: {"UnitFileState": "", "NeedDaemonReload": "no", **state} for state in states}


def _facts(state: t.Mapping[str, str]) -> dict[str, bool]:
    return {"enabled": state["UnitFileState"] == "enabled", "active": state["ActiveState"] not in ("inactive", "failed")}


def _systemctl(*arguments: str) -> Command:
    return Command(("systemctl", *arguments))
