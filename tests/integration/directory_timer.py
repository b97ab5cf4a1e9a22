# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests of a timer for directories share: profiles, and its program as systemd would start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_profile import Profile, documents
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import directory_program
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.program import program

from tests.directory import PASSWORD
from tests.integration.directory_world import Organization, searches

SECRETS = {("client_secret",), ("directory", "bind_password")}


def native(organization: Organization, directory: t.Mapping[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    """The options of a sync of OpenLDAP's tree."""
    return {**organization.options, "ca_path": organization.lab.ca_path, "directory": dict(directory), **searches(**options)}


def secrets_of(organization: Organization) -> tuple[str, ...]:
    """What no output and no unit may hold."""
    return (organization.options["client_secret"], PASSWORD)


@dataclass
class Timer:
    """The program of one profile, started as its unit starts it, but by this machine's account."""

    folder: Path
    profile: Profile
    secrets: set[tuple[str, ...]] = field(default_factory=lambda: SECRETS)

    def __post_init__(self) -> None:
        for part in ("credentials", "state"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "program.pyz").write_bytes(program(directory_program.__name__))
        plain, hidden = documents(self.profile, self.secrets)
        (self.folder / "credentials" / "profile").write_bytes(plain)
        (self.folder / "credentials" / "secrets").write_bytes(hidden)

    def start(self) -> subprocess.Popen[str]:
        """Start a run, and go on."""
        variables = {"CREDENTIALS_DIRECTORY": str(self.folder / "credentials"), "STATE_DIRECTORY": str(self.folder / "state")}
        environment = {**variables, "PATH": os.environ["PATH"]}
        command = [sys.executable, "-I", str(self.folder / "program.pyz")]
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self) -> tuple[int, str, dict[str, t.Any]]:
        """Run to the end: exit code, all that was printed, and what the last line says."""
        process = self.start()
        printed, wrong = process.communicate(timeout=120)
        assert not wrong, wrong
        return process.returncode, printed, json.loads(printed.splitlines()[-1])
