"""The hosts are real: packets pass and stop, names fail as asked, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.hosts import Booted, World, remote, ssh, tree, unavailable
from tests.hosts.bare import BRIDGE
from tests.hosts.trees import NAMES
from tests.hosts.waiting import until
from tests.hosts.world import FORBIDDEN

pytestmark = [pytest.mark.network_namespace, pytest.mark.skipif(bool(unavailable()), reason=unavailable())]

API = "api.bitwarden.com"
EVERYWHERE = {(origin, family): "ok" for origin in ("host", "container") for family in (4, 6)}
# An administrator's: DNS and answers pass, everything else does not.
CLOSED = """table inet filter {
    chain output {
        type filter hook output priority filter; policy drop;
        ct state established accept
        udp dport 53 accept
    }

    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established accept
        udp dport 53 accept
    }
}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("hosts")) as world:
        yield world


@pytest.mark.parametrize("distribution", NAMES)
def test_bare_host_reaches_everything_until_a_firewall_says_no(world: World, distribution: str) -> None:
    host = world.bare(distribution)
    management = world.management(host)
    assert host.reaches_all(API) == EVERYWHERE
    assert host.reaches_all(FORBIDDEN) == EVERYWHERE
    before = host.dump()
    host.run(["nft", "-f", "-"], input=CLOSED)
    assert host.reaches_all(API) == dict.fromkeys(EVERYWHERE, "timeout")
    assert host.dump()["nft"] == CLOSED.replace("    ", "\t")
    assert management.alive()
    host.run(["nft", "delete", "table", "inet", "filter"])
    assert host.dump() == before
    management.close()


def test_rejections_look_as_they_do_in_life(world: World) -> None:
    host = world.bare("debian12")
    host.run(["nft", "-f", "-"], input=CLOSED.replace("policy drop", "policy accept"))
    host.run(["nft", "add", "rule", "inet", "filter", "output", "tcp", "dport", "443", "reject", "with", "tcp", "reset"])
    assert host.reaches(API) == "refused"
    assert host.reaches(API, origin="container") == "ok"


def test_names_fail_as_asked(world: World) -> None:
    host = world.bare("debian12")
    for failure in ("nxdomain", "servfail", "refused", "timeout"):
        world.dns["broken.example"] = failure
        assert host.reaches("broken.example") == f"dns {failure}"
    world.dns["broken.example"] = ["203.0.113.200"]
    assert host.reaches("broken.example") == "ok"
    assert host.reaches("broken.example", 6) == "dns nodata"
    assert host.reaches("unknown.example", origin="container") == "dns nxdomain"
    world.dns_stop()
    assert host.reaches(API) == "dns timeout"
    world.dns_start()
    assert host.reaches(API) == "ok"
    assert host.run(["getent", "ahosts", API]).stdout.split()[0] in world.dns[API]


def test_modules_run_by_the_hosts_own_python(world: World, tmp_path: Path) -> None:
    host = world.bare("debian13")
    host.run(["mkdir", "-p", "/opt/bitwarden/bwdata/env"])
    host.run(["touch", "/opt/bitwarden/bwdata/env/global.override.env"])
    options = {"bwdata": "/opt/bitwarden/bwdata", "settings": {"globalSettings__disableUserRegistration": True}}
    assert host.module("override_env", options, check=True)["changed"]
    assert host.run(["cat", "/opt/bitwarden/bwdata/env/global.override.env"]).stdout == ""
    started = host.start_module("override_env", options)
    assert json.loads(started.communicate()[0])["changed"]
    assert not host.module("override_env", options)["changed"]


def test_traffic_on_one_bridge_passes_the_forward_hook(world: World) -> None:
    host = world.bare("debian12", docker_user=True)
    assert host.run(["cat", "/proc/sys/net/bridge/bridge-nf-call-iptables"]).stdout == "1\n"
    assert f"-A FORWARD -i {BRIDGE} -o {BRIDGE} -j ACCEPT" in host.dump()["ip6tables"]
    assert host.reaches_all(API) == EVERYWHERE


