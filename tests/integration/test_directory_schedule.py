# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A timer on a host with systemd: what it does by itself, what it lets others see, and what is left of it in the end."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from tests.directory import Person, Slapd
from tests.hosts import World, unavailable
from tests.hosts.waiting import until
from tests.integration.directory_machine import (
    ALWAYS,
    SERVICE,
    TIMER,
    TREE,
    Machine,
    Result,
    changed,
    exposure,
    ok,
    world_around,
)
from tests.integration.directory_timer import native, secrets_of
from tests.integration.directory_world import Organization
from tests.lab import Lab

pytestmark = [pytest.mark.network_namespace, pytest.mark.skipif(bool(unavailable()), reason=unavailable())]

IMPORT = "/public/organization/import"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("slapd") / "files", TREE) as found:
        yield found


@pytest.fixture(scope="module")
def world(lab_process: Lab, slapd: Slapd, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with world_around(tmp_path_factory.mktemp("world"), lab_process, slapd) as found:
        yield found


@pytest.fixture(scope="module")
def machine(world: World, lab_process: Lab, slapd: Slapd) -> Machine:
    """One host for all tests; each leaves nothing behind."""
    return Machine(world, lab_process, slapd, "debian13")


def test_a_timer_syncs_and_leaves_nothing(lab: Lab, machine: Machine) -> None:
    before = machine.trace()
    checked = ok(machine.schedule(lab, check=True))
    assert machine.trace() == before

    applied = ok(machine.schedule(lab))
    assert applied["changes"] == checked["changes"]
    assert changed(applied) == ["secrets.json", "profile.json", "directory-corp.pyz", SERVICE, TIMER, TIMER]
    assert applied["last_run"] is None
    again = machine.schedule(lab)
    assert (again["changed"], changed(again)) == (False, [])
    assert lab.writes() == []

    sooner = machine.schedule(lab, on_calendar=ALWAYS)
    assert changed(sooner) == [TIMER]
    until(lambda: (machine.schedule(lab, on_calendar=ALWAYS)["last_run"] or {}).get("changes") == 0, "two runs of the timer")
    assert {row["email"] for row in lab.rows("selfhost", "member")} >= {f"u{number}@example.test" for number in range(12)}
    assert json.loads(re.findall(r"^{.*}$", machine.journal(), re.MULTILINE)[0])["changes"] == 14

    assert set(changed(machine.remove(check=True))) == set(changed(machine.remove())) > {SERVICE, TIMER}
    assert machine.trace() == before
    assert not machine.remove()["changed"]


def test_units_are_good_and_tight(lab: Lab, machine: Machine) -> None:
    ok(machine.schedule(lab))
    verified = machine.host.run(["systemd-analyze", "verify", SERVICE, TIMER], check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert exposure(machine) <= 3.0
    machine.remove()


def test_nobody_sees_a_secret(lab: Lab, machine: Machine) -> None:
    results = [machine.schedule(lab, check=True), machine.schedule(lab)]
    lab.fault("delay:1", path=IMPORT)
    machine.starts("--no-block")
    until(lambda: IMPORT in {seen.path for seen in lab.requests()}, "the import")
    show = "cat /proc/*/cmdline; systemctl show bw-selfhost-directory-corp.service; systemctl cat bw-selfhost-directory-corp.*"
    seen = machine.host.run(["sh", "-c", show], check=False).stdout.replace("\0", " ")
    assert "directory-corp.pyz" in seen
    until(lambda: (machine.schedule(lab, check=True)["last_run"] or {}).get("error", "") is None, "the end of the run")
    seen += machine.host.run(["journalctl", "--no-pager"]).stdout
    results.append(machine.remove())
    for secret in secrets_of(Organization(lab)):
        assert secret not in seen
        assert secret not in json.dumps(results)


def test_many_profiles_live_side_by_side(lab: Lab, machine: Machine) -> None:
    before = machine.trace()
    ok(machine.schedule(lab, name="a.b_c"))
    alone = machine.trace()
    ok(machine.schedule(lab, name="second", on_calendar="hourly"))
    machine.remove("second")
    assert machine.trace() == alone
    assert not machine.schedule(lab, name="a.b_c")["changed"]
    machine.remove("a.b_c")
    assert machine.trace() == before


def test_a_run_is_not_disturbed_by_a_change(lab: Lab, machine: Machine) -> None:
    ok(machine.schedule(lab))
    machine.starts()
    machine.slapd.change(TREE.person_ldif(Person("joiner")))
    lab.clear_requests()
    lab.fault("delay:2", path=IMPORT)
    machine.starts("--no-block")
    lab.wait_for_request(IMPORT)
    after = machine.schedule(lab, sync={"removals": "absent"})
    assert changed(after) == ["profile.json"]
    assert (after["last_run"]["error"], after["last_run"]["changes"]) == (None, 1)

    machine.slapd.change(f"dn: {TREE.person_dn(Person('joiner'))}\nchangetype: delete\n")
    machine.starts()
    assert "joiner@example.test" not in {row["email"] for row in lab.rows("selfhost", "member")}
    machine.remove()


def test_a_refusal_is_seen_by_whoever_looks(lab: Lab, machine: Machine) -> None:
    ok(machine.schedule(lab, sync={"min_directory_users": 1000}))
    lab.clear_requests()
    assert machine.host.run(["systemctl", "start", SERVICE], check=False).returncode
    assert "1000" in machine.schedule(lab, sync={"min_directory_users": 1000})["last_run"]["error"]
    assert machine.host.run(["systemctl", "is-failed", SERVICE], check=False).stdout == "failed\n"
    assert lab.writes() == []
    machine.remove()
    assert machine.host.run(["systemctl", "is-failed", SERVICE], check=False).stdout == "inactive\n"


def test_backends_are_exchanged(lab: Lab, machine: Machine) -> None:
    """The account changes, and with it who owns lock and last result."""
    before = machine.trace()
    ok(machine.schedule(lab))
    machine.starts()
    machine.host.run(["sh", "-ec", "useradd -r bwdc; mkdir /var/lib/bwdc; chown bwdc /var/lib/bwdc"])
    options = {"data_dir": "/var/lib/bwdc", "client_id": "organization.x", "client_secret": "the organization's secret"}
    assert changed(machine.schedule(lab, backend="bwdc", options=options)) == ["secrets.json", "profile.json", SERVICE]
    machine.host.run(["systemctl", "start", SERVICE], check=False)
    assert "no connector that has been set up" in machine.schedule(lab)["last_run"]["error"]
    machine.starts()
    assert machine.schedule(lab)["last_run"]["error"] is None
    machine.remove()
    assert machine.trace() == before


@pytest.mark.parametrize(
    ("params", "field", "cause"),
    [
        ({"name": "../corp"}, "name", "part of a file's name"),
        ({"on_calendar": "sometimes"}, "on_calendar", "'sometimes' is no time"),
        ({"on_calendar": "hourly\nOnBootSec=1"}, "on_calendar", "is no time"),
        ({"randomized_delay": -1}, "randomized_delay", "negative"),
        ({"options": {"removal": "absent"}}, "options", "removal"),
        ({"options": {}}, "options", "directory, users"),
        ({"sync": {"max_removals_percent": 101}}, "max_removals_percent", "0 to 100"),
        ({"sync": {"client_id": "user.1"}}, "client_id", "person"),
        ({"sync": {"client_secret": None}}, "client_secret", "missing"),
        ({"sync": {"users": {"filter": "(a=b"}}}, "users.filter", "not well formed"),
        (
            {"backend": "bwdc", "options": {"data_dir": "/var/lib/nothing", "client_id": "x", "client_secret": "y"}},
            "data_dir",
            "no connector",
        ),
    ],
)
def test_bad_input_is_refused(lab: Lab, machine: Machine, params: Result, field: str, cause: str) -> None:
    before = machine.trace()
    refused = machine.schedule(lab, **params)
    assert refused["failed"]
    assert field in refused["error"]["field"]
    assert cause in refused["msg"]
    assert machine.trace() == before


def test_files_that_the_timer_does_not_see_are_refused(lab: Lab, machine: Machine) -> None:
    machine.host.write("/root/ca.pem", Path(lab.ca_path).read_text())
    refused = machine.schedule(lab, options={**machine.options(lab), "ca_path": "/root/ca.pem"})
    assert "does not see /root/ca.pem" in refused["msg"]


def test_without_libraries(lab: Lab, world: World, slapd: Slapd) -> None:
    """In check mode an earlier task may have meant to install them."""
    machine = Machine(world, lab, slapd, "debian12")
    checked = ok(machine.schedule(lab, check=True))
    warned = json.dumps(checked["warnings"])
    assert "requests is not here" in warned
    assert "python-ldap or ldap3 is not here" in warned
    refused = machine.schedule(lab)
    assert refused["failed"]
    assert "requests is not here" in refused["msg"]
    assert machine.trace() == [""]


def test_without_systemd(lab: Lab, world: World) -> None:
    host = world.bare("debian12")
    known = {"name": "corp", "options": native(Organization(lab), {"hosts": ["x"], "anonymous": True})}
    assert "systemd 247 or later does not run here" in host.module("directory_schedule", known)["msg"]
    assert not ok(host.module("directory_schedule", {"name": "corp", "state": "absent"}))["changed"]
