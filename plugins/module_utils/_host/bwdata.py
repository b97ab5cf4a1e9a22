# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The directory bwdata: where things are, one run at a time, and what the services wrote into their logs.

Source: bitwarden/server util/Setup/*.cs and bitwarden/self-host run.sh.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

ENV_FILES = (
    "docker/global.env",
    "docker/mssql.env",
    "env/global.override.env",
    "env/mssql.override.env",
    "env/key-connector.override.env",
)
# What a backup's name starts with, and the file it is a backup of.
RESTORABLE = {Path(name).name: name for name in ("config.yml", *ENV_FILES[2:])}
# What a rebuild or an update may rewrite.
REWRITTEN = ("config.yml", *ENV_FILES, "docker/docker-compose.yml", "nginx/default.conf", "web/app-id.json")
_TAIL_BYTES = 16384


class Bwdata:
    """One installation's files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def compose_files(self) -> list[Path]:
        """The compose files in the order in which run.sh hands them to Compose."""
        override = self.path / "docker/docker-compose.override.yml"
        return [self.path / "docker/docker-compose.yml", *([override] if override.exists() else [])]

    def check(self) -> None:
        """Refuse a directory that holds no complete installation."""
        for name in ("config.yml", "docker/docker-compose.yml"):
            path = self.path / name
            if files.read(path) is None:
                raise SelfhostError(
                    f"No installation: {path} is missing.",
                    field="bwdata",
                    remedy="Set bwdata to the directory that bitwarden.sh install made, or finish that installation.",
                )

    def content(self, name: str) -> bytes:
        """Return a file's bytes, none when it does not exist."""
        file = files.read(self.path / name)
        return (file and file.data) or b""

    def text(self, name: str) -> str:
        """Return a file's text, empty when it does not exist."""
        return self.content(name).decode("utf-8-sig", "replace")

    def raw_settings(self) -> list[tuple[str, str]]:
        """Return every C(key=value) line of every env file, values as written; they hold secrets."""
        lines = [line for name in ENV_FILES for line in self.text(name).splitlines() if "=" in line]
        return [(key.strip(), value) for key, _unused, value in (line.partition("=") for line in lines)]

    @contextlib.contextmanager
    def lock(self, timeout: float) -> t.Iterator[int]:
        """Wait until no other run works on this installation, and keep others out.

        The lock is on the directory itself, so it leaves nothing behind. The descriptor goes to the script too: when this
        process is killed, the next one waits until the orphaned script has ended.
        """
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _acquire(descriptor, time.monotonic() + timeout)
            yield descriptor
        finally:
            os.close(descriptor)

    def log_tail(self, service: str, count: int = 3) -> tuple[str, list[str]] | None:
        """Return the name of a service's newest log file below bwdata and its last lines; C(None) without a log."""
        with contextlib.suppress(OSError):  # services write, rotate and remove their logs all the time
            logs = [path for path in (self.path / "logs" / service).rglob("*") if path.is_file() and path.stat().st_size]
            for newest in sorted(logs, key=lambda path: path.stat().st_mtime)[-1:]:
                with newest.open("rb") as log:
                    log.seek(max(0, newest.stat().st_size - _TAIL_BYTES))
                    lines = log.read().decode(errors="replace").splitlines()
                return str(newest.relative_to(self.path)), [line for line in lines if line.strip()][-count:]
        return None

    def snapshot(self) -> dict[str, bytes]:
        """Return the contents of all files that Setup may rewrite, by name; kept in memory because they hold secrets."""
        found = ((name, files.read(self.path / name)) for name in REWRITTEN)
        return {name: file.data or b"" for name, file in found if file}

    def restore(self, name: str, content: bytes) -> bool:
        """Give a file an earlier content, keeping owner and mode; say whether it had another one."""
        file = files.read(self.path / name)
        if file is None or file.data == content:
            return False
        files.replace(file, content)
        return True

    def backup(self, path: Path) -> tuple[str, bytes]:
        """Return which file below bwdata a backup belongs to, by its name, and what it holds."""
        for name, target in RESTORABLE.items():
            if path.name.startswith(f"{name}."):
                file = files.read(path)
                if file is None:
                    raise SelfhostError(f"The backup {path} does not exist.", field="restore_from", remedy="Leave it out.")
                return target, file.data or b""
        raise SelfhostError(
            f"{path.name} is not the name of a backup of {', '.join(RESTORABLE)}.",
            field="restore_from",
            remedy="Use the backup_file that override_env or server_config returned.",
        )


def _acquire(descriptor: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SelfhostError(
                    "Another run works on this installation and has not ended in time.",
                    field="bwdata",
                    remedy="Wait for it, then run this again.",
                ) from None
        time.sleep(0.2)