@pytest.mark.parametrize("docker_user", [False, True])
def test_ufw_stops_everything_but_management(world: World, docker_user: bool) -> None:
    host = world.bare("ubuntu2404", docker_user=docker_user)
    host.enable_ufw(docker_user=docker_user)
    found = host.reaches_all("203.0.113.10", families=(4,)) | host.reaches_all("2001:db8::10", families=(6,))
    assert set(found.values()) == {"timeout"}
    management = world.management(host)
    assert management.alive()
    management.close()
    assert "22/tcp" in host.dump()["ufw"]


def test_firewalld_takes_the_containers_into_its_zone(world: World) -> None:
    host = world.bare("debian12")
    before = host.dump()
    host.start_firewalld()
    assert host.reaches_all(API) == EVERYWHERE
    policy = ["--permanent", "--new-policy", "stop"], ["--permanent", "--policy", "stop", "--set-target", "REJECT"]
    zones = (
        ["--permanent", "--policy", "stop", "--add-ingress-zone", "docker"],
        ["--permanent", "--policy", "stop", "--add-egress-zone", "ANY"],
    )
    for words in (*policy, *zones, ["--reload"]):
        host.run(["firewall-cmd", *words])
    assert host.reaches("203.0.113.10") == "ok"
    assert host.reaches("203.0.113.10", origin="container") == "unreachable"
    assert host.dump()["/etc/firewalld"] != before["/etc/firewalld"]


@pytest.mark.parametrize("distribution", NAMES)
def test_booted_host_has_containers_that_survive_a_reboot(world: World, distribution: str) -> None:
    host = world.boot(distribution)
    assert host.run(["systemctl", "is-system-running"], check=False).stdout == "running\n"
    host.stack.up("api", "identity")
    assert host.reaches_all(API) == EVERYWHERE
    networks = bridges(host)
    host.recreate_networks()
    assert not bridges(host) & networks
    host.write("/etc/kept", "kept")
    host.reboot()
    assert host.run(["cat", "/etc/kept"]).stdout == "kept"
    assert host.reaches_all(API) == EVERYWHERE


def bridges(host: Booted) -> set[str]:
    links = json.loads(host.run(["ip", "-j", "link", "show", "type", "bridge"]).stdout)
    return {link["ifname"] for link in links} - {"docker0"}


def test_a_killed_process_leaves_nothing_running(tmp_path: Path) -> None:
    source = (
        "import pathlib, signal, sys\nfrom tests.hosts import World\n"
        "with World(pathlib.Path(sys.argv[1])) as world:\n"
        "    hosts = [world.bare('debian12'), world.boot('debian12')]\n"
        "    print(world.pid, *(host.pid for host in hosts), flush=True)\n"
        "    signal.pause()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", source, tmp_path], cwd=Path(__file__).parents[2], text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    pids = [int(one) for one in process.stdout.readline().split()]
    assert len(pids) == 3
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the end of all processes")


def test_what_is_gone_has_left_no_control_group_and_no_file(tmp_path: Path) -> None:
    before = groups()
    with World(tmp_path) as world:
        world.boot("debian12")
        mine = groups() - before
        assert mine
    assert not mine & groups()
    assert not list(tmp_path.iterdir())


def groups() -> set[str]:
    script = "mount -t cgroup2 none /mnt && ls /mnt | grep ^bw-hosts-"
    found = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)
    return {one for one in found.stdout.split() if one.startswith(f"bw-hosts-{os.getpid()}-")}


def test_another_process_can_ask_the_same(world: World, tmp_path: Path) -> None:
    name = world.bare("debian12").name
    remote.serve(world, tmp_path / "control")
    there = remote.attach(tmp_path / "control")
    there.resolve("moved.example", ["203.0.113.201"])
    assert there.host(name).reaches("moved.example") == "ok"
    with pytest.raises(AssertionError, match="-> 1"):
        there.host(name).run(["false"])


def test_ssh_leads_from_here_into_a_host(world: World, tmp_path: Path) -> None:
    host, key, config = world.boot("debian13"), ssh.make_key(tmp_path), tmp_path / "config"
    ssh.serve(host, key)
    ssh.write_config(world, config, key, [host])
    done = subprocess.run(
        ["ssh", "-F", config, host.name, "hostname; echo $SSH_CONNECTION"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [host.name, world.management_address, done.stdout.split()[2], host.address, "22"]


def test_trees_are_named() -> None:
    with pytest.raises(LookupError, match="tools/prepare"):
        tree("plan9")
