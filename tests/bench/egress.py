"""What the module egress costs on a host, behind each firewall, for few and for many destinations."""

from __future__ import annotations

import math
import tempfile
import time
import typing as t
from pathlib import Path

from tests.bench.timing import median_seconds
from tests.hosts import World, unavailable
from tests.integration.egress_hosts import FIREWALLS
from tools.metrics import Metric

SIZES = (3, 30, 300)
NO_CHANGE = {30: 0.3}  # seconds


def egress() -> t.Iterator[Metric]:
    """Wall time as Ansible runs the module on the host, beyond that of one that only reads its options.

    Each destination has two addresses.
    """
    if reason := unavailable():
        print(f"egress is not measured: {reason}")
        return
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        for engine, install in FIREWALLS.items():
            host = install(world)
            start = median_seconds(lambda: host.module("server_config", {}))  # noqa: B023 - refused at once, an option is missing
            yield Metric(f"egress, {engine}: a module's start", start, "s")
            for size in SIZES:
                names = [f"d{number}.example" for number in range(size)]
                for number, name in enumerate(names):
                    world.resolve(name, [f"203.0.113.{number % 250 + 1}", f"2001:db8::{number + 0x100:x}"])
                options = {"purposes": [], "destinations": [{"host": name} for name in names]}
                begin = time.perf_counter()
                result = host.module("egress", options)
                seconds = time.perf_counter() - begin
                assert result["changed"], result
                again = median_seconds(lambda: host.module("egress", options), 3)  # noqa: B023
                host.module("egress", {"state": "absent"})
                yield Metric(f"egress, {engine}, {size} destinations, apply", seconds - start, "s")
                yield Metric(
                    f"egress, {engine}, {size} destinations, no change", again - start, "s", NO_CHANGE.get(size, math.inf)
                )
