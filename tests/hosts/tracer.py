"""Stands before a module's program on a host and notes which lines it runs, for Python 3.9 and without any library.

What it writes is what coverage.py calls arcs: pairs of lines that ran one after the other, by file.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

Follow = Callable[[FrameType, str, Any], Any]

INSIDE = "/ansible_collections/bw/selfhost/plugins/module_utils/"  # of the archive that Ansible makes
ARCS: dict[str, set[tuple[int, int]]] = {}


def enter(frame: FrameType, _event: str, _argument: object) -> Follow | None:
    """Follow functions of the collection only."""
    _unused, found, path = frame.f_code.co_filename.partition(INSIDE)
    if not found:
        return None
    arcs, outside = ARCS.setdefault(path, set()), -frame.f_code.co_firstlineno
    last = outside

    def step(frame: FrameType, event: str, _argument: object) -> Follow:
        nonlocal last
        if event == "line":
            arcs.add((last, frame.f_lineno))
            last = frame.f_lineno
        elif event == "return":
            arcs.add((last, outside))
        return step

    return step


def write() -> None:
    """Leave a file that the test finds when the host is closed."""
    sys.settrace(None)
    with open(f"/var/tmp/traced.{os.getpid()}.{time.monotonic_ns()}.json", "w") as file:
        json.dump({path: sorted(arcs) for path, arcs in ARCS.items()}, file)


atexit.register(write)
threading.settrace(enter)
sys.settrace(enter)
