"""Faults on request: which request they hit, and what happens to it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

KINDS = frozenset(
    {
        "status",  # status:500 - answered without being handled; status:429 carries Retry-After
        "status_after",  # status_after:500 - handled, then answered so
        "reset_before",  # the connection is reset, nothing was handled
        "reset_after",  # handled, then the connection is reset
        "timeout",  # nothing was handled, nothing is answered
        "timeout_after",  # handled, nothing is answered
        "torn",  # handled, half of the answer's body, then the connection ends
        "html",  # a proxy's page instead of JSON, with status 200
        "page",  # page:413 - a proxy's page with that status; nothing was handled
        "redirect",  # 302 to another host
        "delay",  # delay:SECONDS - handled, answered later
        "client_step",  # client_step:organization, :link, :owner or :seats - a client's creation breaks after that step
    }
)
AFTER = frozenset({"status_after", "reset_after", "timeout_after", "torn", "delay", "client_step"})
# conditions of kinds that concern one request only
_OF_ITSELF: dict[str, dict[str, t.Any]] = {"client_step": {"method": "POST", "path": "/clients$"}}
ELSEWHERE = "https://elsewhere.example.org/"


@dataclass(frozen=True)
class Target:
    """A request, as far as a fault looks at it."""

    index: int
    server: str
    method: str
    path: str
    origin: str


@dataclass
class Fault:
    """One fault; every condition that is set must hold. C(path) is a regular expression, searched for."""

    kind: str
    argument: str
    index: int | None = None
    path: str | None = None
    method: str | None = None
    server: str | None = None
    origin: str = "client"
    times: int | None = 1

    def hits(self, seen: Target) -> bool:
        """Say whether this fault is for that request."""
        return (
            self.times != 0
            and seen.origin == self.origin
            and self.index in (None, seen.index)
            and self.server in (None, seen.server)
            and self.method in (None, seen.method)
            and (self.path is None or re.search(self.path, seen.path) is not None)
        )

    @property
    def handled(self) -> bool:
        """Say whether the server does its work before the fault shows."""
        return self.kind in AFTER


def fault(kind: str, **conditions: t.Any) -> Fault:
    """Read a fault such as C(status:500); raises ValueError for an unknown kind."""
    name, _unused, argument = kind.partition(":")
    if name not in KINDS:
        raise ValueError(f"unknown kind of fault {kind!r}; known: {', '.join(sorted(KINDS))}")
    return Fault(name, argument, **{**_OF_ITSELF.get(name, {}), **conditions})


def take(faults: list[Fault], seen: Target) -> Fault | None:
    """Return the first fault that hits a request, and use it up."""
    for found in faults:
        if found.hits(seen):
            if found.times is not None:
                found.times -= 1
            return found
    return None
