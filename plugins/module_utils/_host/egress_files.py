# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files that keep the egress permissions without Ansible: the program, its state, and systemd units."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._host.lock import hold
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress_units import UNITS
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan, compare

PROGRAM = "/usr/local/lib/bw-selfhost/egress.pyz"
STATE = "/var/lib/bw-selfhost/egress.json"
UNIT_DIRECTORY = "/etc/systemd/system"
LOCK = "/run/bw-selfhost-egress.lock"
_VERSION = 1
_MODES = {PROGRAM: 0o755, STATE: 0o600}
# Everything that can be ours, in the order in which it is written: a unit never finds its program or state missing.
_ALL = (STATE, PROGRAM, *(f"{UNIT_DIRECTORY}/{name}" for name in UNITS))


class EgressFiles:
    """All our files below one root directory, which is another than C(/) in tests only."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def state(self) -> dict[str, t.Any] | None:
        """Return what was last written as state; C(None) when there is none.

        Raises:
            SelfhostError: the file is no state of this version.
        """
        file = files.read(self._path(STATE))
        if file is None:
            return None
        try:
            document = json.loads(file.data or b"")
            version, content = document["version"], document["state"]
        except (ValueError, KeyError, TypeError):
            raise _unusable("The state of the egress permissions is damaged.") from None
        if version != _VERSION or not isinstance(content, dict):
            raise _unusable(f"The state of the egress permissions has version {version!r}; {_VERSION} is what can be read.")
        return content

    def plan(self, wanted: t.Mapping[str, bytes]) -> Plan:
        """Return how files differ from C(wanted), contents by absolute path; our files that it does not name go."""
        found = Plan()
        for name in _ALL:
            found += compare("file", name, self._shown(name), _fields(name, wanted.get(name), _mode(name)))
        return found

    def apply(self, plan: Plan, wanted: t.Mapping[str, bytes]) -> None:
        """Do what C(plan) says: each file whole or not at all."""
        for change in plan.changes:
            path = self._path(change.name)
            if change.action == "delete":
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                files.replace(files.File(path, None, _mode(change.name), os.geteuid(), os.getegid()), wanted[change.name])
        if not wanted:
            self._leave()

    def write_state(self, content: t.Mapping[str, t.Any]) -> bool:
        """Write the state alone, if it differs; say whether it did."""
        wanted = {STATE: state_file(content)}
        plan = Plan(tuple(change for change in self.plan(wanted).changes if change.name == STATE))
        self.apply(plan, wanted)
        return plan.changed

    @contextlib.contextmanager
    def lock(self, timeout: float) -> t.Iterator[None]:
        """Wait until no other run, by Ansible or by a timer, changes the permissions, and keep others out.

        Raises:
            lock.Held: the other one has not ended in time.
        """
        path = self._path(LOCK)
        path.parent.mkdir(parents=True, exist_ok=True)
        with hold(path, timeout):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._root / name.lstrip("/")

    def _shown(self, name: str) -> dict[str, t.Any] | None:
        file = files.read(self._path(name))
        return None if file is None else _fields(name, file.data, file.mode)

    def _leave(self) -> None:
        """Remove the directories that only we use."""
        for name in (PROGRAM, STATE):
            with contextlib.suppress(OSError):  # it is gone already, or somebody else's files are in it
                self._path(name).parent.rmdir()


def state_file(content: t.Mapping[str, t.Any]) -> bytes:
    """Return the bytes of the state file, the same for the same content."""
    return (json.dumps({"version": _VERSION, "state": content}, indent=1, sort_keys=True) + "\n").encode()


def _mode(name: str) -> int:
    return _MODES.get(name, 0o644)


def _fields(name: str, data: bytes | None, mode: int) -> dict[str, t.Any] | None:
    """Return what a diff shows of a file: what was asked for, and a sum of all that nobody reads in a change request."""
    if data is None:
        return None
    asked = _asked(data) if name == STATE else {}
    return {**asked, "sha256": hashlib.sha256(data).hexdigest(), "permissions": f"{mode:04o}"}


def _asked(data: bytes) -> dict[str, t.Any]:
    """Return the plain values of a state's C(spec), if it has one."""
    try:
        spec = json.loads(data)["state"]["spec"]
        return {key: value for key, value in spec.items() if key != "destinations"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _unusable(cause: str) -> SelfhostError:
    return SelfhostError(cause, field=STATE, remedy="Remove this file and run bw.selfhost.egress again, which writes a new one.")
