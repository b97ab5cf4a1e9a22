"""Requests as they come in, as they are answered, and as they are remembered."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from tests.lab import faults


@dataclass(frozen=True)
class Request:
    """One request that reached a server.

    C(path) is without the service's prefix: C(/connect/token) is C(/identity/connect/token) on a self-hosted server.
    C(index) counts the clients' requests since the last clear; it is -1 for a server's own request.
    """

    index: int
    server: str
    service: str
    method: str
    path: str
    query: str
    status: int
    write: bool
    origin: str


@dataclass(frozen=True)
class Call:
    """A request as it came in."""

    host: str
    method: str
    target: str
    headers: t.Mapping[str, str]
    body: bytes
    origin: str = "client"


@dataclass
class Outcome:
    """An answer, and what is to happen to it on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    fault: faults.Fault | None = None
    delay: float = 0


@dataclass
class Ledger:
    """What was asked, and what is forbidden or broken."""

    requests: list[Request] = field(default_factory=list)
    faults: list[faults.Fault] = field(default_factory=list)
    writes_forbidden: bool = False
    index: int = 0

    def clear(self) -> None:
        """Forget the requests; the next one is number 0."""
        self.requests.clear()
        self.index = 0


def plain(status: int, text: str, content_type: str = "text/html", **headers: str) -> Outcome:
    """Return an answer that no application made."""
    return Outcome(status, [("Content-Type", content_type), *headers.items()], text.encode())
