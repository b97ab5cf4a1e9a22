"""What tests hold: the world of a stand-in connector, and the archives of its releases."""

from __future__ import annotations

import hashlib
import json
import sys
import typing as t
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# One release of each generation; the last one has no tag yet.
G1, G2, G3 = "2026.4.0", "2026.6.1", "2026.7.0"
_PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
_SCRIPT = """#!{python} -I
# Stand-in for tests.
import sys

sys.path.insert(0, {root!r})

from tests.bwdc.cli import main

sys.exit(main({version!r}, {world!r}, sys.argv[1:]))
"""
SUFFIX = "dc=example,dc=com"
READER = {"username": f"cn=reader,{SUFFIX}", "password": "reader-password-1"}


@dataclass(frozen=True)
class Archive:
    """A release's archive and its checksum."""

    path: Path
    sha256: str
    version: str


@dataclass(frozen=True)
class Call:
    """One run of the program: its arguments, the names of its variables that matter, and who ran it."""

    argv: list[str]
    variables: list[str]
    uid: int
    umask: int
    pid: int

    @property
    def command(self) -> str:
        """The command, without the options before it."""
        return next((word for word in self.argv if not word.startswith("-")), "")


def people(count: int, **about: t.Any) -> list[dict[str, t.Any]]:
    """Return users C(u1) ... as the directory has them."""
    return [{"dn": f"uid=u{n},ou=people,{SUFFIX}", "email": f"u{n}@example.com", **about} for n in range(1, count + 1)]


class Bwdc:
    """The world that a stand-in lives in: below C(directory), changed by tests while it runs."""

    def __init__(self, directory: Path, proxy: str = "http://127.0.0.1:9", interpreter: str = _PYTHON) -> None:
        self.world = directory
        self._interpreter = interpreter
        directory.mkdir(parents=True)
        (directory / "calls").mkdir()
        self._write("world", {"proxy": proxy})
        self.populate(
            people(3), [{"dn": f"cn=staff,ou=groups,{SUFFIX}", "name": "staff", "members": [f"uid=u1,ou=people,{SUFFIX}"]}]
        )

    def populate(self, users: list[dict[str, t.Any]], groups: list[dict[str, t.Any]] | None = None) -> None:
        """Say who is in the directory; keys of entries stand in C(reading.py)."""
        found = self._read("directory")
        self._write("directory", {**found, "users": users, "groups": found.get("groups", []) if groups is None else groups})

    def server(self, **about: t.Any) -> None:
        """Change the directory server: host, port, username, password, ca, size_limit, down, filters, bases, secrets."""
        self._write("directory", {**self._read("directory"), **about})

    def switch(self, **switches: t.Any) -> None:
        """Order a behaviour: C(wait) (command -> file that it waits for), C(version) (what it says that it is)."""
        self._write("world", {**self._read("world"), **switches})

    def archive(self, version: str = G2, **extra: bytes) -> Archive:
        """Pack a release. C(extra) are further entries by name."""
        path = self.world / f"bwdc-linux-{version}.zip"
        script = _SCRIPT.format(python=self._interpreter, root=str(ROOT), version=version, world=str(self.world))
        native = "keytar.node" if version <= G1 else "dc_native.linux-x64-gnu.node"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in {"bwdc": script.encode(), native: b"\x7fELF", **extra}.items():
                archive.writestr(zipfile.ZipInfo(name, (2026, 8, 21, 0, 0, 0)), data)
        return Archive(path, hashlib.sha256(path.read_bytes()).hexdigest(), version)

    def calls(self) -> list[Call]:
        """Return what was run since the last clear, oldest first."""
        return [Call(**json.loads(path.read_text())) for path in sorted((self.world / "calls").glob("[!.]*"))]

    def commands(self) -> list[str]:
        """Return the commands that were run since the last clear, and forget them."""
        found = [call.command for call in self.calls() if call.command]
        self.clear_calls()
        return found

    def clear_calls(self) -> None:
        """Forget what was run."""
        for path in (self.world / "calls").glob("[!.]*"):
            path.unlink()

    def _read(self, name: str) -> dict[str, t.Any]:
        path = self.world / f"{name}.json"
        found: dict[str, t.Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _write(self, name: str, content: dict[str, t.Any]) -> None:
        (self.world / f"{name}.json").write_text(json.dumps(content))
