"""A way to a directory that breaks: what the directory says gets through only so far."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import typing as t


class Broken(socketserver.ThreadingTCPServer):
    """Leads connections to a port on loopback. Use it as a context manager.

    Args:
        target: the port.
        octets: how much of the directory's answers gets through, on each connection.
        silent: whether nothing comes any more after that, instead of an end of the connection.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, target: int, octets: int, *, silent: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.octets = octets
        self.silent = silent
        self.over = threading.Event()
        self.port = int(self.server_address[1])
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(socketserver.BaseRequestHandler):
    server: Broken

    def handle(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.server.target), 10) as beyond:
            there = threading.Thread(target=self._ask, args=(beyond,), daemon=True)
            there.start()
            left = self.server.octets
            while left > 0 and (data := beyond.recv(min(left, 65536))):
                self.request.sendall(data)
                left -= len(data)
            if self.server.silent:
                self.server.over.wait(30)

    def _ask(self, beyond: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                beyond.sendall(data)
            beyond.shutdown(socket.SHUT_WR)
