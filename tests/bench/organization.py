"""What it costs to fill an organization: in one task, object by object, with the official client, and at the very least."""

from __future__ import annotations

import base64
import json
import statistics
import time
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import CONNECTIONS

from tests.bench.operator import Operator, Run, Tasks, operator
from tests.bench.replay import Replay, recorded
from tests.bench.timing import RUNS, line
from tests.e2e.client import Client
from tests.integration.module_runner import run_module
from tests.lab import Lab
from tools.metrics import ROOT, Metric

Wanted = dict[str, list[dict[str, t.Any]]]

SIZE = {"collections": 500, "groups": 100, "members": 1000}
SUBSET = 50  # collections
GROWTH = (100, 500, 1000, 2500, 5000)  # collections
OFFICIAL = ROOT / "tests/e2e/node_modules/.bin/bw"
WHOLE: Tasks = [{"bw.selfhost.organization": {name: f"{{{{ {name}_wanted }}}}" for name in ("members", "groups", "collections")}}]
LOOP: Tasks = [
    {"bw.selfhost.login": {}, "register": "login"},
    {
        "bw.selfhost.collection": {"name": "{{ item.name }}", "session": "{{ login.session }}"},
        "loop": "{{ collections_wanted }}",
        "loop_control": {"label": "{{ item.name }}"},
    },
]


def put_back(lab: Lab) -> None:
    """Have an organization with room for everybody, and nothing in it but its first people."""
    lab.reset(scenario="page_a")
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


def fill(office: Operator, description: Wanted) -> Run:
    """Run the module organization in a playbook."""
    office.lab.clear_requests()
    return office.play(WHOLE, **{f"{name}_wanted": entries for name, entries in description.items()})


def organization() -> t.Iterator[Metric]:
    """Measure everything against one lab."""
    with operator() as office:
        empty = statistics.median(office.play([]).seconds for _run in range(RUNS))
        yield Metric("empty play", empty, "s")
        yield from at_once(office, empty)
        each = yield from subset(office, empty)
        yield from official(office, each)
        yield from growth(office, empty)


def at_once(office: Operator, empty: float) -> t.Iterator[Metric]:
    """One task for everything, its second run, and the same requests from a client that does nothing else."""
    description, runs, again, floor = wanted(**SIZE), [], [], []
    exchanges = record(office, description)
    for _run in range(RUNS):
        put_back(office.lab)
        runs.append(fill(office, description))
        requests, writes = len(office.lab.requests("client")), len(office.lab.writes())
        again.append(fill(office, description).seconds - empty)
        requests_again, writes_again = len(office.lab.requests("client")), len(office.lab.writes())
        put_back(office.lab)
        begin = time.perf_counter()
        Replay(office.lab, CONNECTIONS).run(exchanges)
        floor.append(time.perf_counter() - begin)
    seconds, least = statistics.median(run.seconds for run in runs) - empty, statistics.median(floor)
    name = "organization with {collections} collections, {groups} groups, {members} members".format(**SIZE)
    yield Metric(f"{name}", seconds, "s", most=4)
    yield Metric("... its largest process", max(run.memory for run in runs), "MiB", most=150)
    yield Metric("... its requests", requests)
    yield Metric("... its writes", writes)
    yield Metric("... the same requests from a bare client", least, "s")
    yield Metric("... as a multiple of the bare client", seconds / least, "x", most=1.5)
    yield Metric("... second run", statistics.median(again), "s", most=2)
    yield Metric("... second run, requests", requests_again)
    yield Metric("... second run, writes", writes_again, most=0)


def record(office: Operator, description: Wanted) -> list[t.Any]:
    """Return what the module sends, from a run in this process."""
    put_back(office.lab)
    with recorded() as exchanges:
        result = run_module("organization", {**office.options, **description}, environ=office.lab.environment())
    assert result["changed"], result
    return exchanges


def subset(office: Operator, empty: float) -> t.Generator[Metric, None, float]:
    """Some collections in one task, and with a task for each; return the seconds of one in one task."""
    description = wanted(SUBSET)
    put_back(office.lab)
    together = (fill(office, description).seconds - empty) / SUBSET
    put_back(office.lab)
    apart = (office.play(LOOP, collections_wanted=description["collections"]).seconds - empty) / SUBSET
    yield Metric(f"{SUBSET} collections in one task, each", 1000 * together, "ms")
    yield Metric(f"{SUBSET} collections in a loop of tasks, each", 1000 * apart, "ms")
    return together


def official(office: Operator, together: float) -> t.Iterator[Metric]:
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
    each = (time.perf_counter() - begin) / SUBSET
    yield Metric(f"{SUBSET} collections with the official client, each", 1000 * each, "ms")
    yield Metric("... as a multiple of one task", each / together, "x", least=100)


def growth(office: Operator, empty: float) -> t.Iterator[Metric]:
    """How the cost of one task grows with what it makes."""
    seconds = []
    for size in GROWTH:
        put_back(office.lab)
        seconds.append(fill(office, wanted(size)).seconds - empty)
        yield Metric(f"organization with {size} collections", seconds[-1], "s")
    yield from line(GROWTH, "one collection more", seconds, 1000, "ms")
