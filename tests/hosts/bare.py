"""A cheap host: neither systemd nor Docker."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.hosts import firewalls
from tests.hosts.host import Host
from tests.hosts.waiting import until

if t.TYPE_CHECKING:
    from tests.hosts.world import World

# What its container hangs on, named as Docker names its bridges.
BRIDGE = "br-0123456789ab"


class Bare(Host):
    """A host without systemd and Docker: its "container" is a network namespace behind a bridge, 172.30.N.2 and fd00:30:N::2.

    With C(docker_user), filter rules are as Docker would have made them.
    """

    def __init__(self, world: World, tree: Path, name: str, number: int, docker_user: bool = False) -> None:
        super().__init__(world, tree, name, number)
        self._docker_user = docker_user

    def start(self) -> None:
        super().start()
        self._connect_container()
        self._write_docker_rules()

    def _write_docker_rules(self) -> None:
        for family in ("ip", "ip6") if self._docker_user else ():
            self.run([f"{family}tables-restore", "--noflush"], input=firewalls.DOCKER.format(bridge=BRIDGE))

    def start_firewalld(self) -> None:
        self.write("/etc/firewalld/zones/docker.xml", firewalls.DOCKER_ZONE)
        self.run(["sh", "-c", "mkdir -p /run/dbus; [ -S /run/dbus/system_bus_socket ] || dbus-daemon --system --fork"])
        with open(self.folder / "firewalld.log", "ab") as log:
            self.popen(["firewalld", "--nofork", "--nopid"], stdout=log, stderr=log)
        until(lambda: self.run(["firewall-cmd", "--state"], check=False).returncode == 0, "firewalld")
        self.run(["firewall-cmd", "--zone=docker", f"--change-interface={BRIDGE}"])
        self._write_docker_rules()  # firewalld has removed them, and Docker would make them anew

    def _connect_container(self) -> None:
        until(lambda: self.run(["test", "-s", "/run/container.pid"], check=False).returncode == 0, "the container's namespace")
        self.container_address, self.container_address6 = f"172.30.{self.number}.2", f"fd00:30:{self.number}::2"
        container, _unused = self.container()
        self.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])
        lines = (
            f"link add {BRIDGE} address 02:00:00:00:00:02 type bridge",
            f"addr add 172.30.{self.number}.1/24 dev {BRIDGE}",
            f"addr add fd00:30:{self.number}::1/64 dev {BRIDGE} nodad",
            f"link add veth0 type veth peer name eth0 netns {container}",
            f"link set veth0 master {BRIDGE} up",
            f"link set {BRIDGE} up",
        )
        self.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n")
        inner = (
            "link set lo up",
            f"addr add {self.container_address}/24 dev eth0",
            f"addr add {self.container_address6}/64 dev eth0 nodad",
            "link set eth0 up",
            f"route add default via 172.30.{self.number}.1",
            f"route add default via fd00:30:{self.number}::1",
        )
        self.run(["nsenter", "-t", str(container), "-n", "ip", "-batch", "-"], input="\n".join(inner) + "\n")
        self.world.ip(
            f"route replace 172.30.{self.number}.0/24 via {self.address}",
            f"route replace fd00:30:{self.number}::/64 via {self.address6}",
        )

    def container(self) -> tuple[int, str]:
        return int(self.run(["cat", "/run/container.pid"]).stdout), self.world.dns_address
