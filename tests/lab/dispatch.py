"""From a request to an answer: which world, which service, recorded, limited, and with the faults that were ordered."""

from __future__ import annotations

import io
import json
import sys
import threading
import typing as t
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from flask import Response

from tests.lab import faults, organization_keys, services
from tests.lab.core import REGIONS, Core, Refusal, World
from tests.lab.ledger import Call, Ledger, Outcome, Request, plain
from tests.lab.limits import Limiter
from tests.lab.selfhost import Reply

_SERVICES = (
    "api",
    "identity",
    "admin",
    "sso",
    "events",
    "notifications",
    "icons",
    "attachments",
    "scim",
    "key-connector",
    "push",
)
_PREFIXED = ("admin", "identity", "sso")  # these see their prefix themselves and answer without a slash behind it too


class _Answer(Response):
    default_mimetype = None  # an answer without a body has none


class Dispatcher:
    """Answers requests to all worlds, one at a time."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.ledger = Ledger()
        self.limiter = Limiter()
        self.lock = threading.RLock()
        self.worlds = {name: World(name, core) for name in (*REGIONS, "selfhost")}
        self._apps = services.applications()
        core.selfhost.send = self._send

    def calm(self) -> None:
        """Take back every order and forget what happened."""
        self.ledger.clear()
        self.ledger.faults.clear()
        self.ledger.writes_forbidden = self.core.real_delays = self.core.rate_limits = False
        self.limiter.clear()

    def knows(self, host: str) -> bool:
        """Say whether anything listens under a host name."""
        with self.lock:
            self.core.selfhost.observe()
            world = self._world(host)
            return world is not None and (world.cloud or self.core.selfhost.listening())

    def _world(self, host: str) -> World | None:
        for name, domain in REGIONS.items():
            if host in (domain, f"icons.{domain.replace('.com', '.net')}") or host.endswith(f".{domain}"):
                return self.worlds[name]
        return self.worlds["selfhost"] if host == self.core.selfhost.domain() else None

    def answer(self, call: Call) -> Outcome:
        """Answer one request."""
        with self.lock:
            world = self._world(call.host) if self.knows(call.host) else None
            if world is None:  # it went away while the connection was open
                return Outcome(0, [], b"", faults.fault("reset_before"))
            parts = urlsplit(call.target)
            service, path = _service(world, call.host, unquote(parts.path))
            return self._answer(world, service, path, parts.query, call)

    def _answer(self, world: World, service: str, path: str, query: str, call: Call) -> Outcome:
        index = self._next_index(call)
        environ = _environ(world, call, path, query)
        write = self._writes(world, service, path, call)
        fault = faults.take(self.ledger.faults, faults.Target(index, world.name, call.method, path, call.origin))
        environ["lab.fault"] = fault
        if fault and not fault.handled:
            outcome = _broken(fault)
        elif write and self.ledger.writes_forbidden:
            outcome = plain(599, "the lab forbids writes")
        else:
            outcome = self._handle(world, service, path, call, environ)
        if fault and fault.kind == "status_after":
            outcome = plain(int(fault.argument), "fault")
        seen = Request(index, world.name, service, call.method, path, query, outcome.status, write, call.origin)
        self.ledger.requests.append(seen)
        outcome.fault = fault
        if fault and fault.kind == "delay":
            outcome.delay += float(fault.argument)
        return outcome

    def _next_index(self, call: Call) -> int:
        if call.origin != "client":
            return -1
        self.ledger.index += 1
        return self.ledger.index - 1

    def _writes(self, world: World, service: str, path: str, call: Call) -> bool:
        """Say whether a request changed or could change state."""
        if call.origin != "client" or call.method not in ("POST", "PUT", "PATCH", "DELETE"):
            return False
        if service == "identity" and (path == "/connect/token" or path.startswith("/accounts/prelogin")):
            return False
        asks = path.endswith("/public-keys") or organization_keys.creates_nothing(world, path, call.body)
        return not (service == "api" and asks)

    def _handle(self, world: World, service: str, path: str, call: Call, environ: dict[str, t.Any]) -> Outcome:
        if service == "nginx":
            return plain(200, "alive", "text/plain")
        if not world.cloud and not self.core.selfhost.ready(service):
            return plain(502, "<html><head><title>502 Bad Gateway</title></head></html>")
        if world.cloud and self.core.rate_limits and call.origin == "client":
            full = self.limiter.refuses(world.name, service, call.method, path, self.core.now().timestamp())
            if full:
                refusal = Refusal(429, f"Slow down! Too many requests. Try again in {full[0]}.")
                return plain(429, json.dumps(refusal.body()), "application/json", **{"Retry-After": str(full[1])})
        app = self._apps.get(service, self._apps["other"])
        response = _Answer.from_app(app.wsgi_app, environ, buffered=True)
        delay = environ["lab.notes"].get("delay", 0) if self.core.real_delays else 0
        return Outcome(response.status_code, list(response.headers.items()), response.get_data(), delay=delay)

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """Carry a self-hosted server's own request to a cloud of this lab; no other host can be reached."""
        parts = urlsplit(url)
        world = self._world(parts.hostname or "")
        if world is None or not world.cloud:
            return None
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        outcome = self.answer(Call(parts.hostname or "", method, target, headers, body, origin="server"))
        if outcome.fault and outcome.fault.kind.startswith(("reset", "timeout", "torn")):
            return None
        reason = {200: "OK", 400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 500: "InternalServerError"}
        return Reply(outcome.status, reason.get(outcome.status, str(outcome.status)), outcome.body)


def _service(world: World, host: str, path: str) -> tuple[str, str]:
    """Split a request's address into service and path; cloud services have host names, self-hosted ones prefixes."""
    first = host.partition(".")[0]
    if world.cloud and first in _SERVICES:
        return first, path
    if path == "/alive" and not world.cloud:
        return "nginx", path
    name, _unused, rest = path.lstrip("/").partition("/")
    if name in _SERVICES and (path.startswith(f"/{name}/") or name in _PREFIXED):
        return name, f"/{rest}"
    return "web", path


def _environ(world: World, call: Call, path: str, query: str) -> dict[str, t.Any]:
    environ: dict[str, t.Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": call.host,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": sys.stderr,
        "lab.world": world,
        "lab.notes": {},  # what an application tells the dispatcher besides its answer
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers.items()}
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(call.body))
    return environ


def _broken(fault: faults.Fault) -> Outcome:
    """Return the answer of a fault that keeps the server from doing anything."""
    if fault.kind == "html":
        return plain(200, "<!DOCTYPE html><html><body>Please log in to this network.</body></html>")
    if fault.kind == "page":
        title = f"{fault.argument} {HTTPStatus(int(fault.argument)).phrase}"
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>nginx</body></html>"
        return plain(int(fault.argument), page)
    if fault.kind == "redirect":
        return plain(302, "", Location=faults.ELSEWHERE)
    if fault.kind == "status":
        status = int(fault.argument)
        headers = {"Retry-After": "1"} if status in (429, 503) else {}
        return plain(status, json.dumps(Refusal(status, "A fault that was ordered.").body()), "application/json", **headers)
    return plain(0, "")  # nothing is answered
