# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin as ansible-inventory runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.lab import Lab
from tools.metrics import ROOT

Inventory = dict[str, t.Any]
pytestmark = pytest.mark.lab(scenario="msp")


class Source:
    """An inventory file in a directory of its own, with the API key in the environment."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.directory = directory

    def run(self, *, who: str = "service_user", **options: t.Any) -> subprocess.CompletedProcess[str]:
        """Ask ansible-inventory for everything in one file."""
        file = self.directory / "test.client_organizations.yml"
        file.write_text(yaml.safe_dump({"plugin": "bw.selfhost.client_organizations", "region": "eu", **options}))
        person = self.lab.people[who]
        environ = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
            "BW_CLIENTID": str(person.client_id),
            "BW_CLIENTSECRET": str(person.client_secret),
        }
        command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(file), "--list", "-vvv"]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=self.directory)

    def read(self, **options: t.Any) -> Inventory:
        """Return the inventory."""
        done = self.run(**options)
        assert done.returncode == 0, done.stderr
        text = done.stdout[done.stdout.index("{") :]
        return t.cast(Inventory, json.loads(text, object_hook=lambda found: found.get("__ansible_unsafe", found)))


@pytest.fixture
def source(lab: Lab, tmp_path: Path) -> Source:
    return Source(lab, tmp_path)


def hosts(inventory: Inventory, group: str) -> list[str]:
    return sorted(inventory.get(group, {}).get("hosts", []))


def test_clients_are_hosts(source: Source, lab: Lab) -> None:
    found = source.read(groups={"full": "client_remaining_seats < 5"}, keyed_groups=[{"key": "client_cadence"}])
    assert hosts(found, "client_organizations") == ["Alpha Client", "Beta Client"]
    assert hosts(found, "plan_enterprise") == hosts(found, "owner_confirmed") == ["Alpha Client"]
    assert hosts(found, "plan_teams") == hosts(found, "owner_invited") == hosts(found, "full") == ["Beta Client"]
    assert hosts(found, "_monthly") == ["Alpha Client", "Beta Client"]
    about = found["_meta"]["hostvars"]["Alpha Client"]
    assert about["organization_id"] == lab.facts["alpha_organization_id"]
    assert (about["client_seats"], about["client_occupied_seats"], about["client_remaining_seats"]) == (10, 1, 9)
    assert (about["client_owner_email"], about["client_owner_status"]) == ("owner@alpha.example", "confirmed")
    assert about["ansible_connection"] == "local"


def test_two_of_one_name(source: Source, lab: Lab) -> None:
    alpha, beta = (lab.facts[f"{name}_organization_id"] for name in ("alpha", "beta"))
    lab.set_organization("eu", beta, name="Alpha Client")
    assert hosts(source.read(), "client_organizations") == sorted(f"Alpha Client ({id})" for id in (alpha, beta))


def test_cache(source: Source, lab: Lab) -> None:
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(source.directory / "cache")}
    first = source.read(**options)
    lab.clear_requests()
    assert source.read(**options) == first
    assert lab.requests() == []
    assert lab.people["service_user"].client_secret not in "".join(
        file.read_text() for file in (source.directory / "cache").iterdir()
    )


def test_without_owners(source: Source, lab: Lab) -> None:
    found = source.read(details=False, names=["Beta Client"])
    assert hosts(found, "client_organizations") == ["Beta Client"]
    assert hosts(found, "owner_none") == []
    assert not [seen for seen in lab.requests() if seen.path.endswith("/users")]


def test_a_refusal_says_what_to_do_and_no_secret(source: Source, lab: Lab) -> None:
    done = source.run(who="alpha_owner")
    assert done.returncode != 0
    assert "is not a confirmed user of a provider" in " ".join(done.stderr.split())
    assert lab.people["alpha_owner"].client_secret not in done.stdout + done.stderr
