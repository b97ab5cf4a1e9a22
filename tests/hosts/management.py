"""A connection like SSH's that was there before the firewall changed, and must still be there afterwards."""

from __future__ import annotations

import socket
import typing as t

from tests.hosts import namespaces
from tests.hosts.waiting import until

if t.TYPE_CHECKING:
    from tests.hosts.host import Host

PORT = 22
_ECHO = f"""
import socket
listening = socket.create_server(("", {PORT}))
while True:
    connection = listening.accept()[0]
    while data := connection.recv(64):
        connection.sendall(data)
"""


class Management:
    """One TCP connection from the outside into the host."""

    def __init__(self, host: Host) -> None:
        self._server = host.popen(["python3", "-c", _ECHO])
        self._source, self._to = host.world.management_address, host.address
        self._outside = host.world.pid
        until(self._connected, "the management connection")

    def _connected(self) -> bool:
        def connect() -> socket.socket:
            return socket.create_connection((self._to, PORT), 1, (self._source, 0))

        try:
            self._connection = namespaces.in_network(self._outside, connect)
        except OSError:
            return False
        return True

    def alive(self, timeout: float = 5) -> bool:
        """Say whether a byte goes there and comes back."""
        self._connection.settimeout(timeout)
        try:
            self._connection.sendall(b"?")
            return self._connection.recv(1) == b"?"
        except OSError:
            return False

    def close(self) -> None:
        self._connection.close()
        self._server.kill()
        self._server.wait()
