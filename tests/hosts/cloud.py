"""What stands for the Bitwarden cloud: HTTPS on every address, with a certificate for whatever name is asked."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import typing as t
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import trustme


class Cloud:
    """Serves listening sockets until it is closed: 200 with the time on C(/alive), and 404 for all else."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._context = self._context_for("unnamed.invalid")
        self._context.sni_callback = self._choose
        self._listening: list[socket.socket] = []

    def serve(self, listening: socket.socket) -> None:
        """Serve one more socket."""
        self._listening.append(listening)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def close(self) -> None:
        for one in self._listening:
            one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _context_for(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name, key_type=trustme.KeyType.ECDSA).configure_cert(context)
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _unused: object) -> None:
        if name:
            with self._lock:
                if name not in self._contexts:
                    self._contexts[name] = self._context_for(name)
            connection.context = self._contexts[name]

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, client = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, client), daemon=True).start()

    def _serve(self, connection: socket.socket, client: t.Any) -> None:
        try:
            connection.settimeout(10)
            with self._context.wrap_socket(connection, server_side=True) as secured:
                _Answer(secured, client, None)  # type: ignore[arg-type]
        except OSError:
            connection.close()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        alive = self.path == "/alive" and not self.headers.get("Host", "").startswith("push.")
        text = json.dumps(datetime.now(UTC).isoformat()) if alive else ""
        self.send_response(200 if alive else 404)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_unused: t.Any) -> None:
        """Stay silent."""
