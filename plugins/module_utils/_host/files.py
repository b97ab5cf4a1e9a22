# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Configuration files on disk: read whole, replaced whole, backed up with their owner and mode."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

LIMIT = 1024 * 1024  # bytes; Setup's own files are a few KiB


@dataclass(frozen=True)
class File:
    """A regular file as it was read, or as it is to be: C(data) is None for one that does not exist yet."""

    path: Path
    data: bytes | None
    mode: int
    uid: int
    gid: int


def read(path: Path, limit: int = LIMIT) -> File | None:
    """Return a file's content, owner and mode; None when it does not exist. A file that is larger than the limit is a mistake.

    Raises:
        SelfhostError: it is a symbolic link, not a regular file, too large, or may not be read.
    """
    try:
        # Non-blocking, so that a FIFO in the file's place is refused instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            remedy = "Name the file itself: replacing a link would leave the file behind it as it is."
            raise SelfhostError("It is a symbolic link.", field=str(path), remedy=remedy) from None
        raise _unusable(path, error) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SelfhostError("It is not a regular file.", field=str(path), remedy="Put a file in its place.")
        if status.st_size > limit:
            cause = f"It has {status.st_size} bytes; more than {limit} cannot be a configuration file."
            raise SelfhostError(cause, field=str(path), remedy="Look what has filled it, and restore a backup.")
        with open(descriptor, "rb", closefd=False) as stream:
            return File(path, stream.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    finally:
        os.close(descriptor)


def replace(file: File, data: bytes) -> None:
    """Give a file a new content, owner and mode, such that every reader finds the whole old or the whole new one.

    Raises:
        SelfhostError: it may not be written; nothing has changed then.
    """
    try:
        _sweep(file.path)
        with _temporary(file.path) as (stream, name):
            stream.write(data)
            _finish(stream, file)
            os.replace(name, file.path)
        _sync(file.path.parent)
    except OSError as error:
        raise _unusable(file.path, error) from None


def backup(file: File) -> str:
    """Copy a file beside itself, under a name like those of Ansible's own backups; return the path."""
    moment = time.strftime("%Y-%m-%d@%H:%M:%S~", time.localtime())
    path = f"{file.path}.{os.getpid()}.{moment}"
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
            stream.write(file.data or b"")
            _finish(stream, file)
    except OSError as error:
        raise _unusable(Path(path), error) from None
    return path


def _unusable(path: Path, error: OSError) -> SelfhostError:
    """Say why the system refused to read or write a file."""
    return SelfhostError(
        f"{error.strerror}.", field=str(path), remedy="Run the task as root or as the owner of the installation (become: true)."
    )


@contextlib.contextmanager
def _temporary(path: Path) -> t.Iterator[tuple[t.BinaryIO, str]]:
    """Open a new file, mode 0600, beside a path; remove it when it was not renamed."""
    descriptor, name = tempfile.mkstemp(prefix=_prefix(path), dir=path.parent)
    try:
        with open(descriptor, "wb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream, name
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _finish(stream: t.BinaryIO, file: File) -> None:
    status = os.fstat(stream.fileno())
    if (status.st_uid, status.st_gid) != (file.uid, file.gid):
        os.fchown(stream.fileno(), file.uid, file.gid)
    os.fchmod(stream.fileno(), file.mode)
    stream.flush()
    os.fsync(stream.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(path: Path) -> None:
    """Remove what killed runs left behind; a running one holds a lock on its own."""
    for leftover in path.parent.glob(f"{_prefix(path)}*"):
        with contextlib.suppress(OSError), open(leftover, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def _prefix(path: Path) -> str:
    return f".{path.name}.bw-selfhost-"
