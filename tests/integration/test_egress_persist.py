# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is still there after a boot, a restart or reload of a firewall or of Docker, and a change of networks; and how it goes."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress_units import (
    EARLY,
    PATH,
    REFRESH,
    RELOAD,
    RESTORE,
    TIMER,
    UNITS,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import egress_persist
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.program import program

from tests.hosts import Booted, World, unavailable
from tests.hosts.waiting import until
from tests.integration import egress_dummy

pytestmark = [pytest.mark.network_namespace, pytest.mark.skipif(bool(unavailable()), reason=unavailable())]

DISTRIBUTIONS = ("debian12", "debian13", "ubuntu2404")
LOG = str(egress_dummy.LOG)
# $0: archive of the product's code. Prints the plan, and what is left of it after it was carried out.
DRIVER = f"""
import base64, json, sys
sys.path.insert(0, "/root/ours.pyz")
from {egress_persist.__name__} import Persistence, wanted_files
from {egress_persist.EgressFiles.__module__} import EgressFiles
from {egress_persist.Tools.__module__} import Tools
options = json.loads(sys.argv[1])
wanted, warnings = {{}}, []
if options:
    program = open("/root/dummy.pyz", "rb").read()
    wanted, warnings = wanted_files(program, {{"more": options["more"]}}, options["interval"], options["database"])
plan = Persistence(Tools(), wanted).plan.as_list()
if "check" not in options:
    with EgressFiles().lock(20):
        Persistence(Tools(), wanted).apply()
after = Persistence(Tools(), wanted).plan.as_list()
print(json.dumps([plan, after, warnings]))
"""
OPTIONS: dict[str, t.Any] = {"interval": 3600, "database": None, "more": []}
STOPPING = "/usr/local/sbin/docker"  # found before the real one
STOPS = """#!/bin/sh
/usr/bin/docker "$@"
test "$2" != ls || systemctl stop docker.service
"""
DATABASE = "/var/lib/docker/network/files/local-kv.db"


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("persist")) as world:
        yield world


def prepared(host: t.Any) -> t.Any:
    """Bring the product's code and the program into a host."""
    for name, module in (("ours", egress_persist.__name__), ("dummy", egress_dummy.__name__)):
        text = base64.b64encode(program(module)).decode()
        host.run(["sh", "-c", f"base64 -d > /root/{name}.pyz"], input=text)
    return host


@pytest.fixture(name="host", scope="module", params=DISTRIBUTIONS)
def _host(world: World, request: pytest.FixtureRequest) -> Booted:
    return t.cast("Booted", prepared(world.boot(request.param)))


def drive(host: t.Any, options: t.Mapping[str, t.Any]) -> tuple[list[dict[str, t.Any]], list[dict[str, t.Any]], list[str]]:
    plan, after, warnings = json.loads(host.run(["python3", "-c", DRIVER, json.dumps(options)]).stdout)
    return plan, after, warnings


def log(host: Booted) -> list[str]:
    return host.run(["cat", LOG], check=False).stdout.splitlines()


def runs(host: Booted, what: str) -> int:
    return len([line for line in log(host) if line.startswith(what)])


def present(host: Booted) -> bool:
    """Say whether the rules are there."""
    return host.run(["sh", "-c", "nft list table inet dummy && iptables -n -L DUMMY"], check=False).returncode == 0


def show(host: Booted, unit: str, name: str) -> str:
    return host.run(["systemctl", "show", f"--property={name}", "--value", unit]).stdout.strip()


def ended(host: Booted, unit: str) -> None:
    """Wait for the end of a run that is under way: systemd does not start another beside it."""
    until(lambda: show(host, unit, "ActiveState") != "activating", f"the end of {unit}")


def docker(host: Booted, action: str) -> None:
    """Start or stop Docker, more often than its unit allows."""
    host.run(["systemctl", "reset-failed", "docker"], check=False)
    host.run(["systemctl", action, "docker.service"])


def names(changes: t.Sequence[t.Mapping[str, t.Any]], kind: str) -> list[str]:
    return [change["name"] for change in changes if change["kind"] == kind]


def trace(host: t.Any) -> list[str]:
    """Everything that could be left behind."""
    places = "/etc/systemd /usr/local/lib /var/lib /run/systemd/system /run/systemd/transient /run/systemd/generator"
    found = host.run(
        ["sh", "-c", f"find {places} -name '*bw-selfhost*' -o -name '*.wants' -o -name '*.requires'; ls -d /run/bw-selfhost*"],
        check=False,
    )
    return sorted(found.stdout.split())


