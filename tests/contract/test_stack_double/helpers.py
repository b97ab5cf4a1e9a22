"""Short words for the tests of the stand-in stack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.stack import Stack

PREFIX = "globalSettings__"
READS_OVERRIDE = {"api", "identity", "sso", "admin", "notifications", "events", "scim"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user or be asked the root question")


def override(stack: Stack) -> Path:
    return stack.bwdata / "env/global.override.env"


def pairs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def append(stack: Stack, text: str) -> None:
    with override(stack).open("a", newline="") as file:
        file.write(text)


def set_config(stack: Stack, key: str, value: str) -> None:
    path = stack.bwdata / "config.yml"
    lines = [f"{key}: {value}" if line.startswith(f"{key}:") else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def ok(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, (result.stdout, result.stderr)
    return result.stdout


def tree(stack: Stack) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in stack.bwdata.rglob("*") if path.is_file()}
