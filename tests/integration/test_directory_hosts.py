# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook against a host over SSH, and the official connector's timer there."""

from __future__ import annotations

import base64
import json
import typing as t
import zipfile
from pathlib import Path

import pytest

from tests.bwdc import G2, Bwdc
from tests.bwdc.handle import ROOT
from tests.demo import Demo, Pass, demo
from tests.directory import Slapd
from tests.hosts import World, ssh, unavailable
from tests.integration.connector_helpers import SYNC, ldap
from tests.integration.directory_machine import (
    LAB_CA,
    NEVER,
    PROXY,
    SERVICE,
    TIMER,
    TREE,
    Machine,
    Result,
    exposure,
    proxy_port,
    world_around,
)
from tests.integration.directory_timer import secrets_of
from tests.integration.directory_world import Organization
from tests.lab import Lab

pytestmark = [pytest.mark.network_namespace, pytest.mark.skipif(bool(unavailable()), reason=unavailable())]

PLAYBOOK = "playbooks/directory_sync.yml"
STANDIN, DATA, ARCHIVE = (
    "/opt/standin",
    "/var/lib/bwdc-corp",
    "/opt/bwdc.zip",
)  # a stand-in's code, the connector's data and archive
STANDIN_WORLD = "/var/lib/standin"


@pytest.fixture(scope="module")
def page() -> t.Iterator[Demo]:
    with demo() as found:
        yield found


@pytest.fixture
def lab(page: Demo) -> Lab:
    page.lab.reset()
    return page.lab


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("slapd") / "files", TREE) as found:
        yield found


