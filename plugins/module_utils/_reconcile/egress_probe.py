# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The probe: every destination from the host and from its containers, and what the results add up to."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.probe import Options, examine
from ansible_collections.bw.selfhost.plugins.module_utils._host.vantage import Vantage, containers, host
from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe import CONTAINERS, HOST, Result, findings


@dataclass(frozen=True)
class Report:
    """What a probe found.

    Attributes:
        vantages: where it looked from.
        results: one for each of them and each destination.
        skipped: where it could not look from, and why: a container's name, or C(containers) for all of them.
    """

    vantages: tuple[Vantage, ...]
    results: tuple[Result, ...]
    skipped: t.Mapping[str, str]

    @property
    def reachable(self) -> bool:
        """Whether every destination can be used from every place that was looked from, and there was one."""
        return bool(self.vantages) and all(result.reachable for result in self.results)

    @property
    def problems(self) -> list[SelfhostError]:
        """What stands in the way, as refusals; none when all is reachable."""
        partial = [result for result in self.results if result.reachable and result.case]
        told = findings([result for result in self.results if result not in partial])
        return [SelfhostError(one["message"], remedy=one["remedy"]) for one in told]

    @property
    def warnings(self) -> list[str]:
        """Where it could not look from, each reason once."""
        reasons: dict[str, list[str]] = {}
        for name, reason in self.skipped.items():
            reasons.setdefault(reason, []).append(name)
        return [f"Not probed from {', '.join(names)}: {reason}" for reason, names in reasons.items()]

    def values(self) -> dict[str, t.Any]:
        """Return the return values of C(egress_probe)."""
        return {
            "reachable": self.reachable,
            "results": [result.as_dict() for result in self.results],
            "findings": findings(self.results),
            "vantages": [{"name": one.name, "scope": one.scope, "covers": list(one.covers)} for one in self.vantages],
            "not_probed": [{"vantage": name, "reason": reason} for name, reason in self.skipped.items()],
        }


def probe(bwdata: str, destinations: t.Sequence[Destination], scope: t.Collection[str], options: Options) -> Report:
    """Try every destination from the places of C(scope): C(host), C(containers) or both; it changes nothing.

    Raises:
        SelfhostError: an option cannot be used. A place that cannot be looked from is no error.
    """
    options.check()
    inside, skipped = containers(Tools(), Path(bwdata)) if CONTAINERS in scope else ([], {})
    vantages = [*([host()] if HOST in scope else []), *inside]
    seen: list[tuple[Vantage, list[Result]]] = []
    with ThreadPoolExecutor(len(vantages) or 1) as pool:
        tried = [(one, pool.submit(examine, destinations, one, options)) for one in vantages]
    for one, future in tried:
        try:
            seen.append((one, future.result()))
        except SelfhostError as error:
            skipped.update(dict.fromkeys(one.covers, str(error)))
    return Report(tuple(one for one, _unused in seen), tuple(result for _unused, results in seen for result in results), skipped)
