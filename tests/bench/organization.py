"""What it costs to fill an organization: in one task, object by object, with the official client, and at the very least."""

from __future__ import annotations

import base64
import json
import math
import os
import statistics
import subprocess
import sys
import time
import typing as t
from unittest import mock

import requests
from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import CONNECTIONS
from requests.adapters import HTTPAdapter

from tests.bench.operator import Operator, Run, Tasks, operator
from tests.bench.replay import Exchange
from tests.bench.timing import RUNS, line
from tests.e2e.client import Client
from tests.integration.module_runner import run_module
from tests.lab import Lab
from tools.metrics import ROOT, Metric

Wanted = dict[str, list[dict[str, t.Any]]]

SIZE = {"collections": 500, "groups": 100, "members": 1000}
SUBSET = 50  # collections
GROWTH = (100, 500, 1000, 2500, 5000)  # collections
# The bare clients (replay.py), and at most how many times as long the organization may take: it is built on requests, too.
TARGETS = {"requests": 1.5, "http.client": math.inf}
OFFICIAL = ROOT / "tests/e2e/node_modules/.bin/bw"
WHOLE: Tasks = [{"bw.selfhost.organization": {name: f"{{{{ {name}_wanted }}}}" for name in ("members", "groups", "collections")}}]
NOTHING: Tasks = [{"ansible.builtin.assert": {"that": True}}]
LOOP: Tasks = [
    {"bw.selfhost.login": {}, "register": "login"},
    {
        "bw.selfhost.collection": {"name": "{{ item.name }}", "session": "{{ login.session }}"},
        "loop": "{{ collections_wanted }}",
        "loop_control": {"label": "{{ item.name }}"},
    },
]


def put_back(lab: Lab, latency: int = 0) -> None:
    """Have an organization with room for everybody, and nothing in it but its first people; each answer takes so many ms more."""
    lab.reset(scenario="page_a")
    if latency:
        lab.fault(f"delay:{latency / 1000}", times=None)
    room: dict[str, t.Any] = {"seats": None, "maxCollections": None, "useGroups": True}
    lab.set_organization("selfhost", lab.facts["organization_id"], **room, allowAdminAccessToAllCollectionItems=True)


def wanted(collections: int, groups: int = 0, members: int = 0) -> Wanted:
    """Describe an organization: ten people in each group, and one group with access to each collection."""
    people = [f"member{number:04}@example.com" for number in range(members)]
    teams = [f"Group {number:03}" for number in range(groups)]
    rooms = [f"Department {number // 50:03}/Collection {number:04}" for number in range(collections)]
    access = [[{"name": teams[number % groups], "permission": "edit"}] if groups else [] for number in range(collections)]
    return {
        "members": [{"email": email} for email in people],
        "groups": [{"name": name, "members": people[number * 10 :][:10]} for number, name in enumerate(teams)],
        "collections": [{"name": name, "groups": allowed} for name, allowed in zip(rooms, access, strict=True)],
    }


def options(description: Wanted) -> Wanted:
    """The variables of a playbook that carry a description; C(groups) alone would be Ansible's own."""
    return {f"{name}_wanted": entries for name, entries in description.items()}


def fill(office: Operator, description: Wanted) -> Run:
    """Run the module organization in a playbook."""
    office.lab.clear_requests()
    return office.play(WHOLE, **options(description))


def organization() -> t.Iterator[Metric]:
    """Measure everything against one lab."""
    with operator() as office:
        empty = statistics.median(office.play([]).seconds for _run in range(RUNS))
        yield Metric("empty play", empty, "s")
        each = yield from at_once(office, empty)
        yield from beside_the_least(office, empty)
        yield from one_by_one(office, empty)
        yield from official(office, each)
        yield from growth(office, empty)


def at_once(office: Operator, empty: float) -> t.Generator[Metric, None, float]:
    """One task for everything, and its second run; return the seconds of one object."""
    description, runs, again = wanted(**SIZE), [], []
    for _run in range(RUNS):
        put_back(office.lab)
        runs.append(fill(office, description))
        sent, writes = len(office.lab.requests("client")), len(office.lab.writes())
        again.append(fill(office, description).seconds - empty)
        sent_again, writes_again = len(office.lab.requests("client")), len(office.lab.writes())
    seconds = statistics.median(run.seconds for run in runs) - empty
    yield Metric(
        "organization with {collections} collections, {groups} groups, {members} members".format(**SIZE), seconds, "s", 4
    )
    yield Metric("... its largest process", max(run.memory for run in runs), "MiB", 150)
    yield Metric("... its requests", sent)
    yield Metric("... its writes", writes)
    yield Metric("... second run", statistics.median(again), "s", 2)
    yield Metric("... second run, requests", sent_again)
    yield Metric("... second run, writes", writes_again, "", 0)
    return seconds / sum(SIZE.values())


