"""The world around hosts: a cloud, a DNS server, and the network between them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import typing as t
from pathlib import Path

from tests.hosts import groups, namespaces
from tests.hosts.ansiballz import Builder
from tests.hosts.bare import Bare
from tests.hosts.booted import Booted
from tests.hosts.cloud import Cloud
from tests.hosts.dns import DnsServer, Records
from tests.hosts.host import Host
from tests.hosts.management import Management
from tests.hosts.relay import Relay
from tests.hosts.trees import tree

# The cloud's names -> last part of their addresses: 203.0.113.N and 2001:db8::N. Every other address there answers, too.
NAMES = {
    "api.bitwarden.com": 10,
    "identity.bitwarden.com": 11,
    "push.bitwarden.com": 12,
    "api.bitwarden.eu": 20,
    "identity.bitwarden.eu": 21,
    "push.bitwarden.eu": 22,
    "forbidden.example": 66,
}
FORBIDDEN = "forbidden.example"
# Addresses are unique here, so none waits a second for the proof.
_ACCEPT_DAD = "/proc/sys/net/ipv6/conf/default/accept_dad"
_H = t.TypeVar("_H", bound=Host)


class World:
    """Everything that hosts see. Leave the C(with) block, or die, and all of it is gone.

    Attributes:
        dns: name -> addresses, or a failure (see dns.py); may be changed at any time.
        ca_path: the authority behind the cloud's certificates; hosts trust it.
        pid: a process whose network namespace is the outside.
        directory: a folder of its own; it is removed at the end.
    """

    dns_address, dns_address6 = "203.0.113.53", "2001:db8::53"
    gateway, gateway6 = "198.51.100.1", "2001:db8:1::1"
    management_address = "192.0.2.1"

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "world"
        self.dns: Records = {name: addresses(number) for name, number in NAMES.items()}
        self.ca_path = self.directory / "ca.pem"
        self.hosts: list[Host] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> t.Self:
        with contextlib.ExitStack() as started:
            self.directory.mkdir()
            started.callback(shutil.rmtree, self.directory, ignore_errors=True)
            started.callback(groups.remove, os.getpid())
            groups.remove_abandoned()
            self.starter = namespaces.Starter()
            started.callback(self.starter.close)
            self._start_outside(started)
            self._start_servers(started)
            self.builder = started.enter_context(Builder(self.directory, self.starter))
            started.callback(self._close_hosts)
            self._open = started.pop_all()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._open.close()

    def _close_hosts(self) -> None:
        for host in self.hosts:
            host.close()

    def _start_outside(self, started: contextlib.ExitStack) -> None:
        script = f"echo 0 > {_ACCEPT_DAD}; echo ready; exec sleep infinity"
        holder = self.starter.start(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE)
        started.callback(holder.wait)
        started.callback(holder.kill)
        assert holder.stdout
        with holder.stdout as said:
            said.readline()
        self.pid = holder.pid
        self.ip(
            "link set lo up",
            "link add hosts address 02:00:00:00:00:01 type bridge",  # or it would be that of a port, and change when one joins
            f"addr add {self.gateway}/24 dev hosts",
            f"addr add {self.gateway6}/64 dev hosts nodad",
            f"addr add {self.management_address}/32 dev lo",
            f"addr add {self.dns_address}/32 dev lo",
            f"addr add {self.dns_address6}/128 dev lo",
            "link set hosts up",
            "route add local 203.0.113.0/24 dev lo",
            "route add local 2001:db8::/64 dev lo",
        )

    def _start_servers(self, started: contextlib.ExitStack) -> None:
        self._cloud = Cloud()
        started.callback(self._cloud.close)
        self.serve(443)
        self._cloud.authority.cert_pem.write_to_path(str(self.ca_path))
        argv = ["openssl", "x509", "-hash", "-noout"]
        found = subprocess.run(
            ["chroot", str(tree("debian12")), *argv], input=self.ca_path.read_text(), capture_output=True, text=True, check=True
        )
        self.ca_hash = found.stdout.strip()
        kinds, homes = (socket.SOCK_DGRAM, socket.SOCK_STREAM), (self.dns_address, self.dns_address6)
        self._dns = DnsServer(
            self.dns,
            namespaces.in_network(self.pid, lambda: [namespaces.listener(kind, home, 53) for kind in kinds for home in homes]),
        )
        started.callback(self._dns.close)

    def serve(self, port: int) -> None:
        """Let every address of the cloud answer over HTTPS on one more port."""
        self._cloud.serve(namespaces.in_network(self.pid, lambda: namespaces.listener(socket.SOCK_STREAM, "::", port)))

    def lead(self, port: int) -> None:
        """Let a port of every address of the cloud lead to the same port on this machine's loopback."""
        relay = Relay(namespaces.in_network(self.pid, lambda: namespaces.listener(socket.SOCK_STREAM, "::", port)), port)
        self._open.callback(relay.close)

    def ip(self, *lines: str) -> None:
        """Run lines of C(ip) outside."""
        namespaces.ip(self.pid, *lines)

    def dns_stop(self) -> None:
        """Let DNS queries go unanswered."""
        self._dns.answering = False

    def dns_start(self) -> None:
        """Let DNS queries be answered again."""
        self._dns.answering = True

    def bare(self, distribution: str, name: str = "", docker_user: bool = False) -> Bare:
        """Start a host without systemd, with a container's network behind a bridge."""
        host = Bare(self, tree(distribution), *self._place(name), docker_user)
        return self._known(host, start=True)

    def boot(self, distribution: str, name: str = "", ip6tables: bool = True, start: bool = True) -> Booted:
        """Boot a host with systemd and Docker; C(ip6tables) says whether that handles IPv6 as it does IPv4."""
        return self._known(Booted(self, tree(distribution), *self._place(name), ip6tables), start)

    def _place(self, name: str) -> tuple[str, int]:
        number = len(self.hosts) + 1
        return name or f"h{number}", number

    def _known(self, host: _H, start: bool) -> _H:
        self.hosts.append(host)
        if start:
            host.start()
        return host

    def host(self, name: str) -> Host:
        """Return a host by its name."""
        return next(host for host in self.hosts if host.name == name)

    def resolve(self, name: str, addresses: t.Sequence[str] | str) -> None:
        """Let a name have these addresses from now on, or a failure (see dns.py)."""
        self.dns[name] = addresses

    def management(self, host: Host) -> Management:
        """Open a connection into a host that is to survive whatever happens to its firewall."""
        return Management(host)


def addresses(number: int) -> list[str]:
    """Return the two addresses of the cloud that end with a number."""
    return [f"203.0.113.{number}", f"2001:db8::{number}"]