def test_everything_is_there_once_and_then_gone(host: Booted) -> None:
    before = trace(host)
    check, _after, _warnings = drive(host, {**OPTIONS, "database": DATABASE, "check": True})
    assert trace(host) == before
    plan, after, warnings = drive(host, {**OPTIONS, "database": DATABASE})
    assert (plan, after, warnings) == (check, [], [])
    assert set(names(plan, "systemd unit")) == set(UNITS) - {REFRESH}
    verified = host.run(["systemd-analyze", "verify", *(f"/etc/systemd/system/{name}" for name in UNITS)], check=False)
    assert not [line for line in verified.stderr.splitlines() if "bw-selfhost" in line]

    fewer, after, _warnings = drive(host, OPTIONS)
    assert set(names(fewer, "systemd unit")) == {EARLY, PATH}
    assert not after

    plan, after, _warnings = drive(host, {})
    assert {change["action"] for change in plan} == {"delete"}
    assert not after
    assert trace(host) == before
    assert not host.run(["systemctl", "list-units", "--all", "--no-legend", "bw-selfhost*"]).stdout
    assert not host.run(["systemctl", "list-unit-files", "--no-legend", "bw-selfhost*"], check=False).stdout
    assert drive(host, {})[0] == []


def test_a_new_interval_counts_from_now(host: Booted) -> None:
    drive(host, OPTIONS)
    plan, after, _warnings = drive(host, {**OPTIONS, "interval": 1800})
    assert names(plan, "file") == [f"/etc/systemd/system/{TIMER}"]
    assert not after
    assert "30min" in show(host, TIMER, "TimersMonotonic")
    assert show(host, TIMER, "ActiveState") == "active"


def test_restored_after_a_boot(host: Booted) -> None:
    drive(host, {**OPTIONS, "database": DATABASE})
    host.run(["systemctl", "enable", "nftables", "ufw"])
    host.reboot()
    until(lambda: runs(host, "restore") >= 2, "the early and the late restore")
    assert present(host)
    assert show(host, RELOAD, "ActiveState") == "active"
    early, late = (
        int(show(host, unit, "ExecMainExitTimestampMonotonic" if unit == EARLY else "ActiveEnterTimestampMonotonic"))
        for unit in (EARLY, "docker.service")
    )
    assert 0 < early < late
    assert "ordering cycle" not in host.run(["journalctl", "--boot", "--no-pager"]).stdout
    host.run(["systemctl", "disable", "--now", "nftables", "ufw"])
    docker(host, "restart")  # nftables has removed its rules
    drive(host, {})


@pytest.mark.parametrize("action", ["restart", "reload", "stop start"])
def test_restored_after_nftables(host: Booted, action: str) -> None:
    """The service of nftables flushes everything, whoever owns it."""
    host.run(["systemctl", "start", "nftables"])
    drive(host, OPTIONS)
    for word in action.split():
        host.run(["systemctl", word, "nftables"])
    until(lambda: present(host), "the rules")
    host.run(["systemctl", "stop", "nftables"])
    assert not present(host)
    docker(host, "restart")  # its rules are gone, too


@pytest.mark.parametrize("unit", ["docker", "ufw"])
def test_restored_after(host: Booted, unit: str) -> None:
    drive(host, OPTIONS)
    for words in (["restart"], ["stop", "start"]):
        before = runs(host, "restore")
        for word in words:
            docker(host, word) if unit == "docker" else host.run(["systemctl", word, unit])
        until(lambda: runs(host, "restore") > before, f"a restore after {words}")  # noqa: B023
    assert present(host)


