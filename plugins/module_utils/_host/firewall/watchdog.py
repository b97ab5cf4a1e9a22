# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take rules back by themselves unless somebody who can still reach the machine says that they are good.

A file holds what brings the old rules back. Whoever removes or renames it has decided: the run that confirms, or the process that
waits, in a session (under systemd: a unit) of its own, so that it outlives the run and its connection. A reboot takes all.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import systemd
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import NAME

_DIRECTORY = Path("/run")
_PREFIX = f"{NAME}-rollback-"
_DUE = ".due"
# $1: seconds, $2: the file. Looks every second, so that little is left behind when the rules are confirmed.
_WAIT = f"""
left=$1 file=$2
while [ "$left" -gt 0 ]; do
    sleep 1
    [ -e "$file" ] || exit 0
    left=$((left - 1))
done
mv "$file" "$file{_DUE}" || exit 0
nft -j -f "$file{_DUE}" && rm "$file{_DUE}"
"""


def arm(tools: Tools, script: str, seconds: int, directory: Path = _DIRECTORY) -> Path:
    """Let C(script), the text for C(nft -j -f), be run after some seconds unless what this returns is confirmed before.

    Raises:
        SelfhostError: nothing can wait here; nothing has changed then.
    """
    descriptor, name = tempfile.mkstemp(prefix=_PREFIX, dir=directory)
    waiting = ["sh", "-c", _WAIT, "sh", str(seconds), name]
    if systemd.running():
        # A session of its own is not enough: the log-in's end may take all its processes along.
        argv = ["systemd-run", "--quiet", "--collect", f"--unit={Path(name).name}", "--property=Type=exec", *waiting]
    else:
        argv = ["sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *waiting]
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(script)
        tools.read(argv)
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)


def confirm(armed: Path) -> bool:
    """Let the rules stay; say whether they still were there to stay. To take them back at once, load the script, then confirm."""
    try:
        armed.unlink()
    except FileNotFoundError:
        return False
    return True


def settle(tools: Tools, directory: Path = _DIRECTORY) -> bool:
    """Take back now what killed runs have left unconfirmed; say whether there was anything.

    The caller holds the lock that all runs hold from arming to confirming, so nobody is left who could confirm.

    Raises:
        SelfhostError: the old rules cannot be loaded.
    """
    found = sorted(path for path in directory.glob(f"{_PREFIX}*") if path.suffix != _DUE)
    for path in found:
        with contextlib.suppress(FileNotFoundError):  # its time has come at this very moment
            due = path.rename(f"{path}{_DUE}")
            tools.read(["nft", "-j", "-f", str(due)])
            due.unlink()
    return bool(found)
