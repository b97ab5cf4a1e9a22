# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module on a host with systemd and Docker: enforcement, its proof and its way back, and a kill at any moment."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.hosts import Booted, World
from tests.hosts.waiting import until
from tests.hosts.world import FORBIDDEN
from tests.integration.egress_hosts import CLOUD, EVERYWHERE, NFTABLES, reached

pytestmark = [pytest.mark.network_namespace, pytest.mark.slow]
TABLE = "bw_selfhost_egress"
ENFORCE = {"region": "us", "mode": "enforce", "timeout": 2}
FROM_HOST = {place for place in EVERYWHERE if place[0] == "host"}


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("egress")) as world:
        yield world


@pytest.fixture(name="shared", scope="module")
def _shared(world: World) -> Booted:
    host = world.boot("debian12")
    host.stack.up("api", "identity")
    return host


@pytest.fixture(name="host")
def _host(shared: Booted) -> t.Iterator[Booted]:
    """A server whose containers reach everything; afterwards it is so again, and nothing of ours is left."""
    before = without_names(dump(shared))
    yield shared
    shared.module("egress", {"state": "absent"})
    assert without_names(dump(shared)) == before


def without_names(dumped: dict[str, str]) -> dict[str, list[str]]:
    """Networks that are made anew get other names and addresses, and Docker puts rules about them last."""
    return {part: sorted(re.sub(r"br-[0-9a-f]{12}|172\.\d+\.\d+", "*", text).splitlines()) for part, text in dumped.items()}


def dump(host: Booted) -> dict[str, str]:
    """All rules, and all units of ours; the watchdog looks once a second whether it is still needed."""
    until(lambda: "rollback" not in units(host), "the watchdog's end")
    return {**host.dump(), "units": units(host)}


def units(host: Booted) -> str:
    listed = host.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "bw-selfhost*"]).stdout
    return "".join(sorted(" ".join(line.split()[:2]) + "\n" for line in listed.splitlines() if "refresh.service" not in line))


def enforced(host: Booted) -> bool:
    return TABLE in host.run(["nft", "list", "tables"]).stdout


def test_enforce_confines_the_containers_and_nothing_else(world: World, host: Booted) -> None:
    with_connection = world.management(host)
    assert reached(host, FORBIDDEN) == EVERYWHERE
    planned = host.module("egress", ENFORCE, check=True)
    assert planned["changed"]
    assert not enforced(host)
    applied = host.module("egress", ENFORCE)
    assert not applied["failed"], applied
    assert applied["changes"] == planned["changes"]
    assert {result["result"] for result in applied["probe"]} == {"ok"}
    assert {result["vantage"] for result in applied["probe"]} > {"host"}
    for name in CLOUD:
        assert reached(host, name) == EVERYWHERE
    assert reached(host, FORBIDDEN) == FROM_HOST
    assert with_connection.alive()
    assert not host.module("egress", ENFORCE)["changed"]

    host.recreate_networks()
    assert reached(host, CLOUD[0]) == EVERYWHERE
    until(lambda: reached(host, FORBIDDEN) == FROM_HOST, "the new networks' judgement")
    with_connection.close()

    host.reboot()
    until(lambda: reached(host, FORBIDDEN) == FROM_HOST, "the judgement after a boot")
    assert reached(host, CLOUD[0]) == EVERYWHERE
    assert host.module("egress", {"region": "us"})["changed"]  # mode: allow
    assert reached(host, FORBIDDEN) == EVERYWHERE


def test_a_broken_destination_takes_everything_back(world: World, host: Booted) -> None:
    host.run(["nft", "-f", "-"], input=NFTABLES)
    connection = world.management(host)
    try:
        world.dns["broken.example"] = ["198.51.100.250"]  # nobody there
        before = dump(host)
        result = host.module("egress", {**ENFORCE, "destinations": [{"host": "broken.example"}]})
        assert result["failed"]
        assert "broken.example" in result["msg"]
        assert dump(host) == before
        assert connection.alive()
        assert not reached(host, CLOUD[0])
    finally:
        connection.close()
        host.run(["nft", "delete", "table", "inet", "filter"])


def test_a_broken_destination_brings_the_former_rules_back(world: World, host: Booted) -> None:
    world.dns["broken.example"] = ["198.51.100.250"]
    assert not host.module("egress", ENFORCE)["failed"]
    before = dump(host)
    result = host.module("egress", {**ENFORCE, "destinations": [{"host": "broken.example"}]})
    assert result["failed"]
    assert dump(host) == before
    assert reached(host, FORBIDDEN) == FROM_HOST


def test_killed_before_it_could_confirm(world: World, host: Booted) -> None:
    """The probe waits for an address that never answers; meanwhile the run dies."""
    world.dns["broken.example"] = ["198.51.100.250"]
    options = {**ENFORCE, "timeout": 60, "confirm_timeout": 3, "destinations": [{"host": "broken.example"}]}
    run = host.start_module("egress", options)
    until(lambda: enforced(host), "the new table")
    run.kill()
    run.communicate()
    until(lambda: not enforced(host), "the watchdog")
    assert reached(host, FORBIDDEN) == EVERYWHERE


def test_enforce_without_containers_is_refused(world: World) -> None:
    bare = world.bare("debian12")
    result = bare.module("egress", ENFORCE)
    assert result["failed"]
    assert "no container network of the installation" in result["msg"]
    assert "mode: allow" in result["msg"]


def test_ansible_inside_the_confined_network_is_refused(host: Booted) -> None:
    subnet = host.run(["docker", "network", "inspect", "docker_public", "-f", "{{(index .IPAM.Config 0).Subnet}}"]).stdout
    inside = subnet.rpartition(".")[0] + ".77"
    run = host.module("egress", ENFORCE, environment={"SSH_CONNECTION": f"{inside} 40000 {host.address} 22"})
    assert run["failed"]
    assert f"Ansible's own connection has an end, {inside}" in run["msg"]
    assert not enforced(host)


@pytest.mark.parametrize("moment", range(6))
def test_killed_at_any_moment_the_rules_are_the_old_or_the_new_ones(host: Booted, moment: int) -> None:
    host.run(["nft", "-f", "-"], input=NFTABLES)
    try:
        old = host.dump()["nft"]
        host.module("egress", {"region": "us"})
        new = host.dump()["nft"]
        host.module("egress", {"state": "absent"})
        assert host.dump()["nft"] == old
        run = host.start_module("egress", {"region": "us"})
        # From "just started" to "about to end": the kill follows what the run itself has made visible.
        signs = [
            "/proc",
            "/run/bw-selfhost-egress.lock",
            "",
            "/var/lib/bw-selfhost/egress.json",
            "/usr/local/lib/bw-selfhost/egress.pyz",
        ]
        if moment < len(signs) and signs[moment]:
            until(
                lambda: host.run(["test", "-e", signs[moment]], check=False).returncode == 0 or run.poll() is not None, "a sign"
            )
        elif moment == 2:
            until(lambda: host.dump()["nft"] == new or run.poll() is not None, "the rules")
        else:
            run.wait()
        run.kill()
        run.communicate()
        until(lambda: host.dump()["nft"] in (old, new), "the end of the transaction")
        assert not host.module("egress", {"region": "us"})["failed"]
        assert host.dump()["nft"] == new
    finally:
        host.module("egress", {"state": "absent"})
        host.run(["nft", "delete", "table", "inet", "filter"])
