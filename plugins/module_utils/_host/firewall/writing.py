# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of a firewall as steps of a transaction: written beside the old one first, put in its place later."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.files import File
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Command


def stage(file: File, text: str) -> Command:
    """Write the new text beside the file, with its owner and mode; all that can fail, fails here."""
    options = ("-m", f"{file.mode:04o}", "-o", str(file.uid), "-g", str(file.gid))
    return Command(("install", "-D", *options, "/dev/stdin", _beside(file.path)), text)


def put(path: Path) -> Command:
    """Let what was staged take the file's place, at once."""
    return Command(("mv", "-f", _beside(path), str(path)))


def _beside(path: Path) -> str:
    return str(path.with_name(f".{path.name}.bw-selfhost"))
