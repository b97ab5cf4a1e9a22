"""`make bench`: requests, wall time and peak memory, each beside its target.

It tells and never fails, because times depend on the machine.

Usage: python -m tests.bench [FLOW ...]     (without a name: all of them)
"""

from __future__ import annotations

import itertools
import resource
import statistics
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.override_env import plan_settings

from tests.bench.directory import directory
from tests.bench.egress import egress
from tests.bench.items import items
from tests.bench.organization import organization
from tests.bench.timing import RUNS, median_seconds
from tests.demo import Demo, demo
from tools.metrics import Metric

EMPTY_PLAY = "- hosts: bitwarden\n  gather_facts: false\n  tasks: []\n"


def converged_page_a() -> t.Iterator[Metric]:
    """A second run of page A, beside an empty play on the same machine at the same time."""
    with demo() as page:
        empty = page.directory / "empty.yml"
        empty.write_text(EMPTY_PLAY)
        first = run(page)
        baseline, seconds, processor = [], [], []
        for _run in range(RUNS):
            baseline.append(run(page, str(empty)))
            page.lab.clear_requests()
            begin = processor_seconds()
            seconds.append(run(page))
            processor.append(processor_seconds() - begin)
        requests, writes = page.lab.requests(), page.lab.writes()
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    play, nothing = statistics.median(seconds), statistics.median(baseline)
    yield Metric("page A, first run", first, "s")
    yield Metric("page A, converged run", play, "s")
    yield Metric("page A, converged run, processor time", statistics.median(processor), "s")
    yield Metric("empty play", nothing, "s")
    yield Metric("page A, converged run, beyond the empty play", play - nothing, "s", 3)
    yield Metric("page A, converged run, as a multiple of the empty play", play / nothing, "x")
    calls = [request.path for request in requests if request.origin == "client"]
    probed = sum(path in ("/alive", "/") for path in calls)
    yield Metric("page A, converged run, requests", len(calls) - probed, "", 12)
    yield Metric("page A, converged run, requests that prove the way to the cloud", probed, "", 3)
    yield Metric("page A, converged run, writes", len(writes), "", 0)
    yield Metric("page A, largest process", memory, "MiB", 150)


def processor_seconds() -> float:
    """Return the processor time of all ended children so far; it says more than wall time on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(page: Demo, *playbook: str) -> float:
    """Return the seconds of one run of a playbook (without a name: page A), which must succeed."""
    done = page.playbook(playbook=playbook[0]) if playbook else page.playbook()
    assert done.code == 0, done.output
    return done.seconds


def large_env_file() -> t.Iterator[Metric]:
    """What override_env does with a file of 5,000 lines: read, check, plan, write."""
    lines = [
        f"globalSettings__bench__key{number}=value {number}" if number % 3 else f"# comment {number}" for number in range(5000)
    ]
    with tempfile.TemporaryDirectory() as bwdata:
        file = Path(bwdata, "env/global.override.env")
        file.parent.mkdir()
        file.write_text("\n".join(lines) + "\n")
        turns = itertools.cycle([True, False])

        def change() -> None:
            settings = {"globalSettings__enableCloudCommunication": next(turns)}
            edit = plan_settings(bwdata, settings, region="eu")
            edit.apply(check_mode=False, backup=False)
            assert edit.plan.changed

        yield Metric("override_env on 5,000 lines, in process", 1000 * median_seconds(change, 20), "ms", 50)


def the_lab_itself() -> t.Iterator[Metric]:
    """What every test waits for."""
    with demo() as page:
        yield Metric("lab: reset", 1000 * median_seconds(lambda: page.lab.reset(scenario="first_license"), 20), "ms", 50)
        yield Metric("stand-in stack: containers()", 1000 * median_seconds(page.stack.containers, 20), "ms", 2)


FLOWS = {
    flow.__name__: flow for flow in (large_env_file, the_lab_itself, converged_page_a, organization, items, directory, egress)
}


def main(names: list[str]) -> None:
    for measure in [FLOWS[name] for name in names or FLOWS]:
        for figure in measure():
            print(figure, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
