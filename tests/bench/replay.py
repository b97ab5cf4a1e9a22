"""The least that a flow can take: its own requests once more, from a program that does nothing else.

Usage: python -m tests.bench.replay LIBRARY EXCHANGES CONNECTIONS     (a file of JSON: lists of the fields of Exchange)

The environment names the proxy and the certificate authority, as for any program. LIBRARY is one of two:

requests     what this collection is built on: a session for each thread, as its documentation shows it
http.client  the least that Python can do: the standard library's own, which knows no proxy, retry, redirect or encoding by itself
"""

from __future__ import annotations

import itertools
import json
import os
import re
import ssl
import sys
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Exchange(t.NamedTuple):
    """A request and its answer as they were on the wire."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    answer: str

    @property
    def kind(self) -> tuple[str, str]:
        """What it asks for; requests of one kind that follow one another do not depend on one another."""
        return self.method, _GUID.sub("", self.url)


Answer = tuple[int, str]
Send = t.Callable[[str, str, dict[str, str], bytes], Answer]


def with_requests() -> Send:
    """Return what sends a request with a session of this thread."""
    import requests

    session = requests.Session()

    def send(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        answer = session.request(method, url, headers=headers, data=body)
        return answer.status_code, answer.text

    return send


def with_standard_library() -> Send:
    """Return what sends a request over connections of this thread."""
    import http.client

    proxy = urlsplit(os.environ["HTTPS_PROXY"])
    context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    connections: dict[str, http.client.HTTPSConnection] = {}

    def send(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        place = urlsplit(url)
        connection = connections.get(place.netloc)
        if connection is None:
            connection = http.client.HTTPSConnection(str(proxy.hostname), proxy.port, context=context)
            connection.set_tunnel(str(place.hostname))
            connections[place.netloc] = connection
        connection.request(method, url.partition(place.netloc)[2], body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    return send


LIBRARIES = {"requests": with_requests, "http.client": with_standard_library}


class Replay:
    """Sends requests to a server that was put back to the same beginning, with the ids that it gives out this time."""

    def __init__(self, library: str) -> None:
        self._make = LIBRARIES[library]
        self._threads = threading.local()
        self._ids: dict[str, str] = {}
        self._token = ""

    def run(self, exchanges: list[Exchange], connections: int) -> None:
        """Send them all: those of one kind over several connections, one kind after the other."""
        with ThreadPoolExecutor(connections) as pool:
            for _kind, batch in itertools.groupby(exchanges, key=lambda exchange: exchange.kind):
                list(pool.map(self._send, batch))

    def _send(self, exchange: Exchange) -> None:
        if not hasattr(self._threads, "send"):
            self._threads.send = self._make()
        token = {"Authorization": f"Bearer {self._token}"} if "Authorization" in exchange.headers else {}
        url, body = self._renamed(exchange.url), self._renamed(exchange.body).encode()
        status, content = self._threads.send(exchange.method, url, {**exchange.headers, **token}, body)
        assert 200 <= status < 300, content
        if urlsplit(url).path.endswith("/connect/token"):
            self._token = json.loads(content)["access_token"]
        self._ids.update(zip(_GUID.findall(exchange.answer), _GUID.findall(content), strict=True))

    def _renamed(self, text: str) -> str:
        return _GUID.sub(lambda found: self._ids.get(found[0], found[0]), text)


def main(library: str, file: str, connections: str) -> None:
    exchanges = [Exchange(*fields) for fields in json.loads(Path(file).read_text())]
    Replay(library).run(exchanges, int(connections))


if __name__ == "__main__":
    main(*sys.argv[1:])
