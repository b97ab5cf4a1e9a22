"""`make demo`: page A twice, and a table of what was observed in the world after each row."""

from __future__ import annotations

import sys
import time

from tests.demo import demo
from tests.demo.observe import Row, rows


def main() -> int:
    """Run the playbook twice and print what became true. Returns the exit code."""
    started = time.monotonic()
    with demo() as page:
        seconds, server = time.monotonic() - started, page.lab.facts["server_url"]
        print(f"Lab is up after {seconds:.1f} s: cloud US, cloud EU, self-hosted server {server}")
        first = page.playbook("--diff")
        if first.code:
            print(first.output)
            return first.code
        served = page.lab.requests()
        page.lab.clear_requests()
        second = page.playbook("--diff")
        writes = len(page.lab.writes())
        observed = rows(page, served, first.output + second.output)
        _table(observed)
        print(f"\nfirst run:  changed={first.changed}, {first.seconds:.1f} s")
        print(f"second run: changed={second.changed}, {second.seconds:.1f} s, {writes} writes")
        fine = second.code == 0 and second.changed == 0 and not writes and all(row.true for row in observed)
    print(f"{'Done' if fine else 'NOT as it should be'} in {time.monotonic() - started:.1f} s; nothing left behind.")
    if not fine:
        print(second.output)
    return 0 if fine else 1


def _table(observed: list[Row]) -> None:
    for row in observed:
        print(f"{row.name}  {'ok ' if row.true else 'NO '} {row.says:<52} {row.observed}")


if __name__ == "__main__":
    sys.exit(main())
