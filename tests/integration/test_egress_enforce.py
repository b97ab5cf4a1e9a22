# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table that drops, with real packets; and rules that take themselves back."""

from __future__ import annotations

import base64
import ipaddress
import json
import signal
import socket
import subprocess
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host import container_networks
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall import watchdog
from ansible_collections.bw.selfhost.plugins.module_utils._model import enforce
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Command, Endpoint, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.program import program

from tests.hosts import Bare, Booted, Host, World, namespaces, unavailable
from tests.hosts.bare import BRIDGE
from tests.hosts.waiting import until
from tests.hosts.world import FORBIDDEN

pytestmark = [pytest.mark.network_namespace, pytest.mark.skipif(bool(unavailable()), reason=unavailable())]

API = "api.bitwarden.com"
DISTRIBUTIONS = ("debian12", "debian13", "ubuntu2404")
# Another container: its own namespace behind a bridge. $1: bridge, $2: name of the port, $3 …: lines of ip for its inside.
CONTAINER = """
bridge=$1 port=$2; shift 2
unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
pid=$!
until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add "$port" type veth peer name eth0 netns $pid
ip link set "$port" master "$bridge" up
for line in "$@"; do echo "$line"; done | nsenter -t $pid -n ip -batch -
echo $pid
"""
SERVER = """
import socket
listening = socket.create_server(("::", 8443), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    listening.accept()[0].sendall(b"!")
"""
CLIENT = "import socket, sys; print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).recv(1))"
# Opens a connection, and uses it only when it is told to.
PATIENT = f"""
import socket, ssl, sys
connection = socket.create_connection(("203.0.113.66", 443), 2)
print("open", flush=True)
sys.stdin.readline()
secured = ssl.create_default_context().wrap_socket(connection, server_hostname="{FORBIDDEN}")
print("used", flush=True)
"""
# Tries as fast as it can until stdin says something: how often the allowed one failed, and the forbidden one did not.
# The first packet may be lost while rules are replaced; TCP sends it again after a second.
RESTLESS = """
import select, socket, sys
counts = {"tried": 0, "closed": 0, "open": 0}
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for address, expected, wrong in (("203.0.113.10", True, "closed"), ("203.0.113.66", False, "open")):
        try:
            socket.create_connection((address, 443), 5 if expected else 0.02).close()
            passed = True
        except OSError:
            passed = False
        counts["tried"] += 1
        counts[wrong] += passed is not expected
print(counts["tried"], counts["closed"], counts["open"])
"""


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("enforce")) as world:
        yield world


def desired(host: Host, *, api: bool = True, stack: t.Sequence[str] | None = None) -> list[enforce.Item]:
    """The table for a bare host's only container."""
    cloud = {Endpoint(address, "tcp", 443) for address in ("203.0.113.10", "2001:db8::10")} if api else set()
    dns = {Endpoint(host.world.dns_address, protocol, 53) for protocol in ("udp", "tcp")}
    own = [f"172.30.{host.number}.0/24", f"fd00:30:{host.number}::/64"]
    return enforce.table(cloud | dns, own if stack is None else stack, ["172.31.0.0/24"])


def read(host: Host) -> list[enforce.Item]:
    return t.cast("list[enforce.Item]", json.loads(host.run(["nft", "-j", "list", "ruleset"]).stdout)["nftables"])


def apply(host: Host, items: t.Sequence[enforce.Item]) -> Proposal:
    proposal = enforce.propose(read(host), items)
    for command in proposal.commands:
        host.run(command.argv, input=command.stdin)
    return proposal


def open_to(host: Host, origin: str, name: str = FORBIDDEN) -> dict[int, str]:
    return {family: word for (_origin, family), word in host.reaches_all(name, origins=[origin]).items()}


def container(host: Bare, bridge: str, port: str, *lines: str) -> int:
    found = host.run(["sh", "-c", CONTAINER, "sh", bridge, port, "link set lo up", "link set eth0 up", *lines])
    return int(found.stdout)


