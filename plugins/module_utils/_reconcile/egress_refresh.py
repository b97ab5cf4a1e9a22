# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The program on the server that keeps the permissions up to date without Ansible.

C(restore) puts back what a boot or a firewall's reload has taken, without DNS; C(refresh) looks the names up first.
"""

from __future__ import annotations

import sys
import time
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host import container_networks
from ansible_collections.bw.selfhost.plugins.module_utils._host.egress_files import EgressFiles
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall import watchdog
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Outdated, Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress import Known, Spec, follow, wanted
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import egress_enforce
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_enforce import Judged
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_firewall import look, proposal, refusals
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_request import answers, unresolved

_LOCK_TIMEOUT = 120


def main(arguments: t.Sequence[str]) -> int:
    """Do what the first argument says; print what has changed and what is wrong; return 1 when something is wrong.

    A second argument is the file that tells of new container networks: as long as there are, it is done again.
    """
    action, *database = arguments
    problems: list[SelfhostError] = []

    def work() -> None:
        problems[:] = _run(resolve=action == "refresh")

    try:
        if database:
            container_networks.settled(database[0], work)
        else:
            work()
    except SelfhostError as error:
        problems.append(error)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def _run(resolve: bool) -> list[SelfhostError]:
    files, tools = EgressFiles(), Tools()
    with files.lock(_LOCK_TIMEOUT):
        watchdog.settle(tools)
        state = files.state()
        if state is None:
            return []
        spec, known = Spec.from_dict(state["spec"]), state["known"]
        followed, problems = _followed(spec, known) if resolve else (known, [])
        # The rules first: an address that rules let through but the state forgot is gone at the next refresh, not the reverse.
        judged, refused = _reapply(tools, spec, followed, Judged(tuple(state.get("judged", ())), tuple(state.get("local", ()))))
        files.write_state({**state, "known": followed, **(judged.as_dict() if judged.stack else {})})
        return problems + refused


def _reapply(tools: Tools, spec: Spec, known: Known, judged: Judged, again: bool = True) -> tuple[Judged, list[SelfhostError]]:
    """Bring the rules to what they should be; return whose traffic is judged now, and what could not be brought there."""
    view = look(tools, spec, known, guess=True)
    now = Judged.of(view.networks)
    judged = now if judged.stack and now.stack else judged
    found = proposal(view, keep=True) + egress_enforce.proposal(view.snapshot, wanted(spec, known), judged)
    try:
        tools.apply(found.commands)
    except Outdated:
        if not again:
            raise
        return _reapply(tools, spec, known, judged, again=False)
    sys.stdout.write("".join(f"{line}\n" for change in found.changes for line in change.lines("after")))
    return judged, refusals(spec.engine, view)


def _followed(spec: Spec, known: Known) -> tuple[Known, list[SelfhostError]]:
    found = answers(spec)
    followed = follow(spec, known, {name: answer.addresses for name, answer in found.items()}, int(time.time()))
    return followed.known, [*unresolved(found, spec), *followed.problems]
