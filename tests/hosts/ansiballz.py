"""Modules packed as Ansible packs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

from tests.hosts import tracing

if t.TYPE_CHECKING:
    from tests.hosts.namespaces import Starter

ROOT = Path(__file__).resolve().parents[2]


class Builder:
    """Builds payloads on request; the packing process starts with the first one."""

    def __init__(self, directory: Path, starter: Starter) -> None:
        self._directory, self._starter = directory, starter
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_unused: object) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()

    def build(self, name: str, options: t.Mapping[str, t.Any], *, check: bool = False, diff: bool = True) -> str:
        """Return the program that runs C(bw.selfhost.<name>) with these options."""
        arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_no_log": True}
        with self._lock:
            if self._process is None:
                self._process = self._start()
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps([name, arguments]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The module could not be packed; see above.")
        return tracing.traced(json.loads(line))

    def _start(self) -> subprocess.Popen[str]:
        home = self._directory / "ansible"
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
        }
        pipe = subprocess.PIPE
        return self._starter.start(
            [sys.executable, "-m", "tests.hosts.packing"], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe
        )