def inside(pid: int, code: str, *words: str) -> list[str]:
    return ["nsenter", "-t", str(pid), "-n", "python3", "-c", code, *words]


def started(process: subprocess.Popen[str], word: str) -> subprocess.Popen[str]:
    assert process.stdout
    assert process.stdout.readline() == f"{word}\n"
    return process


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_only_new_connections_of_the_stack_to_the_outside_are_dropped(world: World, distribution: str) -> None:
    host = world.bare(distribution)
    before, management = host.dump(), world.management(host)
    assert open_to(host, "container") == open_to(host, "host") == {4: "ok", 6: "ok"}

    assert apply(host, desired(host)).changes
    assert open_to(host, "container") == {4: "timeout", 6: "timeout"}
    assert open_to(host, "container", API) == {4: "ok", 6: "ok"}
    assert open_to(host, "host") == {4: "ok", 6: "ok"}
    assert management.alive()
    assert not apply(host, desired(host)).commands, "what was counted is no difference"

    assert apply(host, []).changes[0].action == "delete"
    assert host.dump() == before
    assert open_to(host, "container") == {4: "ok", 6: "ok"}
    assert management.alive()


def test_neighbours_published_ports_other_containers_and_open_connections_stay(world: World) -> None:
    host = world.bare("debian12")
    pid, _resolver = host.container()
    neighbour = container(
        host,
        BRIDGE,
        "veth1",
        f"addr add 172.30.{host.number}.3/24 dev eth0",
        f"addr add fd00:30:{host.number}::3/64 dev eth0 nodad",
    )
    host.run(
        ["ip", "-batch", "-"], input="link add br-other type bridge\naddr add 172.31.0.1/24 dev br-other\nlink set br-other up\n"
    )
    other = container(host, "br-other", "veth2", "addr add 172.31.0.2/24 dev eth0", "route add default via 172.31.0.1")
    world.ip(f"route replace 172.31.0.0/24 via {host.address}")
    for destination, rule in (
        (f"{host.container_address}:8443", ["iptables"]),
        (f"[{host.container_address6}]:8443", ["ip6tables"]),
    ):
        host.run(
            [
                *rule,
                "-t",
                "nat",
                "-A",
                "PREROUTING",
                "-i",
                "eth0",
                "-p",
                "tcp",
                "--dport",
                "9443",
                "-j",
                "DNAT",
                "--to",
                destination,
            ]
        )
    for server in (pid, neighbour):
        started(host.popen(inside(server, SERVER), stdout=subprocess.PIPE), "ready")
    patient = started(host.popen(inside(pid, PATIENT), stdin=subprocess.PIPE, stdout=subprocess.PIPE), "open")

    def connected() -> dict[str, str]:
        fresh = [f"172.30.{host.number}.3", f"fd00:30:{host.number}::3"]
        host.run(["sh", "-c", f"ip neigh flush dev {BRIDGE}; nsenter -t {pid} -n ip neigh flush dev eth0"])
        words = {address: host.run(inside(pid, CLIENT, address, "8443"), check=False).stdout for address in fresh}
        words["other"] = host.run(inside(other, CLIENT, "203.0.113.66", "443"), check=False).stderr[-8:]
        words["to other"] = host.run(inside(pid, CLIENT, "172.31.0.2", "8443"), check=False).stderr.split("Error: ")[-1]
        return words

    def published() -> list[bytes]:
        def connect() -> list[bytes]:
            return [socket.create_connection((address, 9443), 2).recv(1) for address in (host.address, host.address6)]

        return namespaces.in_network(world.pid, connect)

    before = connected()
    assert list(before.values())[:2] == ["b'!'\n"] * 2
    assert published() == [b"!"] * 2

    apply(host, desired(host))
    assert open_to(host, "container") == {4: "timeout", 6: "timeout"}
    assert connected() == before
    assert published() == [b"!"] * 2
    assert patient.communicate("go\n")[0] == "used\n"


