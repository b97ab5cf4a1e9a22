# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small servers that fail in one way each, on this machine's loopback or in a network namespace that stands for a container."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import socket
import ssl
import subprocess
import threading
import typing as t
from pathlib import Path

import trustme

from tests.hosts import namespaces
from tests.hosts.dns import DnsServer

HOME = "127.0.0.1"
GOOD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"2026-01-01T00:00:00"'
# Stands for `docker`: one network with a way out, and containers that share one process.
_DOCKER = """#!/bin/sh
case "$1 $2" in
  "network ls") echo f00d ;;
  "network inspect") cat {directory}/networks.json ;;
  "ps --quiet") echo one; echo two; echo three ;;
  "inspect one") cat {directory}/containers.json ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"""
Behaviour = t.Callable[[socket.socket], None]


class Servers:
    """Listening sockets of one network, with their threads."""

    def __init__(self, directory: Path, pid: int | None = None) -> None:
        self.directory, self._pid = directory, pid
        self._open = contextlib.ExitStack()
        self.records: dict[str, t.Any] = {"api.test": [HOME]}
        self.authority, self.stranger = trustme.CA(), trustme.CA()
        self.ca_path = directory / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_path))

    def close(self) -> None:
        self._open.close()

    def listener(self, kind: socket.SocketKind = socket.SOCK_STREAM, address: str = HOME, port: int = 0) -> socket.socket:
        def make() -> socket.socket:
            return namespaces.listener(kind, address, port)

        return self._open.enter_context(namespaces.in_network(self._pid, make) if self._pid else make())

    def dns(self, address: str = HOME, port: int = 0) -> str:
        """Serve C(records); return the server's address as the resolver takes it."""
        datagram = self.listener(socket.SOCK_DGRAM, address, port)
        self._open.callback(DnsServer(self.records, [datagram]).close)
        return f"{address}#{datagram.getsockname()[1]}"

    def serve(self, behaviour: Behaviour) -> int:
        """Do the same with every connection; return the port."""
        listening = self.listener()

        def accept() -> None:
            while True:
                try:
                    connection, _client = listening.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(10)
                    behaviour(connection)

        threading.Thread(target=accept, daemon=True).start()
        self._open.callback(listening.shutdown, socket.SHUT_RDWR)
        return int(listening.getsockname()[1])

    def tls(self, answer: bytes = GOOD, *names: str, authority: trustme.CA | None = None, days: tuple[int, int] = (-1, 1)) -> int:
        """Answer the same over TLS to every request; C(days) is from when until when the certificate is valid, from now."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        first, last = (dt.datetime.now(dt.UTC) + dt.timedelta(days=number) for number in days)
        issued = (authority or self.authority).issue_cert(*(names or ("api.test", HOME)), not_before=first, not_after=last)
        issued.configure_cert(context)

        def behave(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                respond(secured, answer)

        return self.serve(behave)

    def full(self) -> int:
        """Listen, but let no more connection through: the kernel drops what comes, as a firewall does."""
        listening = self.listener()
        listening.listen(0)

        def fill() -> list[socket.socket]:
            return [socket.create_connection(listening.getsockname(), 5)]

        self._open.enter_context(contextlib.closing((namespaces.in_network(self._pid, fill) if self._pid else fill())[0]))
        return int(listening.getsockname()[1])

    def closed(self) -> int:
        """Return a port where nobody listens."""
        with self.listener() as listening:
            return int(listening.getsockname()[1])

    def proxy(self, answer: bytes = b"", seen: list[bytes] | None = None) -> int:
        """Answer the same to every CONNECT, or else tunnel to the port that was asked for, here."""

        def behave(connection: socket.socket) -> None:
            head = read_head(connection)
            if seen is not None:
                seen.append(head)
            if answer:
                connection.sendall(answer)
                return
            target = (HOME, int(head.split()[1].rpartition(b":")[2]))
            opened = namespaces.in_network(self._pid, lambda: socket.create_connection(target, 5)) if self._pid else None
            with opened or socket.create_connection(target, 5) as other:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=copy, args=(other, connection), daemon=True)
                back.start()
                copy(connection, other)
                back.join(10)

        return self.serve(behave)


def read_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            break
        data += more
    return data


def respond(connection: socket.socket, answer: bytes) -> None:
    """Answer a request; without an answer stay silent until the other side goes."""
    read_head(connection)
    connection.sendall(answer)
    if not answer:
        connection.recv(1)


def copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def container(directory: Path) -> t.Iterator[int]:
    """Hold a network and a mount namespace with a loopback interface and Docker's resolv.conf; yields the process id."""
    (directory / "resolv.conf").write_text("nameserver 127.0.0.11\noptions ndots:0\n# ExtServers: [192.0.2.53]\n")
    (directory / "hosts").write_text("127.0.0.1 localhost listed.test\n")
    script = (
        f"mount --bind {directory}/resolv.conf /etc/resolv.conf; mount --bind {directory}/hosts /etc/hosts; "
        "ip link set lo up; echo ready; exec sleep infinity"
    )
    argv = ["unshare", "--net", "--mount", "sh", "-ec", script]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as held:
        try:
            assert held.stdout
            assert held.stdout.readline() == "ready\n"
            yield held.pid
        finally:
            held.kill()


def docker(directory: Path, pid: int, *variables: str) -> dict[str, str]:
    """Install a stand-in for C(docker), whose containers live in one process's namespaces; return the variables that find it."""
    network = {
        "Name": "docker_public",
        "Id": "f00d" * 16,
        "Driver": "bridge",
        "Internal": False,
        "Labels": {"com.docker.compose.project": "docker"},
    }
    documents = [
        {
            "Name": f"/bitwarden-{service}",
            "State": {"Pid": process},
            "Config": {"Env": list(variables), "Labels": {"com.docker.compose.service": service}},
            "NetworkSettings": {"Networks": {"docker_default": {}, "docker_public": {}}},
        }
        for service, process in (("admin", pid), ("api", pid), ("mssql", pid), ("sso", 0))
    ]
    (directory / "networks.json").write_text(json.dumps([network]))
    (directory / "containers.json").write_text(json.dumps(documents))
    program = directory / "bin/docker"
    program.parent.mkdir()
    program.write_text(_DOCKER.format(directory=directory))
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}
