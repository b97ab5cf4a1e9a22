# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a long task says while it works, as the operator's terminal shows it."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tools import metrics

# A collection of its own, whose one module says something and waits until the test has read it.
MODULE = """
from __future__ import annotations

import os
import time

from ansible_collections.bw.selfhost.plugins.module_utils._module import Outcome, Task, run

ARGUMENTS = {"seen": {"type": "path", "required": True}, "password": {"type": "str", "no_log": True}}


def work(task: Task) -> Outcome:
    task.progress(f"7 of 9 done with {task.params['password']}")
    until = time.monotonic() + 20
    while not os.path.exists(task.params["seen"]) and time.monotonic() < until:
        time.sleep(0.01)
    return Outcome(values={"in_time": os.path.exists(task.params["seen"])})


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
"""


PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - bw.selfhost.probe: {seen: "{{ folder }}/seen", password: canary}
      register: found
      no_log: "{{ secret }}"
    - assert: {that: found.in_time or secret}
"""


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """This collection with one more module."""
    root = tmp_path / "ansible_collections/bw/selfhost"
    (root / "plugins/modules").mkdir(parents=True)
    (root / "plugins/modules/probe.py").write_text(MODULE)
    for name in ("action", "module_utils", "plugin_utils"):
        (root / "plugins" / name).symlink_to(metrics.ROOT / "plugins" / name)
    (root / "meta").mkdir()
    (root / "meta/runtime.yml").write_text("plugin_routing: {modules: {probe: {action_plugin: bw.selfhost.login}}}\n")
    return tmp_path


def play(folder: Path, **variables: t.Any) -> subprocess.Popen[str]:
    path = folder / "play.yml"
    path.write_text(PLAY)
    command = [
        sys.executable,
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-c",
        "local",
        str(path),
        "-i",
        "localhost,",
    ]
    python = {"ansible_python_interpreter": sys.executable}
    for name, value in {"folder": folder, **python, **variables}.items():
        command += ["-e", f"{name}={value}"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder), "ANSIBLE_HOME": str(folder), "ANSIBLE_NOCOLOR": "1"}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_is_shown_while_the_task_runs_and_hides_secrets(collections: Path) -> None:
    with play(collections, secret=False) as run:
        assert run.stdout
        for line in run.stdout:
            if line.startswith("progress:"):
                break
        (collections / "seen").touch()
        rest = run.stdout.read()
    assert line == "progress: bw.selfhost.probe: 7 of 9 done with ********\n"
    assert run.returncode == 0, rest


def test_a_task_without_log_says_nothing(collections: Path) -> None:
    (collections / "seen").touch()
    with play(collections, secret=True) as run:
        assert run.stdout
        output = run.stdout.read()
    assert run.returncode == 0, output
    assert "of 9 done" not in output


def test_a_module_in_its_own_process_says_nothing(collections: Path) -> None:
    """Its output is the result and nothing else."""
    (collections / "seen").touch()
    with play(collections, secret=False, ansible_python_interpreter=Path(sys.executable).resolve()) as run:
        assert run.stdout
        output = run.stdout.read()
    assert run.returncode == 0, output
    assert "of 9 done" not in output