@pytest.fixture(scope="module")
def world(page: Demo, slapd: Slapd, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with world_around(tmp_path_factory.mktemp("world"), page.lab, slapd) as found:
        yield found


@pytest.fixture(scope="module")
def machine(page: Demo, world: World, slapd: Slapd) -> Machine:
    made = Machine(world, page.lab, slapd, "debian13")
    key = ssh.make_key(page.directory)
    ssh.serve(made.host, key)
    ssh.write_config(world, page.directory / "ssh_config", key, [made.host])
    return made


def declare(page: Demo, machine: Machine, *profiles: Result) -> None:
    connection = {"ansible_python_interpreter": "/usr/bin/python3", "ansible_ssh_transfer_method": "piped"}
    arguments = f"-o ControlMaster=no -F {page.directory}/ssh_config"
    variables = {"directory_sync_profiles": list(profiles), "bitwarden_environment": machine.environment}
    host = {**connection, "ansible_pipelining": True, "ansible_ssh_common_args": arguments}
    page.write_inventory({"directories": {"hosts": {machine.host.name: host}, "vars": variables}})


def done(page: Demo, *arguments: str) -> Pass:
    ran = page.playbook("--diff", *arguments, playbook=PLAYBOOK)
    assert ran.code == 0, ran.output
    return ran


def test_the_playbook_on_a_host(page: Demo, lab: Lab, machine: Machine) -> None:
    """Check mode at the very first run, the timer that goes on alone, and nothing left in the end."""
    before = machine.trace()
    profile = {"name": "corp", "run": "sync", "schedule": {"on_calendar": NEVER}, **machine.options(lab)}
    declare(page, machine, profile)
    lab.forbid_writes()
    checked = done(page, "--check")
    assert (checked.changed, machine.trace(), lab.writes()) == (2, before, [])
    assert f"OnCalendar={NEVER}" in checked.output
    lab.forbid_writes(False)
    ran = done(page, "-vvvv")
    assert ran.changed == 2
    lab.clear_requests()
    lab.forbid_writes()
    assert (done(page).changed, lab.writes()) == (0, [])
    lab.forbid_writes(False)
    for secret in secrets_of(Organization(lab)):
        assert secret not in ran.output
        assert secret not in checked.output

    lab.set_member("u5@example.test", externalId="lost", status=0)
    machine.slapd.change(
        f"dn: {TREE.team_dn('dev')}\nchangetype: modify\nadd: member\nmember: {TREE.person_dn(TREE.people[7])}\n"
    )
    machine.starts()
    assert Organization(lab).groups["dev"] == {f"u{number}@example.test" for number in (1, 2, 7)}

    declare(page, machine, {"name": "corp", "state": "absent"})
    assert done(page, "--check").changed == 1
    assert done(page).changed == 1
    assert machine.trace() == before
    assert done(page).changed == 0


def test_a_refused_run_starts_no_timer(page: Demo, lab: Lab, machine: Machine) -> None:
    before = machine.trace()
    profile = {"name": "corp", "run": "preview", "schedule": {}, **machine.options(lab, min_directory_users=100)}
    declare(page, machine, profile)
    assert page.playbook(playbook=PLAYBOOK).code != 0
    assert machine.trace() == before


@pytest.fixture
def connector(lab: Lab, machine: Machine, tmp_path: Path) -> Result:
    """A profile for a stand-in that is on the host, with all that it needs."""
    made = Bwdc(tmp_path / "made", proxy=f"http://{PROXY}:{proxy_port(lab)}", interpreter="/usr/bin/python3")
    archive = made.archive(G2)
    packed = tmp_path / "bwdc.zip"
    with zipfile.ZipFile(archive.path) as source, zipfile.ZipFile(packed, "w") as target:
        for entry in source.infolist():
            data = source.read(entry).replace(str(ROOT).encode(), STANDIN.encode())
            target.writestr(entry, data.replace(str(made.world).encode(), STANDIN_WORLD.encode()))
    host = machine.host
    for file in (ROOT / "tests/bwdc").glob("*.py"):
        host.write(f"{STANDIN}/tests/bwdc/{file.name}", file.read_text())
    for file in made.world.glob("*.json"):
        host.write(f"{STANDIN_WORLD}/{file.name}", file.read_text())
    host.run(["sh", "-c", f"base64 -d > {ARCHIVE}; sha256sum {ARCHIVE}"], input=base64.b64encode(packed.read_bytes()).decode())
    sha256 = host.run(["sha256sum", ARCHIVE]).stdout.split()[0]
    host.run(["sh", "-ec", f"useradd -r bwdc; mkdir {STANDIN_WORLD}/calls; chown -R bwdc {STANDIN_WORLD}"])
    # What the real one would not do: write down that it was called.
    host.write(f"/etc/systemd/system/{SERVICE}.d/test.conf", f"[Service]\nReadWritePaths={STANDIN_WORLD}\n")
    return {
        "name": "corp",
        "backend": "bwdc",
        **Organization(lab).options,
        "ca_path": LAB_CA,
        "user": "bwdc",
        "data_dir": DATA,
        "archive": ARCHIVE,
        "sha256": sha256,
        "version": G2,
        "directory": {"ldap": ldap()},
        "sync": SYNC,
    }


def test_the_official_connector_on_a_host(page: Demo, lab: Lab, machine: Machine, connector: Result) -> None:
    before = machine.trace()
    declare(page, machine, {**connector, "schedule": {"on_calendar": NEVER}})
    checked = done(page, "--check")
    assert (checked.changed, machine.trace(), lab.writes()) == (2, before, [])
    assert done(page).changed == 2
    ran = done(page)
    assert ran.changed == 0, ran.output
    assert exposure(machine) <= 3.0
    verified = machine.host.run(["systemd-analyze", "verify", SERVICE, TIMER], check=False)
    assert (verified.returncode, verified.stderr) == (0, "")

    machine.starts()
    assert set(Organization(lab).members) == {f"u{number}@example.com" for number in (1, 2, 3)}
    assert machine.host.run(["stat", "-c", "%U %a", f"{DATA}/data.json", DATA]).stdout.split("\n") == ["bwdc 600", "bwdc 700", ""]
    lab.clear_requests()
    machine.starts()
    assert lab.writes() == []
    last = machine.remove(check=True)["last_run"]
    assert (last["changes"], last["directory"]["users"], last["error"]) == (0, 3, None)
    for secret in secrets_of(Organization(lab)):
        assert secret not in machine.journal()
        assert secret not in json.dumps(last)

    declare(page, machine, {"name": "corp", "backend": "bwdc", "state": "absent", "data_dir": DATA})
    assert done(page).changed == 2
    assert machine.trace() == before
    assert machine.host.run(["sh", "-c", f"ls -d {DATA}*"], check=False).stdout == ""
