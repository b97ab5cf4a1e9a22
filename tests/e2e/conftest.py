"""The official command-line client, as it comes from its registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from tests.lab import Lab, Person

_HERE = Path(__file__).parent
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
        """Run a command and return its data; raises RuntimeError with its message."""
        command = [str(self._program), "--response", *arguments]
        done = subprocess.run(
            command, env={**self._environment, **environment}, capture_output=True, text=True, timeout=120, check=False
        )
        answer = json.loads(done.stdout)
        if not answer["success"]:
            raise RuntimeError(answer["message"])
        return answer["data"]

    def session(self, *arguments: str, **environment: str) -> None:
        """Run a command that opens a session, and keep it."""
        self._environment["BW_SESSION"] = self.run(*arguments, **environment)["raw"]

    def login_with_password(self, who: Person) -> None:
        """Log in by e-mail and master password; the vault is open then."""
        self.session("login", who.email, "--passwordenv", "PASSWORD", PASSWORD=who.master_password)

    def login_with_api_key(self, who: Person) -> None:
        """Log in by API key; the vault stays locked."""
        self.run("login", "--apikey", BW_CLIENTID=who.client_id, BW_CLIENTSECRET=who.client_secret)


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
    served.reset(version=request.param)
    return served


@pytest.fixture
def client(program: Path, lab: Lab, tmp_path: Path) -> Client:
    """A client that knows the self-hosted server."""
    found = Client(program, lab, tmp_path)
    found.run("config", "server", lab.facts["server_url"])
    return found
