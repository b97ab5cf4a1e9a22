"""A way from the hosts' world to a server that listens on this machine's loopback."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    """Leads every connection to a listening socket to a port on loopback, until it is closed."""

    def __init__(self, listening: socket.socket, port: int) -> None:
        self._listening, self._port = listening, port
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _client = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(connection,), daemon=True).start()

    def _lead(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 10) as beyond:
            beyond.settimeout(None)
            back = threading.Thread(target=_copy, args=(beyond, connection), daemon=True)
            back.start()
            _copy(connection, beyond)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
