"""A whole host: systemd and a Docker of its own."""

from __future__ import annotations

import os
import signal
import typing as t
from pathlib import Path

from tests.hosts.containers import Stack
from tests.hosts.host import Host
from tests.hosts.waiting import until

if t.TYPE_CHECKING:
    from tests.hosts.world import World


class Booted(Host):
    """A host with systemd as its first process, and with a Docker of its own."""

    program = ("/sbin/init",)

    def __init__(self, world: World, tree: Path, name: str, number: int, ip6tables: bool = True) -> None:
        super().__init__(world, tree, name, number)
        if ip6tables:  # Docker before 27 leaves IPv6 without rules and address translation unless it is told so
            self.write("/etc/docker/daemon.json", '{"experimental": true, "ip6tables": true}\n')
        self.stack = Stack(self)

    def start(self) -> None:
        super().start()
        self.world.ip(f"route replace {self.stack.subnet6} via {self.address6}")
        self.wait_until_running()

    def wait_until_running(self) -> None:
        """Wait until systemd has started everything and Docker answers."""
        states = ("running\n", "degraded\n")
        until(lambda: self.run(["systemctl", "is-system-running"], check=False).stdout in states, "the end of booting", 60)
        until(lambda: self.run(["docker", "info"], check=False).returncode == 0, "Docker", 60)
        self.stack.wait_until_running()

    def enable_ufw(self, outgoing: str = "DROP", docker_user: bool = False) -> None:
        super().enable_ufw(outgoing, docker_user)
        self.run(["systemctl", "enable", "--now", "ufw"])

    def start_firewalld(self) -> None:
        self.run(["systemctl", "enable", "--now", "firewalld"])
        self.run(["systemctl", "restart", "docker"])  # as it makes the zone only when firewalld was there first
        self.wait_until_running()

    def reboot(self) -> None:
        """Shut down in good order and boot again; files stay."""
        assert self._outer
        os.kill(self.pid, signal.SIGRTMIN + 4)  # power off
        self._outer.wait(timeout=60)
        self.start()

    def recreate_networks(self) -> None:
        """Do what C(bitwarden.sh restart) does: remove containers and networks, and make them anew under new bridge names."""
        self.stack.down()
        self.stack.up()

    def container(self) -> tuple[int, str]:
        return self.stack.pid("api"), "127.0.0.11"
