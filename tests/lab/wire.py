"""The one listening port: a CONNECT proxy whose tunnels end in the lab's own TLS server, and the control interface.

Anything that speaks to production addresses through this proxy reaches the lab, and every other name gets 502.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import struct
import threading
import typing as t
from http.client import responses
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.lab.certificates import Authority
from tests.lab.dispatch import Dispatcher
from tests.lab.faults import Fault
from tests.lab.ledger import Call, Outcome

_WAIT = 0.1
Control = t.Callable[[bytes], "tuple[int, bytes]"]


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback, one thread per connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, dispatcher: Dispatcher, authority: Authority, control: Control) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.dispatcher = dispatcher
        self.authority = authority
        self.control = control
        self.refused: list[str] = []
        self.stopping = threading.Event()
        self.open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The proxy's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Tell mistakes, but not those of connections that end because the lab does."""
        if not self.stopping.is_set():
            super().handle_error(request, client_address)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and end every connection."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _host = ""

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the other side went away, or does not trust us
            self.close_connection = True

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()
        self.connection.close()

    def log_message(self, format: str, *args: t.Any) -> None:
        """Say nothing: the ledger knows."""

    def do_CONNECT(self) -> None:
        """Open a tunnel and become the server at its other end."""
        host, _unused, port = self.path.rpartition(":")
        if port != "443" or not self.server.dispatcher.knows(host.lower()):
            self.server.refused.append(self.path)
            self.close_connection = True
            self._write(Outcome(502, [("Content-Type", "text/plain")], f"no way to {self.path}\n".encode()))
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.server.open.discard(self.connection)
        self.connection = self.server.authority.context(host.lower()).wrap_socket(self.connection, server_side=True)
        self.server.open.add(self.connection)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self._host = host.lower()
        self.close_connection = False

    def do_GET(self) -> None:
        """Answer any request but CONNECT."""
        body = self._body()
        if self._host:
            self._serve(body)
        elif urlsplit(self.path).netloc:
            self._plain_port()
        else:
            status, found = self.server.control(body) if self.command == "POST" else (200, b'"a Bitwarden lab"')
            self._write(Outcome(status, [("Content-Type", "application/json")], found))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _plain_port(self) -> None:
        """Plain http through the proxy: a known server sends everybody to https."""
        parts = urlsplit(self.path)
        if self.server.dispatcher.knows(parts.hostname or ""):
            self._write(Outcome(301, [("Location", parts._replace(scheme="https").geturl())], b""))
        else:
            self.server.refused.append(parts.netloc)
            self._write(Outcome(502, [], b""))

    def handle_expect_100(self) -> bool:
        """Let the client go on at once; the base class leaves that in the buffer."""
        going = super().handle_expect_100()
        self.wfile.flush()
        return going

    def _body(self) -> bytes:
        # Behind a proxy the usual Python client keeps the body back until its headers are acknowledged.
        if hasattr(socket, "TCP_QUICKACK"):
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _serve(self, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "transfer-encoding"}
        outcome = self.server.dispatcher.answer(Call(self._host, self.command, self.path, headers, body))
        if outcome.delay:
            self.server.stopping.wait(outcome.delay)
        if outcome.fault:
            self._break(outcome, outcome.fault)
        else:
            self._write(outcome)

    def _break(self, outcome: Outcome, fault: Fault) -> None:
        if fault.kind.startswith("reset"):
            self._reset()
        elif fault.kind.startswith("timeout"):
            self._hang()
        elif fault.kind == "torn":
            self._write(outcome, half=True)
            self._close()
        else:
            self._write(outcome)

    def _write(self, outcome: Outcome, *, half: bool = False) -> None:
        """Send an answer in one piece; the length is always told."""
        lines = [f"HTTP/1.1 {outcome.status} {responses.get(outcome.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in outcome.headers if name.lower() != "content-length"]
        lines += [f"Content-Length: {len(outcome.body)}"]
        lines += ["Connection: close"] if self.close_connection else []
        body = b"" if self.command == "HEAD" else outcome.body
        head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        self.wfile.write(head + b"\r\n" + (body[: len(body) // 2] if half else body))
        self.wfile.flush()

    def _reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close()

    def _close(self) -> None:
        self.close_connection = True
        self.rfile.close()
        self.server.open.discard(self.connection)
        os.close(self.connection.detach())

    def _hang(self) -> None:
        """Say nothing until the client gives up."""
        self.close_connection = True
        self.connection.settimeout(_WAIT)
        while not self.server.stopping.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
