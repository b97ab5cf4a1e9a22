"""`make bench`: requests, wall time and peak memory, each beside its target.

It tells and never fails, because times depend on the machine.

Usage: python -m tests.bench
"""

from __future__ import annotations

import itertools
import resource
import statistics
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.override_env import plan_settings

from tests.bench.egress import egress
from tests.bench.figures import RUNS, Figure, median_seconds
from tests.demo import Demo, demo
from tools import metrics

EMPTY_PLAY = "- hosts: bitwarden\n  gather_facts: false\n  tasks: []\n"


def converged_page_a() -> t.Iterator[Figure]:
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
    yield Figure("page A, first run", first, "s")
    yield Figure("page A, converged run", play, "s")
    yield Figure("page A, converged run, processor time", statistics.median(processor), "s")
    yield Figure("empty play", nothing, "s")
    yield Figure("page A, converged run, beyond the empty play", play - nothing, "s", 3)
    yield Figure("page A, converged run, as a multiple of the empty play", play / nothing, "x")
    calls = [request.path for request in requests if request.origin == "client"]
    probed = sum(path in ("/alive", "/") for path in calls)
    yield Figure("page A, converged run, requests", len(calls) - probed, "", 12)
    yield Figure("page A, converged run, requests that prove the way to the cloud", probed, "", 3)
    yield Figure("page A, converged run, writes", len(writes), "", 0)
    yield Figure("page A, largest process", memory, "MiB", 150)


def processor_seconds() -> float:
    """Return the processor time of all ended children so far; it says more than wall time on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(page: Demo, *playbook: str) -> float:
    """Return the seconds of one run of a playbook (without a name: page A), which must succeed."""
    done = page.playbook(playbook=playbook[0]) if playbook else page.playbook()
    assert done.code == 0, done.output
    return done.seconds


def large_env_file() -> t.Iterator[Figure]:
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

        yield Figure("override_env on 5,000 lines, in process", 1000 * median_seconds(change, 20), "ms", 50)


def the_lab_itself() -> t.Iterator[Figure]:
    """What every test waits for."""
    with demo() as page:
        yield Figure("lab: reset", 1000 * median_seconds(lambda: page.lab.reset(scenario="first_license"), 20), "ms", 50)
        yield Figure("stand-in stack: containers()", 1000 * median_seconds(page.stack.containers, 20), "ms", 2)


def main() -> None:
    for measure in (large_env_file, the_lab_itself, converged_page_a, egress):
        for figure in measure():
            print(figure, flush=True)
    for name, value, target in metrics.table():
        print(f"{name:<58}{value:>10}          target {target}")


if __name__ == "__main__":
    main()
