"""A world from another process: the same methods, carried over a socket of the file system. Values travel as copies."""

from __future__ import annotations

import threading
import typing as t
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

if t.TYPE_CHECKING:
    from tests.hosts.world import World


def serve(world: World, file: Path) -> None:
    """Answer calls on a socket in a private folder until this process ends, which also removes the file."""
    file.unlink(missing_ok=True)
    listener = Listener(str(file), "AF_UNIX")
    file.chmod(0o600)

    def accept() -> None:
        while True:
            threading.Thread(target=_answer, args=(world, listener.accept()), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _answer(world: World, connection: Connection) -> None:
    with connection:
        name, method, args, kwargs = connection.recv()
        try:
            found = getattr(world.host(name) if name else world, method)
            result = found(*args, **kwargs) if callable(found) else found
            connection.send((True, result))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other process must hear of it
            connection.send((False, f"{type(error).__name__}: {error}"))


class _Remote:
    """Carries methods and attributes of a host, or of the world when it has no name."""

    def __init__(self, file: Path, name: str = "") -> None:
        self._file, self._name = file, name

    def host(self, name: str) -> _Remote:
        return _Remote(self._file, name)

    def __getattr__(self, method: str) -> t.Any:
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args, **kwargs: self._call(method, args, kwargs)

    def _call(self, method: str, args: t.Any, kwargs: t.Any) -> t.Any:
        with Client(str(self._file), "AF_UNIX") as connection:
            connection.send((self._name, method, args, kwargs))
            done, result = connection.recv()
        if not done:
            raise AssertionError(result)
        return result


def attach(file: Path) -> World:
    """Return the world that serves a file, for method calls only: C(host(name).reaches(…)), C(resolve(name, addresses))."""
    return t.cast("World", _Remote(file))
