# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run another program as the account that owns the installation, and never wait for it forever."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

# All that docker, compose and curl need. Everything else, secrets above all, stays out of the children.
_PASSED = ("PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GRACE = 10.0


@dataclass(frozen=True)
class Finished:
    """How a program ended. C(code) is C(None) when it had to be killed because it took too long."""

    code: int | None
    stdout: str
    stderr: str = ""


@dataclass(frozen=True)
class Account:
    """A user of this machine; C(name) is empty for a user id without an entry."""

    uid: int
    gid: int
    name: str
    home: str

    @classmethod
    def running_for(cls, path: Path) -> Account:
        """Return who programs run as: the owner of C(path) when we are root, else ourselves."""
        uid = os.geteuid() or path.stat().st_uid
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return cls(uid, path.stat().st_gid, "", "/")
        return cls(uid, entry.pw_gid, entry.pw_name, entry.pw_dir)

    @classmethod
    def named(cls, name: str) -> Account:
        """Return a user of this machine.

        Raises:
            SelfhostError: there is none of that name, or only root could run programs as this user.
        """
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise SelfhostError(f"There is no user {name}.", field="user", remedy="Create it first, without a shell.") from None
        if os.geteuid() not in (0, entry.pw_uid):
            raise SelfhostError("Only root can run programs as another user.", field="user", remedy="Set become: true.")
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir)

    def environment(self) -> dict[str, str]:
        """Return the variables a child gets. run.sh asks for the ids of C(USER): a wrong one would own the files."""
        passed = {key: os.environ[key] for key in _PASSED if key in os.environ}
        proxies = {key: value for key, value in os.environ.items() if key.lower() in PROXIES}
        who = {"USER": self.name, "LOGNAME": self.name} if self.name else {}
        return {"PATH": _PATH, "LC_ALL": "C.UTF-8", **passed, **proxies, **who, "HOME": self.home}

    def identity(self) -> dict[str, t.Any]:
        """Return how to start a process as this account."""
        if os.geteuid() == self.uid:
            return {}
        groups = os.getgrouplist(self.name, self.gid) if self.name else []
        return {"user": self.uid, "group": self.gid, "extra_groups": groups}


def execute(
    argv: t.Sequence[str],
    account: Account,
    *,
    timeout: float,
    directory: Path | None = None,
    variables: t.Mapping[str, str] | None = None,
    answer: str | None = None,
    merged: bool = False,
    descriptors: t.Sequence[int] = (),
    umask: int = -1,
) -> Finished:
    """Run a program to its end in a session of its own, with closed stdin or one prepared answer.

    It writes to memory and not into pipes: when we are killed, it goes on to its end instead of dying of a broken pipe halfway.

    Args:
        variables: added to the account's minimal environment; a secret only where the program takes it in no other way.
        answer: fed to stdin; without it stdin is /dev/null.
        merged: stderr goes into stdout, in the order it was written.
        descriptors: kept open in the child.
        umask: of the child; -1 leaves it as it is.
    """
    with _memory() as stdout, _memory() as stderr:
        try:
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                list(argv),
                stdin=subprocess.DEVNULL if answer is None else subprocess.PIPE,
                stdout=stdout,
                stderr=stdout if merged else stderr,
                cwd=directory,
                env={**account.environment(), **(variables or {})},
                start_new_session=True,
                pass_fds=tuple(descriptors),
                umask=umask,
                text=True,
                **account.identity(),
            )
        except OSError as error:
            raise SelfhostError(
                f"{argv[0]} cannot be run: {error.strerror or error}.", field=str(argv[0]), remedy="Install it, or correct PATH."
            ) from error
        with process:
            code = _wait(process, timeout, answer)
        return Finished(code, _written(stdout), _written(stderr))


def _memory() -> t.TextIO:
    """Return a file that is on no disk."""
    return open(os.memfd_create("output"), "w+", encoding="utf-8", errors="replace")


def _written(file: t.TextIO) -> str:
    file.seek(0)
    return file.read()


def _wait(process: subprocess.Popen[str], timeout: float, answer: str | None) -> int | None:
    try:
        process.communicate(answer, timeout=timeout)
    except subprocess.TimeoutExpired:
        _kill(process)
        return None
    return process.returncode


def _kill(process: subprocess.Popen[str]) -> None:
    """End the process group of C(process), politely first; then whoever in it did not listen."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE)
