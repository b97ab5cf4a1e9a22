"""The documentation as operators get it: from the built and installed collection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("[!_]*.py"))
Document = dict[str, t.Any]


def ansible(program: str, *arguments: str | Path, folder: Path, collections: Path) -> str:
    """Run a program of this test's own ansible-core, away from the checkout and its ansible.cfg."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOME": str(folder / "home"),
        "NO_COLOR": "1",
    }
    command = [str(Path(sys.executable).with_name(program)), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as C(ansible-galaxy collection build) packs it."""
    folder = tmp_path_factory.mktemp("artifact")
    ansible("ansible-galaxy", "collection", "build", ROOT, "--output-path", folder, folder=folder, collections=folder)
    return next(folder.glob("bw-selfhost-*.tar.gz"))


@pytest.fixture(scope="session")
def installed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections folder with nothing but the installed artifact."""
    folder = tmp_path_factory.mktemp("collections")
    ansible("ansible-galaxy", "collection", "install", artifact, "-p", folder, "--offline", folder=folder, collections=folder)
    return folder


@pytest.fixture(scope="session")
def documents(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    """Module name -> what C(ansible-doc --json) says about it: C(doc), C(examples), C(return), C(metadata)."""
    names = [f"bw.selfhost.{name}" for name in MODULES]
    folder = tmp_path_factory.mktemp("ansible-doc")
    text = ansible("ansible-doc", "--json", "-t", "module", *names, folder=folder, collections=installed)
    return {name.rpartition(".")[2]: document for name, document in json.loads(text).items()}
