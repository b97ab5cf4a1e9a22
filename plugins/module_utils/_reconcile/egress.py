# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Outbound traffic as asked for: the firewall's permission, what keeps it there, and the proof that it works."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.bw.selfhost.plugins.module_utils._host.container_networks import database
from ansible_collections.bw.selfhost.plugins.module_utils._host.egress_files import EgressFiles
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall import watchdog
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Outdated, Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.probe import Options
from ansible_collections.bw.selfhost.plugins.module_utils._host.resolver import Answer
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress import (
    DNS_PORT,
    Known,
    Spec,
    explanation,
    follow,
    table,
    wanted,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe import CONTAINERS
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import egress_enforce, egress_refresh
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_enforce import Judged
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_firewall import (
    View,
    described,
    look,
    proposal,
    refusals,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_persist import Persistence, wanted_files
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_probe import Report, probe
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_request import (
    Params,
    Request,
    answers,
    request,
    unresolved,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.program import program

_LOCK_TIMEOUT = 120
_LOOKUP = ("host", "udp", DNS_PORT)
Result = tuple[Plan, dict[str, t.Any], list[str]]


@dataclass(frozen=True)
class Prepared:
    """Everything that a run would change, computed once.

    Attributes:
        rules: the permission, in whatever engine blocks.
        own: the table of our own, for C(mode=enforce).
        persistence: what keeps both.
    """

    view: View
    known: Known
    rules: Proposal
    own: Proposal
    persistence: Persistence
    warnings: t.Sequence[str] = ()
    enforces: bool = False

    @property
    def plan(self) -> Plan:
        """All of it, for people."""
        return Plan((self.rules + self.own).changes) + self.persistence.plan


def ensure(params: Params, check_mode: bool) -> Result:
    """Bring the firewall to what the options of C(bw.selfhost.egress) say; return the plan, the return values and warnings.

    Raises:
        SelfhostError: something is not as it must be, and nothing was changed; or the probe has failed.
    """
    if os.geteuid():
        raise SelfhostError("Only root may look at a firewall and change it.", field="become", remedy="Set become: true.")
    run = _Run(params, check_mode)
    return run.absent() if params["state"] == "absent" else run.present()


class _Run:
    """One run of the module."""

    def __init__(self, params: Params, check_mode: bool) -> None:
        self.params, self.check_mode = params, check_mode
        self.tools, self.files = Tools(), EgressFiles()

    def absent(self) -> Result:
        prepared = self._settled(self._nothing, None)
        return prepared.plan, {"reason": "absent", "engines": [], "blocks": [], "explanation": []}, []

    def present(self) -> Result:
        asked = request(self.params)
        report: list[Report] = []

        def prove() -> None:
            report.append(self._probe(asked))

        prepared = self._settled(lambda: self._prepared(asked), prove)
        if (self.params["probe"] or prepared.enforces) and not report and not (self.check_mode and prepared.plan.changed):
            prove()
        rows = explanation(asked.spec, prepared.known)
        values = {
            "reason": "blocked" if prepared.view.blocks else "not_blocked",
            "engines": prepared.view.blocking,
            "blocks": described(prepared.view.blocks),
            "explanation": rows,
            **({"explanation_text": table(rows)} if self.params["explain"] else {}),
            **({"probe": report[-1].values()["results"]} if report else {}),
        }
        return prepared.plan, values, [*asked.warnings, *prepared.warnings, *(report[-1].warnings if report else [])]

    def _settled(self, prepare: t.Callable[[], Prepared], prove: t.Callable[[], None] | None) -> Prepared:
        """Compute what must change and change it, once more if somebody else changed the rules in between."""
        if self.check_mode:
            return prepare()
        with self.files.lock(_LOCK_TIMEOUT):
            watchdog.settle(self.tools)
            try:
                return self._changed(prepare(), prove)
            except Outdated:
                return self._changed(prepare(), prove)

    def _changed(self, prepared: Prepared, prove: t.Callable[[], None] | None) -> Prepared:
        if prove is None:  # everything goes; what would bring the rules back goes first
            prepared.persistence.apply()
        self.tools.apply(prepared.rules.commands)
        if prove and prepared.enforces and prepared.own.commands:
            self._try_out(prepared, prove)
        else:
            self.tools.apply(prepared.own.commands)
        if prove:
            prepared.persistence.apply()
        return prepared

    def _try_out(self, prepared: Prepared, prove: t.Callable[[], None]) -> None:
        try:
            egress_enforce.try_out(self.tools, prepared.view.snapshot, prepared.own, self.params["confirm_timeout"], prove)
        except SelfhostError:
            self._take_back()
            raise

    def _take_back(self) -> None:
        """Bring the permission back to what it was before this run."""
        state = self.files.state()
        former = (Spec.from_dict(state["spec"]), state["known"]) if state else (Spec(scope=()), {})
        self.tools.apply(proposal(look(self.tools, *former)).commands)

    def _nothing(self) -> Prepared:
        view = look(self.tools, Spec(scope=()), {})
        own = egress_enforce.proposal(view.snapshot, (), Judged())
        return Prepared(view, {}, proposal(view), own, Persistence(self.tools, {}))

    def _prepared(self, asked: Request) -> Prepared:
        spec = asked.spec
        found = answers(spec)
        view = self._blocked_dns(spec, found)
        if view is None:
            return self._planned(spec, found)
        first = proposal(view)
        if self.check_mode:
            warning = "DNS is blocked for the host itself. The permissions for names follow when DNS is open, in the same run."
            return Prepared(view, {}, first, Proposal(), Persistence(self.tools, {}), [warning])
        self.tools.apply(first.commands)
        try:
            then = self._planned(spec, answers(spec))
            return replace(then, rules=replace(then.rules, changes=first.changes + then.rules.changes))
        except BaseException:
            self._take_back()
            raise

    def _blocked_dns(self, spec: Spec, found: t.Mapping[str, Answer]) -> View | None:
        """Return who blocks DNS for the host itself, when no name could be looked up and that is why."""
        if "host" not in spec.scope or not found or any(one.failure not in ("timeout", "unreachable") for one in found.values()):
            return None
        stored = self.files.state() or {}
        view = look(self.tools, spec, stored.get("known", {}))  # what is allowed already stays so meanwhile
        dns = [block for block in view.blocks if (block.packet.scope, block.packet.to.protocol, block.packet.to.port) == _LOOKUP]
        if not dns:
            return None
        refuse_all(refusals(spec.engine, view))
        return view

    def _planned(self, spec: Spec, found: t.Mapping[str, Answer]) -> Prepared:
        stored = self.files.state() or {}
        seen = {name: answer.addresses for name, answer in found.items()}
        followed = follow(spec, stored.get("known", {}), seen, int(time.time()))
        view = look(self.tools, spec, followed.known)
        judged = Judged.of(view.networks) if spec.mode == "enforce" else Judged()
        refused = egress_enforce.refusal(self.tools, view.networks, judged) if spec.mode == "enforce" else None
        refuse_all([*refusals(spec.engine, view), *([refused] if refused else []), *unresolved(found, spec), *followed.problems])
        own = egress_enforce.proposal(view.snapshot, wanted(spec, followed.known), judged)
        contents, warnings = self._files(spec, followed.known, judged) if view.blocks or judged.stack else ({}, [])
        persistence = Persistence(self.tools, contents)
        return Prepared(view, followed.known, proposal(view), own, persistence, warnings, bool(judged.stack))

    def _files(self, spec: Spec, known: Known, judged: Judged) -> tuple[dict[str, bytes], list[str]]:
        state = {"spec": spec.as_dict(), "known": known, **(judged.as_dict() if judged.stack else {})}
        networks_file = database(self.tools) if judged.stack else None
        return wanted_files(program(egress_refresh.__name__), state, self.params["refresh_interval"], networks_file)

    def _probe(self, asked: Request) -> Report:
        """Try every destination.

        Raises:
            SelfhostError: one is not reached; or nothing was proved about containers that are to be confined.
        """
        params = self.params
        options = Options(params["timeout"], params["proxy"], params["no_proxy"], params["ca_path"])
        report = probe(params["bwdata"], asked.services, asked.spec.scope, options)
        if report.problems:
            raise SelfhostError("Not everything is reached:\n" + "\n".join(f"- {problem}" for problem in report.problems))
        if asked.spec.mode == "enforce" and not any(one.scope == CONTAINERS for one in report.vantages):
            cause = "No container could be looked from, so nothing proves that the new rules are good."
            raise SelfhostError(cause, field="mode", remedy=" ".join(report.warnings) or "Start the server first.")
        return report
