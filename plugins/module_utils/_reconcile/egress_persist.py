# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stays when the task has ended: the program, its state, and the units that start it."""

from __future__ import annotations

import sys
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host import systemd
from ansible_collections.bw.selfhost.plugins.module_utils._host.egress_files import (
    PROGRAM,
    STATE,
    UNIT_DIRECTORY,
    EgressFiles,
    state_file,
)
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress_units import REFRESH, STARTED, UNITS, units
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan

_NOT_PERSISTENT = (
    "The permissions are not persistent: systemd does not run here, so nothing restores them after a boot or follows DNS. "
    f"Let something else run {PROGRAM} restore at boot and {PROGRAM} refresh every few minutes."
)
# Which units are enabled, and which of them must be active all the time; the refresh is started by these.
_ENABLED = {name: name in STARTED for name in UNITS if name != REFRESH}


class Persistence:
    """How the files and units of this machine differ from what they should be."""

    def __init__(self, tools: Tools, wanted: t.Mapping[str, bytes], files: EgressFiles | None = None) -> None:
        """Look, and change nothing. C(wanted) is what C(wanted_files) returned, or nothing when all must go."""
        self._tools, self._wanted, self._files = tools, wanted, files or EgressFiles()
        self._changes = self._files.plan(wanted)
        self._steps = self._unit_steps() if systemd.running() else systemd.Steps()

    @property
    def plan(self) -> Plan:
        """What C(apply) will change."""
        return self._changes + Plan(self._steps.changes)

    def apply(self) -> None:
        """Change it. Hold the lock of the files, so that no unit that is stopped here is changing rules; no unit waits for it.

        Raises:
            SelfhostError: a file may not be written, or systemd refuses a unit; what was done before it stays.
        """
        self._tools.apply(self._steps.before)
        self._files.apply(self._changes, self._wanted)
        self._tools.apply(self._steps.after)

    def _unit_steps(self) -> systemd.Steps:
        wanted = {name: active for name, active in _ENABLED.items() if _path(name) in self._wanted}
        others = [name for name in UNITS if _path(name) not in self._wanted]
        changed = [name for name in UNITS if _path(name) in {change.name for change in self._changes.changes}]
        return systemd.steps(self._tools, wanted, others, changed)


def wanted_files(
    program: bytes, state: t.Mapping[str, t.Any], interval: int, database: str | None = None
) -> tuple[dict[str, bytes], list[str]]:
    """Return the contents of all files by path, and warnings.

    Args:
        program: the zip archive; started with C(restore) or C(refresh).
        state: what the program finds as its state.
        interval, database: see C(egress_units.units).
    """
    found = {STATE: state_file(state), PROGRAM: program}
    if not systemd.running():
        return found, [_NOT_PERSISTENT]
    texts = units(sys.executable, PROGRAM, interval, database)
    return {**found, **{_path(name): text.encode() for name, text in texts.items()}}, []


def _path(unit: str) -> str:
    return f"{UNIT_DIRECTORY}/{unit}"
