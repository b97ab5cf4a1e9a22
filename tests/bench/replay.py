"""The least that a flow can take: its own requests once more, from a client that does nothing else."""

from __future__ import annotations

import collections
import contextlib
import http.client
import itertools
import json
import re
import ssl
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from unittest import mock
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from tests.lab import Lab

_GUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer as they were on the wire."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    answer: bytes

    @property
    def kind(self) -> tuple[str, bytes]:
        """What it asks for; requests of one kind that follow one another do not depend on one another."""
        return self.method, _GUID.sub(b"", self.url.encode())


@contextlib.contextmanager
def recorded() -> t.Iterator[list[Exchange]]:
    """Keep what is sent in this process, in the order of the answers."""
    exchanges: list[Exchange] = []
    send = HTTPAdapter.send

    def keep(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: t.Any) -> requests.Response:
        response = send(adapter, request, **options)
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        exchanges.append(Exchange(str(request.method), str(request.url), dict(request.headers), body, response.content))
        return response

    with mock.patch.object(HTTPAdapter, "send", keep):
        yield exchanges


@dataclass
class Replay:
    """Sends recorded requests to a lab that was put back to the same beginning, with the ids that it gives out this time."""

    lab: Lab
    connections: int
    _context: ssl.SSLContext = field(init=False)
    _ids: dict[bytes, bytes] = field(default_factory=dict)
    _idle: dict[str, list[http.client.HTTPSConnection]] = field(default_factory=lambda: collections.defaultdict(list))
    _token: str = ""

    def __post_init__(self) -> None:
        self._context = ssl.create_default_context(cafile=self.lab.ca_path)
        self._proxy = urlsplit(self.lab.proxy_url)

    def run(self, exchanges: list[Exchange]) -> None:
        """Send them all: those of one kind over several connections, one kind after the other."""
        with ThreadPoolExecutor(self.connections) as pool:
            for _kind, batch in itertools.groupby(exchanges, key=lambda exchange: exchange.kind):
                list(pool.map(self._send, batch))

    def _send(self, exchange: Exchange) -> None:
        place = urlsplit(exchange.url)
        idle = self._idle[place.netloc]
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._connect(str(place.hostname))
        headers = {name: value for name, value in exchange.headers.items() if name not in ("Authorization", "Content-Length")}
        if "Authorization" in exchange.headers:
            headers["Authorization"] = f"Bearer {self._token}"
        target = self._renamed(exchange.url.encode()).decode().partition(place.netloc)[2]
        connection.request(exchange.method, target, self._renamed(exchange.body), headers)
        answer = connection.getresponse()
        content = answer.read()
        assert 200 <= answer.status < 300, content
        idle.append(connection)
        if place.path.endswith("/connect/token"):
            self._token = json.loads(content)["access_token"]
        self._ids.update((old, new) for old, new in zip(_GUID.findall(exchange.answer), _GUID.findall(content), strict=True))

    def _connect(self, host: str) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(str(self._proxy.hostname), self._proxy.port, context=self._context)
        connection.set_tunnel(host)
        return connection

    def _renamed(self, text: bytes) -> bytes:
        return _GUID.sub(lambda found: self._ids.get(found[0], found[0]), text)
