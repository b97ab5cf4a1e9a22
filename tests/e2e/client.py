"""The official command-line client as a program."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

from tests.lab import Lab

# The oldest release that this client can talk to is 2025.12; older ones lack the route of its password login.
RELEASES = ("2026.4.0", "2026.8.0")


class Client:
    """The client with a data directory of its own: one account, nothing shared."""

    def __init__(self, program: Path, lab: Lab, home: Path) -> None:
        self._program = program
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "BITWARDENCLI_APPDATA_DIR": str(home),
            "BW_NOINTERACTION": "true",
            **lab.environment(),
        }

    def run(self, *arguments: str, **environment: str) -> t.Any:
        """Run a command and return its data, if it has any; raises RuntimeError with its message."""
        command = [str(self._program), "--response", *arguments]
        done = subprocess.run(
            command, env={**self._environment, **environment}, capture_output=True, text=True, timeout=120, check=False
        )
        answer = json.loads(done.stdout)
        if not answer["success"]:
            raise RuntimeError(answer["message"])
        return answer.get("data")

    def session(self, *arguments: str, **environment: str) -> None:
        """Run a command that opens a session, and keep it."""
        self._environment["BW_SESSION"] = self.run(*arguments, **environment)["raw"]
