"""Somebody with ansible-playbook and one server, which is a lab in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.lab import Lab
from tests.lab.control import connect
from tools.metrics import ROOT

Tasks = list[dict[str, t.Any]]


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook: seconds, and the memory of its largest process in MiB."""

    seconds: float
    memory: float


@dataclass(frozen=True)
class Operator:
    """The lab takes no time from the client's process. C(folder) is for files that last as long."""

    lab: Lab
    folder: Path

    @property
    def options(self) -> dict[str, str]:
        """How the owner of the self-hosted organization logs in."""
        owner = self.lab.people["owner"]
        key = {"client_id": owner.client_id, "client_secret": owner.client_secret, "master_password": owner.master_password}
        return {"server_url": self.lab.facts["server_url"], **key}

    def play(self, tasks: Tasks, **variables: t.Any) -> Run:
        """Run tasks, which must succeed."""
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/bw.selfhost.api": self.options},
            "tasks": tasks,
        }
        (self.folder / "group_vars").mkdir(exist_ok=True)  # Ansible reads these once, and vars_files again for each task
        (self.folder / "group_vars/all.yml").write_text(yaml.safe_dump(variables, sort_keys=False))
        (self.folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "play.yml"]
        with (self.folder / "output").open("w+") as output:
            begin = time.perf_counter()
            run = subprocess.Popen(
                command, cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            _unused, status, used = os.wait4(run.pid, 0)
            seconds = time.perf_counter() - begin
            run.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            assert run.returncode == 0, output.read()
        return Run(seconds, used.ru_maxrss / 1024)

    def _environment(self) -> dict[str, str]:
        ansible = {
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "TMPDIR": str(self.folder),
        }
        return {**os.environ, **self.lab.environment(), **ansible}


@contextlib.contextmanager
def operator() -> t.Iterator[Operator]:
    """Start the lab; leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="bw-bench-") as folder:
        command, place = [sys.executable, "-m", "tests.lab"], ["--directory", f"{folder}/lab"]
        subprocess.run([*command, "up", "--detach", *place], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        try:
            yield Operator(connect(Path(folder, "lab/proxy.url").read_text().strip()), Path(folder))
        finally:
            subprocess.run([*command, "down", *place], cwd=ROOT, check=True)
