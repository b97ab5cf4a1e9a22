"""What it costs to import items, and to find out that all of them are there already."""

from __future__ import annotations

import statistics
import typing as t

from tests.bench.operator import Operator, Run, Tasks, operator
from tests.bench.timing import RUNS, line
from tests.integration.export_files import item, organization_json
from tools.metrics import Metric

GROWTH = (1000, 5000, 10_000, 20_000)  # logins
IMPORT: Tasks = [{"bw.selfhost.vault_import": {"src": "export.json", "missing_collections": "create"}}]


def items() -> t.Iterator[Metric]:
    """Import more and more items, each time into an empty organization, beyond an empty play."""
    with operator() as office:
        empty = statistics.median(office.play([]).seconds for _run in range(RUNS))
        first, again, memory = [], [], []
        for size in GROWTH:
            run, second = imported(office, size)
            first.append(run.seconds - empty)
            again.append(second.seconds - empty)
            memory.append(run.memory)
            yield Metric(f"vault_import of {size} logins", first[-1], "s")
            yield Metric("... its largest process", memory[-1], "MiB")
            yield Metric("... second run", again[-1], "s")
            yield Metric("... second run, writes", len(office.lab.writes()), most=0)
        yield from line(GROWTH, "one login more", first, 1000, "ms")
        yield from line(GROWTH, "one login more, second run", again, 1000, "ms")
        yield from line(GROWTH, "one login more, memory", memory, 1024, "KiB")


def imported(office: Operator, size: int) -> tuple[Run, Run]:
    """Import a file twice."""
    office.lab.reset(scenario="page_a")
    (office.folder / "export.json").write_text(organization_json([login(number) for number in range(size)]))
    first = office.play(IMPORT)
    office.lab.clear_requests()
    return first, office.play(IMPORT)


def login(number: int) -> dict[str, t.Any]:
    """An ordinary login: name, username, password, one URI, notes."""
    content = item(number, 1)
    few = {name: content["login"][name] for name in ("username", "password")} | {"uris": content["login"]["uris"][:1]}
    return {**content, "fields": [], "passwordHistory": [], "login": few}
