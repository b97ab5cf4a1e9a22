"""The least that a flow can take: its own requests once more, from a program that does nothing else.

Usage: python -m tests.bench.replay EXCHANGES PROXY_URL CA_FILE CONNECTIONS     (a file of JSON: lists of the fields of Exchange)
"""

from __future__ import annotations

import collections
import http.client
import itertools
import json
import re
import ssl
import sys
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


class Replay:
    """Sends requests to a server that was put back to the same beginning, with the ids that it gives out this time."""

    def __init__(self, proxy: str, ca_file: str) -> None:
        self._proxy = urlsplit(proxy)
        self._context = ssl.create_default_context(cafile=ca_file)
        self._ids: dict[str, str] = {}
        self._idle: dict[str, list[http.client.HTTPSConnection]] = collections.defaultdict(list)
        self._token = ""

    def run(self, exchanges: list[Exchange], connections: int) -> None:
        """Send them all: those of one kind over several connections, one kind after the other."""
        with ThreadPoolExecutor(connections) as pool:
            for _kind, batch in itertools.groupby(exchanges, key=lambda exchange: exchange.kind):
                list(pool.map(self._send, batch))

    def _send(self, exchange: Exchange) -> None:
        place = urlsplit(exchange.url)
        idle = self._idle[place.netloc]
        try:
            connection = idle.pop()
        except IndexError:
            connection = http.client.HTTPSConnection(str(self._proxy.hostname), self._proxy.port, context=self._context)
            connection.set_tunnel(str(place.hostname))
        token = {"Authorization": f"Bearer {self._token}"} if "Authorization" in exchange.headers else {}
        target = self._renamed(exchange.url.partition(place.netloc)[2])
        connection.request(exchange.method, target, self._renamed(exchange.body).encode(), {**exchange.headers, **token})
        answer = connection.getresponse()
        content = answer.read().decode()
        assert 200 <= answer.status < 300, content
        idle.append(connection)
        if place.path.endswith("/connect/token"):
            self._token = json.loads(content)["access_token"]
        self._ids.update(zip(_GUID.findall(exchange.answer), _GUID.findall(content), strict=True))

    def _renamed(self, text: str) -> str:
        return _GUID.sub(lambda found: self._ids.get(found[0], found[0]), text)


def main(file: str, proxy: str, ca_file: str, connections: str) -> None:
    exchanges = [Exchange(*fields) for fields in json.loads(Path(file).read_text())]
    Replay(proxy, ca_file).run(exchanges, int(connections))


if __name__ == "__main__":
    main(*sys.argv[1:])
