"""Processes and sockets in other namespaces, all of which end with this process, however it ends."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CLONE_NEWNET = 0x40000000
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_T = t.TypeVar("_T")


def dies_with_us(argv: t.Sequence[str]) -> list[str]:
    """Return the command as one that the kernel kills together with the thread that starts it."""
    return ["setpriv", "--pdeathsig", "KILL", *argv]


def first_child(pid: int) -> int:
    """Return the only child of a process."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def in_network(pid: int, work: t.Callable[[], _T]) -> _T:
    """Call a function in the network namespace of a process; sockets that it makes stay there."""

    def enter() -> _T:
        with open(f"/proc/{pid}/ns/net") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return work()

    with ThreadPoolExecutor(1) as thread:  # a thread has a network namespace of its own, and this one ends with the call
        return thread.submit(enter).result()


def ip(pid: int, *lines: str) -> None:
    """Run lines of C(ip) in the network namespace of a process."""
    argv = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"]
    done = subprocess.run(argv, input="\n".join(lines) + "\n", env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip: {done.stderr.strip()}")


def listener(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    """Return a bound socket of this namespace; streams listen, and C(::) means IPv4, too."""
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address == "::":
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    found.bind((address, port))
    if kind == socket.SOCK_STREAM:
        found.listen(1024)
    return found


class Starter:
    """Starts processes that must live as long as this one, whichever thread asks for them."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)

    def start(self, argv: t.Sequence[str], **options: t.Any) -> subprocess.Popen[str]:
        """Start a program that the kernel kills when this process ends, however that happens."""
        options = {"env": ENVIRONMENT, "text": True, "stdin": subprocess.DEVNULL, **options}
        return self._thread.submit(lambda: subprocess.Popen[str](dies_with_us(argv), **options)).result()

    def close(self) -> None:
        self._thread.shutdown()


def alive(pid: int) -> bool:
    """Say whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
