"""A TLS server on loopback that answers as it is told, for what no well-behaved server does."""

from __future__ import annotations

import json
import ssl
import threading
import typing as t
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

Headers = dict[str, str]
Reply = tuple[int, Headers, bytes]
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}


class Reset(Exception):
    """Breaks the connection instead of answering."""


@dataclass(frozen=True)
class Seen:
    """One request as it came in; header names are lower case."""

    method: str
    path: str
    headers: Headers
    body: bytes
    port: int = 0  # of the client


def reply(content: t.Any, status: int = 200, **headers: str) -> Reply:
    """A JSON answer; underscores in the names of headers are dashes."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {**JSON, **extra}, json.dumps(content).encode()


@dataclass
class Site:
    """The server: C(answer) says what it does, C(seen) what it was asked."""

    ca_path: str
    answer: t.Callable[[Seen], Reply] = lambda _unused: reply({})
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    name: str = "localhost"
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://{self.name}:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, body, self.client_address[1])
        self.site.seen.append(seen)
        try:
            status, headers, content = self.site.answer(seen)
        except Reset:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = "Content-Length" in headers  # a wrong length is told on purpose

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815  # names of the base class

    def log_message(self, format: str, *args: t.Any) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Clients that turn away are what is tested."""


class Authority:
    """A certificate authority with its file."""

    def __init__(self, path: str) -> None:
        self.ca, self.path = trustme.CA(), path
        self.ca.cert_pem.write_to_path(path)

    def serve(self, site: Site, certificate: trustme.LeafCert | None) -> _Server:
        """Start a server; without a certificate it speaks plain HTTP."""
        server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        site.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server
