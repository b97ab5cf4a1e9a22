# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Directory Connector as it is installed: one directory for each archive, and a link to the one that is in use.

Source: bitwarden/directory-connector .github/workflows (bwdc-linux-VERSION.zip: the program and its native part).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import tempfile
import typing as t
import zipfile
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_EXECUTABLE = "bwdc"
_CURRENT, _NEXT = "current", "next"
_UNPACKED = ".unpacked-"
_MOST = 1024 * 1024 * 1024  # bytes of everything in an archive; a release has about 100 MB
_CHUNK = 1024 * 1024
_SUM = re.compile(r"[0-9a-f]{64}")
_REPLACE = "Get the archive from the release page again, and compare its sha256."


class Program:
    """The directory of one installation."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def executable(self) -> Path:
        """The program in use."""
        return self.directory / _CURRENT / _EXECUTABLE

    @property
    def sha256(self) -> str | None:
        """The checksum of the archive that the program in use came from; C(None) without a program."""
        try:
            return os.readlink(self.directory / _CURRENT) if self.executable.exists() else None
        except OSError:
            return None

    @contextlib.contextmanager
    def unpacked(self, archive: Path, sha256: str) -> t.Iterator[Path]:
        """Verify an archive and unpack it beside the program in use; C(use) takes it, otherwise it is gone in the end.

        Raises:
            SelfhostError: it is not the archive that was meant, or no archive of the connector.
        """
        try:
            if not self.directory.exists():
                self.directory.mkdir()
                self.directory.chmod(0o755)  # whatever our umask
            target = Path(tempfile.mkdtemp(prefix=_UNPACKED, dir=self.directory))
        except OSError as error:
            remedy = "Run the task as root (become: true), or choose another place."
            raise SelfhostError(f"{error.strerror}.", field=str(self.directory), remedy=remedy) from None
        try:
            with _opened(archive, sha256) as opened:
                _unpack(opened, target)
            target.chmod(0o755)
            yield target / _EXECUTABLE
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def check(self) -> None:
        """Refuse a directory that holds anything else; what is in it is removed in time."""
        if self.directory.is_symlink() or (self.directory.exists() and not self.directory.is_dir()):
            cause = f"{self.directory} is not a directory."
            raise SelfhostError(cause, field="program_dir", remedy="Name the directory itself.")
        names = [path.name for path in self.directory.iterdir()] if self.directory.exists() else []
        others = [
            name
            for name in names
            if name not in (_CURRENT, _NEXT) and not name.startswith(_UNPACKED) and not _SUM.fullmatch(name)
        ]
        if others:
            raise SelfhostError(
                f"{self.directory} holds {others[0]!r}, which is no part of the connector.",
                field="program_dir",
                remedy="Give the connector a directory of its own.",
            )

    def use(self, executable: Path, sha256: str) -> None:
        """Put an unpacked program in use, in one step, and remove all others."""
        home = self.directory / sha256
        if home.exists():
            shutil.rmtree(home)
        os.replace(executable.parent, home)
        link = self.directory / _NEXT
        link.unlink(missing_ok=True)
        link.symlink_to(sha256)
        os.replace(link, self.directory / _CURRENT)
        for other in self.directory.iterdir():  # what a killed run has left, too
            if other.is_dir() and not other.is_symlink() and other != home:
                shutil.rmtree(other)


def check_archive(archive: Path, sha256: str) -> None:
    """Verify an archive without unpacking it."""
    with _opened(archive, sha256):
        pass


@contextlib.contextmanager
def _opened(archive: Path, sha256: str) -> t.Iterator[zipfile.ZipFile]:
    """Open an archive whose checksum is right, and which holds the program and other plain files and nothing else.

    There are no directories in it, so that no name can lead elsewhere.
    """
    try:
        stream = archive.open("rb")
    except OSError as error:
        remedy = "Copy the release's archive bwdc-linux-VERSION.zip to this machine first."
        raise SelfhostError(f"{archive} cannot be read: {error.strerror}.", field="archive", remedy=remedy) from None
    with stream:
        _verify(stream, archive, sha256)
        try:
            with zipfile.ZipFile(stream) as opened:
                _check_entries(archive, opened.infolist())
                yield opened
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise SelfhostError(f"{archive} cannot be unpacked: {error}.", field="archive", remedy=_REPLACE) from None


def _verify(stream: t.BinaryIO, archive: Path, sha256: str) -> None:
    found = hashlib.sha256()
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        found.update(chunk)
    if found.hexdigest() != sha256:
        raise SelfhostError(f"{archive} has the sha256 {found.hexdigest()}, not the one given.", field="sha256", remedy=_REPLACE)


def _check_entries(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    odd = [entry.filename for entry in entries if not _is_plain(entry) or names.count(entry.filename) > 1]
    if odd or _EXECUTABLE not in names or sum(entry.file_size for entry in entries) > _MOST:
        about = f": it holds {odd[0]!r}" if odd else ""
        raise SelfhostError(f"{archive} is not an archive of the connector{about}.", field="archive", remedy=_REPLACE)


def _unpack(opened: zipfile.ZipFile, target: Path) -> None:
    for entry in opened.infolist():
        with opened.open(entry) as source, open(target / entry.filename, "xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
            os.fchmod(file.fileno(), 0o755 if entry.filename == _EXECUTABLE else 0o644)
            os.fsync(file.fileno())


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    """Say whether an entry is a file in the archive's root. What made the archive may not tell any kind of file."""
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    return name == os.path.basename(name) and name not in ("", ".", "..") and "\\" not in name and kind in (0, stat.S_IFREG)