def test_what_somebody_changes_is_put_right(world: World) -> None:
    host = world.bare("debian12")
    apply(host, desired(host))
    host.run(["nft", "flush", "chain", "inet", enforce.TABLE, "outgoing"])
    assert open_to(host, "container") == {4: "ok", 6: "ok"}
    assert apply(host, desired(host)).changes
    assert open_to(host, "container") == {4: "timeout", 6: "timeout"}


def test_new_networks_are_judged_by_their_subnets(world: World) -> None:
    host = world.bare("debian12")
    apply(host, desired(host, stack=["192.168.200.0/24"]))
    assert open_to(host, "container") == {4: "ok", 6: "ok"}
    (change,) = apply(host, desired(host)).changes
    assert change.before["networks"] == ["192.168.200.0/24"]
    assert open_to(host, "container") == {4: "timeout", 6: "timeout"}


def test_replacing_the_table_never_opens_or_closes_anything(world: World) -> None:
    host = world.bare("debian12")
    pid, _resolver = host.container()
    tables = [desired(host), desired(host, stack=[f"172.30.{host.number}.0/25"])]
    apply(host, tables[0])
    for number, items in enumerate(tables):
        host.write(f"/root/{number}.json", enforce.load(items))
    restless = started(host.popen(inside(pid, RESTLESS), stdin=subprocess.PIPE, stdout=subprocess.PIPE), "ready")
    host.run(["sh", "-c", "for n in $(seq 100); do nft -j -f /root/$((n % 2)).json || exit; done"])
    tried, closed, opened = map(int, restless.communicate("stop\n")[0].split())
    assert tried > 50
    assert (closed, opened) == (0, 0)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_networks_of_real_docker(world: World, distribution: str) -> None:
    host: Booted = world.boot(distribution)
    carry(host, container_networks.__name__)
    host.stack.up("api", "identity")
    cloud = {Endpoint(address, "tcp", 443) for address in ("203.0.113.10", "2001:db8::10")}
    resolver = Endpoint(world.dns_address, "udp", 53)

    def judge() -> set[str]:
        code = "import json; print(json.dumps([[n.stack, n.bridge, n.subnets] for n in networks(Tools())]))"
        found = json.loads("".join(drive(host, f"from {container_networks.__name__} import Tools, networks; {code}")))
        stack = [subnet for ours, _bridge, subnets in found if ours for subnet in subnets]
        apply(host, enforce.table(cloud | {resolver}, stack, [subnet for _ours, _bridge, subnets in found for subnet in subnets]))
        assert {family for subnet in stack for family in [ipaddress.ip_network(subnet).version]} == {4, 6}
        return {bridge for _ours, bridge, _subnets in found}

    def talks() -> list[str]:
        """What identity answers to api, on both networks."""
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        addresses = host.run(["docker", "inspect", "-f", form, "bitwarden-identity"]).stdout.split()
        server = started(host.popen(inside(host.stack.pid("identity"), SERVER), stdout=subprocess.PIPE), "ready")
        answers = [host.run(inside(host.stack.pid("api"), CLIENT, address, "8443"), check=False).stdout for address in addresses]
        server.kill()
        return answers

    bridges = judge()
    assert "docker0" in bridges
    host.recreate_networks()
    assert judge() != bridges
    assert open_to(host, "container") == {4: "timeout", 6: "timeout"}
    assert open_to(host, "container", API) == open_to(host, "host") == {4: "ok", 6: "ok"}
    assert talks() == ["b'!'\n"] * 2


# ---- the watchdog


CARRIED = """
import os, sys
sys.path.insert(0, "/root/ours.pyz")
"""
ARM = f"""{CARRIED}
from {watchdog.__name__} import arm, confirm, settle
from {Command.__module__} import Command
from {watchdog.Tools.__module__} import Tools
tools = Tools()
"""


def carry(host: Host, module: str = watchdog.__name__) -> None:
    """Bring a module of the product, and all that it imports, into the host."""
    text = base64.b64encode(program(module)).decode()
    host.run(["sh", "-c", "base64 -d > /root/ours.pyz"], input=text)


def drive(host: Host, code: str) -> list[str]:
    return host.run(["python3", "-c", CARRIED + code]).stdout.split()


