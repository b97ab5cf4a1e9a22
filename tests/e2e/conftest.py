"""The official command-line client, as it comes from its registry."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from tests.e2e.client import RELEASES, Client
from tests.lab import Lab

_HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def program() -> Path:
    """The client's program, installed from its lock file when it is not there yet."""
    found = _HERE / "node_modules" / ".bin" / "bw"
    if not found.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed")
        subprocess.run([npm, "ci"], cwd=_HERE, check=True, capture_output=True)
    return found


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """One lab for all tests."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(params=RELEASES)
def lab(served: Lab, request: pytest.FixtureRequest) -> Lab:
    """The lab in its first state, as one release after the other."""
    served.reset(scenario="page_a", version=request.param)  # tests change both
    return served


@pytest.fixture
def client(program: Path, lab: Lab, tmp_path: Path) -> Client:
    """A client that knows the self-hosted server."""
    found = Client(program, lab, tmp_path)
    found.run("config", "server", lab.facts["server_url"])
    return found