def beside_the_least(office: Operator, empty: float) -> t.Iterator[Metric]:
    """The same beside its own requests from bare clients, one run after the other, without and with latency.

    What Ansible takes to read the description is told apart: it is no part of the task, but of the play.
    """
    description = wanted(**SIZE)
    record(office, description)
    reading = statistics.median(office.play(NOTHING, **options(description)).seconds for _run in range(RUNS)) - empty
    yield Metric("a play that only reads the same description", reading, "s")
    for latency in (0, 20):
        whole: list[float] = []
        bare: dict[str, list[float]] = {library: [] for library in TARGETS}
        for _run in range(RUNS):
            put_back(office.lab, latency)
            whole.append(fill(office, description).seconds - empty)
            for library, seconds in bare.items():
                put_back(office.lab, latency)
                seconds.append(replay(office, library))
        yield Metric(f"the organization once more, {latency} ms of latency", statistics.median(whole), "s")
        for library, target in TARGETS.items():
            least = statistics.median(bare[library])
            yield Metric(f"... its requests from a bare client with {library}", least, "s")
            yield Metric("... ... multiple that the organization takes", statistics.median(whole) / least, "x", target)


def record(office: Operator, description: Wanted) -> None:
    """Keep what the module sends, from a run in this process, in the order of the answers."""
    put_back(office.lab)
    exchanges: list[Exchange] = []
    send = HTTPAdapter.send

    def keep(adapter: HTTPAdapter, request: requests.PreparedRequest, **more: t.Any) -> requests.Response:
        response, body = send(adapter, request, **more), request.body or ""
        headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
        text = body if isinstance(body, str) else bytes(body).decode()
        exchanges.append(Exchange(str(request.method), str(request.url), headers, text, response.text))
        return response

    with mock.patch.object(HTTPAdapter, "send", keep):
        result = run_module("organization", {**office.options, **description}, environ=office.lab.environment())
    assert result["changed"], result
    (office.folder / "exchanges.json").write_text(json.dumps(exchanges))


def replay(office: Operator, library: str) -> float:
    """Return the seconds of the program that sends the same again."""
    command = [sys.executable, "-m", "tests.bench.replay", library, str(office.folder / "exchanges.json"), str(CONNECTIONS)]
    begin = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env={**os.environ, **office.lab.environment()}, check=True)
    return time.perf_counter() - begin


def one_by_one(office: Operator, empty: float) -> t.Iterator[Metric]:
    """Some collections in one task, and with a task for each."""
    description = wanted(SUBSET)
    put_back(office.lab)
    together = (fill(office, description).seconds - empty) / SUBSET
    put_back(office.lab)
    apart = (office.play(LOOP, **options(description)).seconds - empty) / SUBSET
    yield Metric(f"{SUBSET} collections in one task, each", 1000 * together, "ms")
    yield Metric(f"{SUBSET} collections in a loop of tasks, each", 1000 * apart, "ms")


def official(office: Operator, each: float) -> t.Iterator[Metric]:
    """The same collections with the official client, which makes one with each command."""
    if not OFFICIAL.exists():
        print("the official client is not measured: it is not installed")
        return
    put_back(office.lab)
    client, owner = Client(OFFICIAL, office.lab, office.folder), office.lab.people["owner"]
    client.run("config", "server", office.lab.facts["server_url"])
    client.session("login", owner.email, "--passwordenv", "PASSWORD", PASSWORD=owner.master_password)
    place = {"organizationId": office.lab.facts["organization_id"]}
    begin = time.perf_counter()
    for entry in wanted(SUBSET)["collections"]:
        body = {**place, "name": entry["name"], "externalId": None, "groups": [], "users": []}
        text = base64.b64encode(json.dumps(body).encode()).decode()
        client.run("create", "org-collection", text, "--organizationid", place["organizationId"])
    seconds = (time.perf_counter() - begin) / SUBSET
    yield Metric(f"{SUBSET} collections with the official client, each", 1000 * seconds, "ms")
    yield Metric("... as a multiple of an object of the whole organization", seconds / each, "x", least=100)


def growth(office: Operator, empty: float) -> t.Iterator[Metric]:
    """How the cost of one task grows with what it makes.

    All sizes in turn, and again: so a slow minute of the machine does not fall on one of them. It only adds to what a run takes.
    """
    seconds = dict.fromkeys(GROWTH, math.inf)
    for size in GROWTH * 3:
        put_back(office.lab)
        seconds[size] = min(seconds[size], fill(office, wanted(size)).seconds - empty)
    for size, taken in seconds.items():
        yield Metric(f"organization with {size} collections", taken, "s")
    yield from line(GROWTH, "one collection more", list(seconds.values()), 1000, "ms")
