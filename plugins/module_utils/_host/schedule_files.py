# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one timer for a directory leaves on a machine: program, profile, secrets and units, and what its runs leave behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files, lock
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_units import unit_name
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan, compare

LOCK, LAST = "lock", "last.json"  # in the directory of the state
_UNITS = "/etc/systemd/system"
_STAMPS = "/var/lib/systemd/timers"
_LIMIT = 16 * 1024 * 1024  # bytes
Contents = t.Mapping[str, bytes]


class ScheduleFiles:
    """All files of one profile below a root directory, which is another than C(/) in tests only."""

    def __init__(self, profile: str, root: Path = Path("/")) -> None:
        name = unit_name(profile)
        self._root = root
        self.program = f"/usr/local/lib/bw-selfhost/directory-{profile}.pyz"
        self.profile = f"/etc/bw-selfhost/directory/{profile}/profile.json"
        self.secrets = f"/etc/bw-selfhost/directory/{profile}/secrets.json"
        self.units = {unit: f"{_UNITS}/{unit}" for unit in (f"{name}.service", f"{name}.timer")}
        self._left = [f"/var/lib/{name}", f"/var/lib/private/{name}"]
        self._stamp = f"{_STAMPS}/stamp-{name}.timer"

    def plan(self, wanted: Contents) -> Plan:
        """Return how files differ from C(wanted), contents by absolute path; what it does not name goes."""
        found = Plan()
        for name in (self.secrets, self.profile, self.program, *self.units.values()):
            found += self._compare(name, wanted.get(name))
        return found if wanted else found + Plan(tuple(Change("delete", "directory", name) for name in self._found()))

    def apply(self, plan: Plan, wanted: Contents) -> None:
        """Do what C(plan) says: each file whole or not at all."""
        for change in plan.changes:
            path = self._path(change.name)
            if change.kind == "directory":
                path.unlink() if path.is_symlink() else shutil.rmtree(path)
            elif change.action == "delete":
                path.unlink()
            else:
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                files.replace(files.File(path, None, self._mode(change.name), os.geteuid(), os.getegid()), wanted[change.name])
        if not wanted:
            self._path(self._stamp).unlink(missing_ok=True)
            self._leave(Path(self.profile).parents[:3])
            self._leave([Path(self.program).parent])

    @contextlib.contextmanager
    def quiet(self, timeout: float) -> t.Iterator[None]:
        """Wait until no run is under way, and keep others out; before the first one there is nothing to wait for."""
        path = self._path(f"{self._left[0]}/{LOCK}")
        with lock.hold(path, timeout) if path.exists() else contextlib.nullcontext():
            yield

    def last_run(self) -> dict[str, t.Any] | None:
        """Return what the last run has said of itself."""
        file = files.read(self._path(f"{self._left[0]}/{LAST}"))
        with contextlib.suppress(ValueError):
            return t.cast("dict[str, t.Any]", json.loads((file and file.data) or b""))
        return None

    def _found(self) -> list[str]:
        return [name for name in self._left if os.path.lexists(self._path(name))]

    def _compare(self, name: str, data: bytes | None) -> Plan:
        file = files.read(self._path(name), _LIMIT)
        current = None if file is None else self._fields(name, file.data or b"", file.mode)
        desired = None if data is None else self._fields(name, data, self._mode(name))
        return compare("file", name, current, desired, frozenset({"content"} if name == self.secrets else ()))

    def _fields(self, name: str, data: bytes, mode: int) -> dict[str, str]:
        """Return what a diff shows of a file."""
        shown = (
            {"sha256": hashlib.sha256(data).hexdigest()} if name == self.program else {"content": data.decode(errors="replace")}
        )
        return {**shown, "permissions": f"{mode:04o}"}

    def _mode(self, name: str) -> int:
        return 0o600 if name == self.secrets else 0o644

    def _path(self, name: str) -> Path:
        return self._root / name.lstrip("/")

    def _leave(self, directories: t.Iterable[Path]) -> None:
        """Remove directories, from the inside out, up to the first that holds something of others."""
        with contextlib.suppress(OSError):
            for directory in directories:
                self._path(str(directory)).rmdir()
