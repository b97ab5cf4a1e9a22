# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays at the highest verbosity, to look for secrets in all that is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from tools.metrics import ROOT

PLACES = ("in the controller's process", "as a process of its own")


def interpreter(place: str, folder: Path) -> dict[str, str]:
    """Return the variable that chooses where modules run."""
    if place == PLACES[0]:
        return {}
    other = folder / "python"  # the same Python by another name counts as another one
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    return {"ansible_python_interpreter": str(other)}


def shown(folder: Path, play: str, variables: dict[str, t.Any], *options: str, fails: bool = False) -> str:
    """Run a play and return everything that it shows."""
    (folder / "play.yml").write_text(play)
    (folder / "variables.json").write_text(json.dumps(variables))
    command = ["ansible-playbook", "-vvvv", "--diff", *options, "-e", f"@{folder}/variables.json", str(folder / "play.yml")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    output = done.stdout + done.stderr
    assert bool(done.returncode) is fails, output
    return output