def test_docker_does_not_wait_for_what_comes_before_it(host: Booted) -> None:
    """What asks Docker then would wait for a start that waits for what asks."""
    drive(host, {**OPTIONS, "database": DATABASE})
    ended(host, RESTORE)
    before = runs(host, "restore")
    docker(host, "restart")
    until(lambda: runs(host, "restore") >= before + 2, "the early and the late restore")
    started = ("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    begin, end = (int(show(host, "docker.service", name)) for name in started)
    early = [int(show(host, EARLY, f"ExecMain{name}TimestampMonotonic")) for name in ("Start", "Exit")]
    assert early[0] < early[1] <= begin < end
    assert early[1] - early[0] < 10_000_000, "microseconds"


def test_stopped_docker_is_not_started(host: Booted) -> None:
    drive(host, {**OPTIONS, "database": DATABASE})
    ended(host, REFRESH)  # what it asks Docker at the moment of the stop would start it again
    docker(host, "stop")
    ended(host, REFRESH)
    before = runs(host, "refresh")
    host.run(["systemctl", "start", REFRESH])
    assert runs(host, "refresh") > before
    assert show(host, "docker.service", "ActiveState") == "inactive"
    docker(host, "start")


def test_docker_stopped_between_two_questions_is_not_started(host: Booted) -> None:
    """A question that comes after the stop would wake Docker by its socket."""
    drive(host, OPTIONS)
    ended(host, RESTORE)
    host.run(["sh", "-c", f"cat >{STOPPING}; chmod +x {STOPPING}"], input=STOPS)
    try:
        assert show(host, "docker.socket", "ActiveState") == "active"
        host.run(["python3", "/root/dummy.pyz", "refresh"])
        assert show(host, "docker.service", "ActiveState") == "inactive"
    finally:
        host.run(["rm", STOPPING])
        docker(host, "start")


def test_new_networks_are_seen_at_once(host: Booted) -> None:
    drive(host, {**OPTIONS, "database": DATABASE})
    create = ["docker", "network", "create", "--label", "com.docker.compose.project=docker", "docker_public"]
    for _time in range(5):
        ended(host, REFRESH)  # what changes in the last moment of a run waits for the timer
        bridge = f"br-{host.run(create).stdout[:12]}"
        until(lambda: f"refresh [{bridge}]" in log(host), "a refresh that sees the network")  # noqa: B023
        host.run(["docker", "network", "rm", "docker_public"])
    until(lambda: log(host)[-1].endswith(" []"), "a refresh that sees no network")
    assert show(host, PATH, "ActiveState") == "active"
    drive(host, {})


def test_the_timer_goes_on(world: World) -> None:
    host = prepared(world.boot("debian12"))
    drive(host, {**OPTIONS, "interval": 1})
    until(lambda: runs(host, "refresh") > 2, "refreshes", 40)


def test_the_programs_of_every_engine_work_in_the_units(world: World) -> None:
    host = prepared(world.boot("debian12"))
    host.enable_ufw(outgoing="ACCEPT")
    more = [
        "ufw prepend allow out proto tcp to 203.0.113.10 port 443 comment 'bw.selfhost:egress'",
        "ufw reload",
        "ip6tables-restore --noflush < /dev/null",
        "ip -json route get 203.0.113.10",
        "docker network inspect bridge",
    ]
    drive(host, {**OPTIONS, "more": more})
    host.run(["systemctl", "start", RESTORE])
    assert "203.0.113.10 443/tcp" in host.run(["ufw", "status"]).stdout
    exposure = host.run(["systemd-analyze", "security", "--no-pager", RESTORE]).stdout.strip().splitlines()[-1]
    assert float(exposure.split(":")[1].split()[0]) < 4, exposure

    host.run(["ufw", "disable"])
    host.start_firewalld()
    drive(host, {**OPTIONS, "more": ["firewall-cmd --permanent --new-policy bw-selfhost-host", "firewall-cmd --reload"]})
    host.run(["systemctl", "restart", REFRESH])  # one may be under way that started before
    assert "bw-selfhost-host" in host.run(["firewall-cmd", "--get-policies"]).stdout


@pytest.mark.parametrize("action", ["restart", "reload"])
def test_restored_after_firewalld(world: World, action: str) -> None:
    """firewalld removes everybody's iptables rules when it starts or reads its settings anew."""
    host = prepared(world.boot("debian12"))
    host.start_firewalld()
    drive(host, OPTIONS)
    before = runs(host, "restore")
    host.run(["systemctl", action, "firewalld"])
    until(lambda: runs(host, "restore") > before, "a restore")
    assert present(host)


def test_without_systemd_the_program_is_there_and_the_rest_is_said(world: World) -> None:
    host = prepared(world.bare("debian12"))
    plan, after, warnings = drive(host, OPTIONS)
    assert names(plan, "file") == ["/var/lib/bw-selfhost/egress.json", "/usr/local/lib/bw-selfhost/egress.pyz"]
    assert not after
    assert "not persistent" in warnings[0]
    host.run(["python3", "-I", "/usr/local/lib/bw-selfhost/egress.pyz", "restore"])
    host.run(["/usr/local/lib/bw-selfhost/egress.pyz", "refresh"])
    assert runs(host, "re") == 2
    assert drive(host, {})[1] == []
    assert not [name for name in trace(host) if "bw-selfhost" in name]
