"""The lab from another process: the same methods, carried as JSON to the proxy's port.

C(connect(proxy_url)) returns what looks like a L(Lab); values travel as copies.
"""

from __future__ import annotations

import json
import typing as t
import urllib.request

if t.TYPE_CHECKING:
    from tests.lab.lab import Lab

_LOCAL = ("start", "stop")


def run_command(lab: Lab, data: bytes) -> tuple[int, bytes]:
    """Run one command in the lab's own process; returns status and JSON."""
    try:
        command = json.loads(data)
        name = command["name"]
        if name.startswith("_") or name in _LOCAL:
            raise AttributeError(name)
        found = getattr(lab, name)
        result = found(*_decoded(command["args"]), **_decoded(command["kwargs"])) if callable(found) else found
        return 200, json.dumps({"result": result}, default=_encode).encode()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other process must hear of it
        return 500, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()


def _encode(value: t.Any) -> t.Any:
    return {"$type": type(value).__name__, "fields": value.__dict__}


def _decoded(value: t.Any) -> t.Any:
    from tests.lab import Mail, Person, Request, Snapshot

    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if isinstance(value, dict) and "$type" in value:
        shapes: dict[str, t.Any] = {shape.__name__: shape for shape in (Mail, Person, Request, Snapshot)}
        return shapes[value["$type"]](**value["fields"])
    return {key: _decoded(item) for key, item in value.items()} if isinstance(value, dict) else value


class _Remote:
    """Carries every method and property of Lab to another process."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __getattr__(self, name: str) -> t.Any:
        from tests.lab.lab import Lab

        if name.startswith("_") or name in _LOCAL or not hasattr(Lab, name):
            raise AttributeError(name)
        if isinstance(getattr(Lab, name), property):
            return self._ask(name)
        return lambda *args, **kwargs: self._ask(name, *args, **kwargs)

    def _ask(self, name: str, *args: t.Any, **kwargs: t.Any) -> t.Any:
        data = json.dumps({"name": name, "args": args, "kwargs": kwargs}, default=_encode).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(urllib.request.Request(f"{self._url}/control", data, method="POST")) as reply:
                return _decoded(json.loads(reply.read())["result"])
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.loads(error.read())["error"]) from None


def connect(url: str) -> Lab:
    """Return the lab that serves a proxy's address."""
    return t.cast("Lab", _Remote(url.rstrip("/")))
