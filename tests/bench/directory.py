"""What it costs to find out that an organization is what a directory says, and where the time goes."""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import time
import typing as t
from pathlib import Path
from unittest import mock

from ansible_collections.bw.selfhost.plugins.module_utils._client.public_api import connect_organization
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_guards import refusals
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.directory_sync import read_directory, read_state

from tests.bench.operator import Operator, operator
from tests.bench.timing import RUNS, line
from tests.directory import OPENLDAP, Person, Slapd, Team, Tree
from tests.integration.directory_world import Organization, searches
from tools.metrics import Metric

GROWTH = (1000, 2500, 5000, 10_000)  # people; a twentieth as many groups, each with forty of them
TURNS = 3
MOST_SECONDS, MOST_MEMORY = 15, 300


def directory() -> t.Iterator[Metric]:
    """Sync more and more people, then once more."""
    with operator() as office, tempfile.TemporaryDirectory() as folder:
        again = []
        for size in GROWTH:
            with Slapd(Path(folder, str(size)), tree(size)) as slapd:
                again.append((yield from measured(office, slapd, size)))
        yield from line(GROWTH, "one person more, without the play", again, 1000, "ms")


def tree(size: int) -> Tree:
    """So many people, and groups that overlap."""
    people = tuple(Person(f"u{number:05}", unit="Engineering" if number % 2 else "") for number in range(size))
    uids = [person.uid for person in people]
    teams = tuple(Team(f"team {number:03}", tuple(uids[number * 20 :][:40])) for number in range(size // 20))
    return Tree(OPENLDAP, people, teams)


def measured(office: Operator, slapd: Slapd, size: int) -> t.Generator[Metric, None, float]:
    """Sync, then again, and look where the time of the second run goes; returns the seconds of all its parts."""
    office.lab.reset(scenario="page_a")
    organization = Organization(office.lab)
    office.lab.set_organization("selfhost", organization.id, seats=None)
    options = {**organization.options, "directory": slapd.options(), **searches()}
    task = {"bw.selfhost.directory_sync": options}
    first = office.play([task])
    office.lab.clear_requests()
    again = [office.play([task]) for _turn in range(TURNS)]
    seconds = statistics.median(run.seconds for run in again)
    most = size == GROWTH[-1]
    yield Metric(f"directory_sync of {size} people and {size // 20} groups, first run", first.seconds, "s")
    yield Metric("... second run", seconds, "s", **{"most": MOST_SECONDS} if most else {})
    yield Metric(
        "... second run, largest process", max(run.memory for run in again), "MiB", **{"most": MOST_MEMORY} if most else {}
    )
    yield Metric("... second run, requests", len(office.lab.requests()) / TURNS)
    yield Metric("... second run, writes", len(office.lab.writes()), most=0)
    with mock.patch.dict(os.environ, office.lab.environment()):
        # The quickest of some turns, since whatever else the machine does only adds to it.
        taken = [min(turn) for turn in zip(*(parts(options) for _turn in range(RUNS)), strict=True)]
    for name, part in zip(("LDAP", "HTTP", "compare"), taken, strict=True):
        yield Metric(f"... second run, of it {name}", part, "s")
    return sum(taken)


def parts(options: dict[str, t.Any]) -> list[float]:
    """The seconds of a run that finds nothing to do: for the directory, for the server, for comparing them."""
    wanted, server = parse(options), connect_organization(options, lambda _text: None)
    moments = [time.perf_counter()]

    def done() -> None:
        moments.append(time.perf_counter())

    found = read_directory(options, wanted)
    done()
    state = read_state(server, wanted, found, lambda _text: None)
    done()
    case = plan(found, state, wanted)
    assert not case.steps
    assert not refusals(case)
    done()
    return [after - before for before, after in itertools.pairwise(moments)]
