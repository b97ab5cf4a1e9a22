# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time, by a lock file that says who has it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_PAUSE = 0.1  # seconds between two attempts


class Held(SelfhostError):
    """Another run has the lock, and has not ended in time."""


@contextlib.contextmanager
def hold(path: Path, timeout: float) -> t.Iterator[int]:
    """Wait until nobody else has the lock at C(path), and keep others out; the directory must exist.

    The descriptor is for child processes: when we are killed, the next one waits until an orphaned child has ended, too. Whoever
    holds the lock may remove the file or its directory.

    Raises:
        Held: somebody else still has it after C(timeout) seconds.
    """
    descriptor = _acquire(path, time.monotonic() + timeout)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S %z')}".encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(path: Path, deadline: float) -> int:
    while True:
        descriptor = _open(path)
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):  # whoever had it may have removed what we opened
                return descriptor
        holder = os.pread(descriptor, 200, 0).decode(errors="replace")
        os.close(descriptor)
        if time.monotonic() > deadline:
            cause = f"Another run works here and has not ended in time: {holder or 'it has just begun'}."
            raise Held(cause, field=str(path), remedy="Wait for it, then run this again.")
        time.sleep(_PAUSE)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        remedy = "Run the task as root or as the owner of the directory (become: true)."
        raise SelfhostError(f"{error.strerror}.", field=str(path), remedy=remedy) from None
