# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The firewalls' own programs: run one, or apply several such that they come to their end whatever happens to us."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account, Finished, execute
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Command

_ROOT = Account(0, 0, "root", "/root")
_SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT = 900.0  # seconds for everything; ufw needs 0.16 s for each address
_OUTDATED = re.compile(
    r"no such file or directory|matching rule exist|no chain/target/match|does not exist|computed checksum", re.IGNORECASE
)
_UNSUPPORTED = re.compile(r"not supported|syntax error|missing kernel module|unknown option", re.IGNORECASE)


class Outdated(SelfhostError):
    """The rules have changed since they were read: read them again and try once more."""


class Tools:
    """The programs of the host we are on."""

    def __init__(self) -> None:
        # The PATH of a session without login may lack the directories of the system's programs.
        self._path = os.pathsep.join(filter(None, (os.environ.get("PATH"), _SYSTEM)))

    def installed(self, program: str) -> bool:
        """Say whether a program is here."""
        return shutil.which(program, path=self._path) is not None

    def run(self, argv: t.Sequence[str], stdin: str = "", timeout: float = 60) -> Finished:
        """Run one program to its end; the code says how it went, C(None) that it took too long."""
        return self._execute(argv, timeout, answer=stdin)

    def read(self, argv: t.Sequence[str], stdin: str = "") -> str:
        """Return what a program prints.

        Raises:
            SelfhostError: it failed; with its own words.
        """
        finished = self.run(argv, stdin)
        if finished.code != 0:
            raise failure(argv[0], finished.code, finished.stderr)
        return finished.stdout

    def apply(self, commands: t.Sequence[Command]) -> None:
        """Run programs one after another, up to the first that fails, in a session of their own that goes on when we are killed.

        Everything they read is in memory before the first one starts: a kill finds nothing half said.

        Raises:
            Outdated: the rules are no longer those that the commands were made for.
            SelfhostError: a program failed; with its own words. What ran before it stays.
        """
        if not commands:
            return
        with contextlib.ExitStack() as files:
            said = _memory(files)
            inputs = [_memory(files, command.stdin) if command.stdin else None for command in commands]
            lines = [_line(number, command, inputs[number], said) for number, command in enumerate(commands)]
            script = _memory(files, "\n".join(lines))
            descriptors = [said, script, *(file for file in inputs if file is not None)]
            finished = self._execute(["sh", f"/proc/self/fd/{script}"], _TIMEOUT, descriptors=descriptors)
            if finished.code != 0:
                words = os.pread(said, 65536, 0).decode(errors="replace")
                number = int((finished.stdout.split() or ["0"])[-1])
                raise failure(commands[number].argv[0], finished.code, words or finished.stderr)

    def _execute(
        self, argv: t.Sequence[str], timeout: float, answer: str | None = None, descriptors: t.Sequence[int] = ()
    ) -> Finished:
        variables = {"PATH": self._path}
        return execute(argv, _ROOT, timeout=timeout, variables=variables, answer=answer, descriptors=descriptors)


def failure(program: str, code: int | None, words: str) -> SelfhostError:
    """Say in a firewall program's own words why it failed."""
    lines = [line.strip() for line in words.splitlines() if line.strip(" ^\t")]
    said = " ".join(lines)[:2000] or "it said nothing"
    cause = "It did not come to its end in time" if code is None else f"It ended with code {code}"
    if _OUTDATED.search(said):
        cause = f"The rules are no longer those that were read, or the kernel lacks what they need: {said}"
        return Outdated(cause, field=program, remedy="Run the task again.")
    remedy = "Run as root, and correct what it names; a further run completes what is missing."
    if _UNSUPPORTED.search(said):
        remedy = "The kernel is too old for this syntax, or lacks a module: update it, or let another engine block instead."
    return SelfhostError(f"{cause}: {said}", field=program, remedy=remedy)


def _line(number: int, command: Command, stdin: int | None, said: int) -> str:
    """Return one line of the script: its number for us, then the program; only the last one's words are kept."""
    source = "/dev/null" if stdin is None else f"/proc/self/fd/{stdin}"
    return f"echo {number}; {shlex.join(command.argv)} <{source} >/proc/self/fd/{said} 2>&1 || exit"


def _memory(files: contextlib.ExitStack, text: str = "") -> int:
    """Return a file that is on no disk and ends with C(files)."""
    file = os.memfd_create("input")
    files.callback(os.close, file)
    os.write(file, text.encode())
    return file