def enforcing(host: Host, seconds: int, then: str, items: t.Sequence[enforce.Item] | None = None) -> str:
    """Code that arms with what brings back the present table, loads another one, and goes on with C(then)."""
    host.write("/root/old.json", enforce.load(enforce.ours(read(host))))
    host.write("/root/new.json", enforce.load(desired(host, api=False) if items is None else items))
    return f"""
armed = arm(tools, open("/root/old.json").read(), {seconds})
tools.apply([Command(("nft", "-j", "-f", "-"), open("/root/new.json").read())])
print(armed, flush=True)
{then}
"""


def as_before(host: Host, items: t.Sequence[enforce.Item]) -> bool:
    return not enforce.propose(read(host), items).commands


def nothing_waits(host: Host) -> bool:
    # The brackets keep this very command out.
    code = "ls /run | grep '[r]ollback'; grep -l 'selfhost-[r]ollback' /proc/[0-9]*/cmdline 2>/dev/null"
    return not host.run(["sh", "-c", code], check=False).stdout


@pytest.fixture(name="host")
def _host(world: World) -> Bare:
    host = world.bare("debian12")
    carry(host)
    return host


@pytest.mark.parametrize("older", [True, False])
def test_rules_that_nobody_confirms_take_themselves_back(host: Bare, older: bool) -> None:
    old = desired(host, stack=["192.168.200.0/24"]) if older else []
    apply(host, old)
    before = host.dump()
    # The run is killed with all that belongs to it.
    code = "os.setsid()\n" + enforcing(host, 2, "os.killpg(0, 9)")
    run = host.popen(["python3", "-c", ARM + code], stdout=subprocess.PIPE)
    assert run.communicate()[0].startswith("/run/bw-selfhost-rollback-")
    assert not as_before(host, old)
    until(lambda: as_before(host, old), "the old rules")
    until(lambda: nothing_waits(host), "the end of the watchdog")
    assert host.dump() == before


def test_confirmed_rules_stay(host: Bare) -> None:
    assert drive(host, ARM + enforcing(host, 1, "print(confirm(armed), confirm(armed))"))[1:] == ["True", "False"]
    until(lambda: nothing_waits(host), "the end of the watchdog")
    assert as_before(host, desired(host, api=False))
    assert open_to(host, "container", API) == {4: "timeout", 6: "timeout"}


def test_what_a_killed_run_left_is_settled_by_the_next_one(host: Bare) -> None:
    drive(host, ARM + enforcing(host, 600, ""))
    assert open_to(host, "container", API) == {4: "timeout", 6: "timeout"}
    assert drive(host, ARM + "print(settle(tools), settle(tools))") == ["True", "False"]
    assert as_before(host, [])
    until(lambda: nothing_waits(host), "the end of the watchdog")


def test_too_late_to_confirm(host: Bare) -> None:
    (armed,) = drive(host, ARM + enforcing(host, 1, ""))
    until(lambda: as_before(host, []), "the old rules")
    assert drive(host, ARM + f"from pathlib import Path; print(confirm(Path({armed!r})))") == ["False"]


def test_the_watchdog_outlives_the_session(world: World) -> None:
    """Under systemd the end of a log-in may kill all of its processes."""
    host: Booted = world.boot("debian12")
    carry(host)
    code = enforcing(
        host, 2, "open('/run/armed', 'w').close(); import signal; signal.pause()", enforce.table((), ["172.31.0.0/24"], ())
    )
    session = host.popen(["systemd-run", "--scope", "--unit=login", "python3", "-c", ARM + code])
    until(lambda: host.run(["test", "-e", "/run/armed"], check=False).returncode == 0, "the run")
    host.run(["systemctl", "kill", f"--signal={signal.SIGKILL}", "login.scope"])
    assert session.wait() != 0
    assert not as_before(host, [])
    until(lambda: as_before(host, []), "the old rules")
    until(lambda: nothing_waits(host), "the end of the watchdog")
    units = host.run(["systemctl", "list-units", "--all", "--no-legend", "bw-selfhost*"]).stdout
    assert not units
