# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Directory Connector's private directory: its data file with the secrets in it, and what we remember of its syncs.

Source: bitwarden/directory-connector libs/services/lowdbStorage.service.ts; since G2 the program leaves it readable for all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._host.lock import hold
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_document import Document, parse, render
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_guard import Memory
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan, compare

_LOCK = "bw-selfhost.lock"
_DATA = "data.json"
_BACKUP = "data.json.bak"
_MEMORY = "bw-selfhost.json"
_OURS = ("data.json", ".data.json", "bw-selfhost", ".bw-selfhost")  # what names of ours and of the program begin with
_DIRECTORY_MODE, _FILE_MODE = 0o700, 0o600
_LIMIT = 16 * 1024 * 1024  # bytes


class DataDirectory:
    """One connector's data, which belong to the account that the program runs as."""

    def __init__(self, path: Path, account: Account) -> None:
        self.path = path
        self._account = account

    @property
    def exists(self) -> bool:
        """Say whether there is a directory."""
        return self.path.is_dir()

    def check(self) -> None:
        """Refuse a place that is, or would be, shared with something else: it is made private, and removed as a whole."""
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise _misplaced(f"{self.path} is not a directory.", "Name the directory itself.")
        if not self.path.parent.is_dir():
            raise _misplaced(f"The directory {self.path.parent} does not exist.", "Create it, or choose another place.")
        names = sorted(os.listdir(self.path)) if self.exists else []
        others = [name for name in names if not name.startswith(_OURS)]
        if others:
            raise _misplaced(
                f"{self.path} holds {others[0]!r}, which is no part of the connector's data.",
                "Give the connector a directory of its own.",
            )

    def permissions(self) -> Plan:
        """Return what must change so that directory and data file belong to the account alone."""
        plan = compare("directory", str(self.path), _attributes(self.path), self._wanted(_DIRECTORY_MODE))
        file = self.path / _DATA
        return plan + (compare("file", str(file), _attributes(file), self._wanted(_FILE_MODE)) if file.exists() else Plan())

    def protect(self) -> None:
        """Make the directory if it is not there, and the account alone able to look into it and its files."""
        try:
            if not self.exists:
                self.path.mkdir(mode=_DIRECTORY_MODE)
            for path, mode in ((self.path, _DIRECTORY_MODE), (self.path / _DATA, _FILE_MODE), (self.path / _BACKUP, _FILE_MODE)):
                with contextlib.suppress(FileNotFoundError):
                    self._own(path, mode)
        except OSError as error:
            remedy = "Run the task as root or as the owner of the directory (become: true)."
            raise SelfhostError(f"{error.strerror}.", field=str(self.path), remedy=remedy) from None

    @contextlib.contextmanager
    def lock(self, timeout: float) -> t.Iterator[int]:
        """Keep other runs out, whoever starts them; see C(lock.hold)."""
        path = self.path / _LOCK
        with hold(path, timeout) as descriptor:
            self._own(path, _FILE_MODE)
            yield descriptor

    def document(self) -> Document | None:
        """Return what the data file says; C(None) when there is none.

        Raises:
            SelfhostError: it cannot be understood.
        """
        file = files.read(self.path / _DATA, _LIMIT)
        return None if file is None else parse(file.data or b"")

    def write(self, document: Document) -> None:
        """Replace the data file as a whole. The program must not run."""
        self._replace(_DATA, render(document))

    def memory(self) -> Memory:
        """Return what is remembered; nothing, if that cannot be read."""
        file = files.read(self.path / _MEMORY, _LIMIT)
        with contextlib.suppress(ValueError, KeyError, TypeError):
            content = json.loads((file and file.data) or b"")
            listed, left = (frozenset(map(str, content[name])) for name in ("listed", "left"))
            return Memory(str(content["listing"]), listed, left, int(content["memberships"]))
        return Memory()

    def remember(self, memory: Memory) -> None:
        """Keep what the next sync is compared with."""
        if memory != self.memory():
            self._replace(
                _MEMORY, json.dumps({**vars(memory), "listed": sorted(memory.listed), "left": sorted(memory.left)}).encode()
            )

    @contextlib.contextmanager
    def copy(self) -> t.Iterator[DataDirectory]:
        """Return a copy in a private temporary directory, to be changed without anybody noticing."""
        with scratch(self._account) as folder:
            copied = DataDirectory(folder, self._account)
            for name in (_DATA, _MEMORY):
                file = files.read(self.path / name, _LIMIT)
                if file is not None:
                    copied._replace(name, file.data or b"")
            yield copied

    def _replace(self, name: str, data: bytes) -> None:
        files.replace(files.File(self.path / name, None, _FILE_MODE, self._account.uid, self._account.gid), data)

    def _wanted(self, mode: int) -> dict[str, str]:
        return {"owner": f"{self._account.uid}:{self._account.gid}", "mode": f"{mode:04o}"}

    def _own(self, path: Path, mode: int) -> None:
        """Give a file to the account; not one that a link of somebody's leads to."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink == 1):
                os.fchown(descriptor, self._account.uid, self._account.gid)
                os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def scratch(account: Account) -> t.Iterator[Path]:
    """Return a private temporary directory of an account."""
    folder = Path(tempfile.mkdtemp(prefix="bw-selfhost-"))
    try:
        if os.geteuid() != account.uid:
            os.chown(folder, account.uid, account.gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _attributes(path: Path) -> dict[str, str] | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return {"owner": f"{status.st_uid}:{status.st_gid}", "mode": f"{stat.S_IMODE(status.st_mode):04o}"}


def _misplaced(cause: str, remedy: str) -> SelfhostError:
    return SelfhostError(cause, field="data_dir", remedy=remedy)
