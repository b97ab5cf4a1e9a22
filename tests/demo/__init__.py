"""Page A on the embedded lab: what `make demo` shows and what the playbook tests and benchmarks run."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.lab import Lab
from tests.lab.scenarios import FACTS
from tests.lab.stack import Stack
from tests.lab.versions import LATEST

ROOT = Path(__file__).resolve().parents[2]
SPONSORED = "ann@home.example"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}  # a host that is this machine


@dataclass(frozen=True)
class Pass:
    """One run of ansible-playbook: its exit code, its output, and how long it took."""

    code: int
    output: str
    seconds: float

    @property
    def changed(self) -> int:
        """The number of changed tasks in the recap; -1 when there is none."""
        recap = re.search(r"changed=(\d+)", self.output)
        return int(recap.group(1)) if recap else -1


@dataclass(frozen=True)
class Demo:
    """A server as Setup left it, its cloud, and an inventory that declares page A for it."""

    directory: Path
    lab: Lab
    stack: Stack

    def playbook(self, *arguments: str, playbook: str = "playbooks/families_sponsorship.yml") -> Pass:
        """Run a playbook of the collection as its user would."""
        command = [str(Path(sys.executable).with_name("ansible-playbook")), playbook, *arguments]
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return Pass(done.returncode, done.stdout + done.stderr, time.monotonic() - started)

    def environment(self) -> dict[str, str]:
        """The environment of ansible-playbook: the lab's proxy and CA, and nothing secret."""
        return {
            **os.environ,
            **self.lab.environment(),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_INVENTORY": str(self.directory / "inventory.yml"),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self.directory / "ansible" / "remote"),
            "ANSIBLE_NOCOLOR": "1",
            "TMPDIR": str(self.directory / "tmp"),
        }

    def declare(self, **variables: t.Any) -> None:
        """Write the inventory: the variables of page A, changed by the ones given."""
        variables = {**page_a(self.lab, self.stack), **variables}
        self.write_inventory({"bitwarden": {"hosts": {"vault.example.com": dict(LOCAL)}, "vars": variables}})

    def write_inventory(self, inventory: t.Mapping[str, t.Any]) -> None:
        """Write any inventory; it holds secrets."""
        path = self.directory / "inventory.yml"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")


def page_a(lab: Lab, stack: Stack) -> dict[str, t.Any]:
    """Return the variables an operator writes for page A."""
    owner, cloud_owner = lab.people["owner"], lab.people["cloud_owner"]
    return {
        "server_bwdata": str(stack.bwdata),
        "server_region": lab.facts["region"],
        "server_settings": {"globalSettings__enableCloudCommunication": True},
        "server_ca_path": lab.ca_path,
        "egress_bwdata": str(stack.bwdata),
        "egress_manage": os.geteuid() == 0,  # only root may look at firewalls
        "licensing_bwdata": str(stack.bwdata),
        "licensing_server": {
            "server_url": lab.facts["server_url"],
            "client_id": owner.client_id,
            "client_secret": owner.client_secret,
            "ca_path": lab.ca_path,
        },
        "licensing_cloud": {
            "region": lab.facts["region"],
            "client_id": cloud_owner.client_id,
            "client_secret": cloud_owner.client_secret,
            "master_password": cloud_owner.master_password,
            "ca_path": lab.ca_path,
        },
        "licensing_cloud_organization_id": lab.facts["cloud_organization_id"],
        "licensing_sponsorships": [{"email": SPONSORED}],
    }


@contextlib.contextmanager
def demo(version: str = LATEST, scenario: str = "page_a") -> t.Iterator[Demo]:
    """Bring up the lab with a stand-in stack in a temporary folder; leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="bw-demo-") as folder:
        directory = Path(folder)
        (directory / "tmp").mkdir()
        stack = Stack.install(
            directory / "bitwarden",
            region=FACTS["region"].upper(),
            installation_id=FACTS["installation_id"],
            installation_key=FACTS["installation_key"],
            version=version,
        )
        with Lab(directory / "lab", scenario=scenario, stack=stack) as lab:
            page = Demo(directory, lab, stack)
            page.declare()
            yield page
