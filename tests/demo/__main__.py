"""`make demo`: pages A, B and C until a run changes nothing, and a table of what was observed in the world after each row."""

from __future__ import annotations

import sys
import time

from tests.demo import Demo, Pass, clients, demo, observe, observe_clients
from tests.demo.observe import Row


def main() -> int:
    """Run the playbooks and print what became true. Returns the exit code."""
    started = time.monotonic()
    fine = _page_a() and _pages_b_and_c()
    print(f"{'Done' if fine else 'NOT as it should be'} in {time.monotonic() - started:.1f} s; nothing left behind.")
    return 0 if fine else 1


def _page_a() -> bool:
    """A server, licensed and in sync with the cloud."""
    started = time.monotonic()
    with demo() as page:
        seconds, server = time.monotonic() - started, page.lab.facts["server_url"]
        print(f"Lab is up after {seconds:.1f} s: cloud US, cloud EU, self-hosted server {server}")
        first = page.playbook("--diff")
        if first.code:
            return _told({"first run": first}, -1, [])
        served = page.lab.requests()
        second, writes = _again(page)
        return _told({"first run": first, "second run": second}, writes, observe.rows(page, served, first.output + second.output))


def _pages_b_and_c() -> bool:
    """A provider's client, created and filled; some of the people who are invited accept."""
    with demo(scenario="msp") as page:
        print(f"\nProvider {page.lab.facts['provider_name']}: its client {clients.CLIENT} is to come")
        clients.declare(page)
        first = page.playbook("--diff", playbook=clients.PLAYBOOK)
        if first.code:
            return _told({"first run": first}, -1, [])
        for email in (clients.TECHNICIAN, clients.OWNER, *clients.MEMBERS[:8]):
            page.lab.accept_invitation(email)
        second = page.playbook("--diff", playbook=clients.PLAYBOOK)
        third, writes = _again(page, clients.PLAYBOOK)
        page.playbook(playbook="playbooks/provider_report.yml")
        runs = {"first run": first, "after eight have accepted": second, "third run": third}
        return _told(runs, writes, observe_clients.rows(page))


def _again(page: Demo, playbook: str = "playbooks/families_sponsorship.yml") -> tuple[Pass, int]:
    """Run it once more; return that run, and how many writes it sent."""
    page.lab.clear_requests()
    return page.playbook("--diff", playbook=playbook), len(page.lab.writes())


def _told(runs: dict[str, Pass], writes: int, observed: list[Row]) -> bool:
    """Print a page's table and runs; say whether all of it is as it should be. What failed is printed whole."""
    for row in observed:
        print(f"{row.name}  {'ok ' if row.true else 'NO '} {row.says:<52} {row.observed}")
    print()
    for name, done in runs.items():
        print(f"{f'{name}:':<28}changed={done.changed}, {done.seconds:.1f} s")
    print(f"{'writes of the last run:':<28}{writes}")
    *_others, last = runs.values()
    fine = (
        last.changed == 0 and writes == 0 and all(done.code == 0 for done in runs.values()) and all(row.true for row in observed)
    )
    if not fine:
        print(next((done for done in runs.values() if done.code), last).output)
    return fine


if __name__ == "__main__":
    sys.exit(main())
