# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The script that installs, starts and rebuilds a standard deployment: bitwarden.sh.

Source: bitwarden/self-host bitwarden.sh and run.sh.
"""

from __future__ import annotations

import re
import stat
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account, Finished, execute
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_FETCH = "Fetch it again from https://func.bitwarden.com/api/dl/?app=self-host&platform=linux."
_VERSION = re.compile(r'^(CORE|WEB|KEYCONNECTOR)VERSION="([^"]+)"', re.MULTILINE)
_PROMPT = re.compile(r"\((y/n|y/N|Y/n|yes/no)\)|[:?]\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Versions:
    """The image tags that a rebuild with this script would write."""

    core: str
    web: str
    key_connector: str

    def of(self, service: str) -> str:
        """Return the tag of one service's image."""
        return {"web": self.web, "key-connector": self.key_connector}.get(service, self.core)


class BitwardenSh:
    """One bitwarden.sh and the installation it manages."""

    def __init__(self, path: Path, bwdata: Path) -> None:
        self.path = path
        self.bwdata = bwdata

    def versions(self) -> Versions:
        """Read the versions from the script's text; every version of it defines them at the beginning of a line.

        Raises:
            SelfhostError: the file is missing, unreadable or something else than the script.
        """
        found = dict(_VERSION.findall(self._text()))
        if not {"CORE", "WEB"} <= set(found):
            raise self._error("is a script without COREVERSION and WEBVERSION lines, so it is not Bitwarden's.", _FETCH)
        return Versions(found["CORE"], found["WEB"], found.get("KEYCONNECTOR", ""))

    def check(self) -> None:
        """Refuse a script that cannot work before anything depends on it."""
        self.versions()
        if not self.path.stat().st_mode & stat.S_IXUSR:
            raise self._error("is not executable.", f"Run: chmod u+x {self.path}")
        for path in (self.path, self.bwdata):
            if re.search(r"\s", str(path)):
                raise SelfhostError(
                    "The script does not quote paths: a blank breaks it.", field=str(path), remedy="Move the installation."
                )

    def run(self, command: str, timeout: float, descriptors: t.Sequence[int] = ()) -> Finished:
        """Run one command to its end: as the script's owner, with nothing to wait for on stdin.

        Setup gives bwdata away to an unprivileged user, so the owner of the script tells whose installation it is.
        """
        account = Account.running_for(self.path)
        elsewhere = [] if self.bwdata == self.path.parent / "bwdata" else [str(self.bwdata)]
        return execute(
            [str(self.path), command, *elsewhere],
            account,
            timeout=timeout,
            directory=self.path.parent,
            answer="y\n" if account.uid == 0 else None,
            merged=True,
            descriptors=descriptors,
        )

    def _text(self) -> str:
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            raise self._error("does not exist.", "Set script to the path of bitwarden.sh, or fetch it.") from None
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}.", "Run the task with become: true.") from error
        if text.lstrip()[:1] == "<":
            raise self._error("is an HTML page, not a script: an update of it saved an error page.", _FETCH)
        if not text.startswith("#!"):
            raise self._error("is not a script: its first line does not start with #!.", _FETCH)
        return text

    def _error(self, cause: str, remedy: str) -> SelfhostError:
        return SelfhostError(f"The script {cause}", field=str(self.path), remedy=remedy)


def explain(command: str, finished: Finished, timeout: float) -> str:
    """Say in one sentence why a command failed; the output itself is told by the caller."""
    lines = [line.strip() for line in finished.stdout.splitlines() if line.strip()]
    prompt = f" (prompt seen: {lines[-1]})" if lines and _PROMPT.search(lines[-1]) else ""
    if finished.code is None:
        return f"bitwarden.sh {command} did not end within {timeout:g} seconds and was stopped{prompt}."
    if finished.code == 125 and "already in use" in finished.stdout:
        return (
            f"bitwarden.sh {command} ended with code 125: a container named setup exists, because another run is under way"
            " or left it behind (then: docker rm setup)."
        )
    crash = ", which means that Setup crashed" if finished.code == 134 else ""
    return f"bitwarden.sh {command} ended with code {finished.code}{crash}{prompt}."
