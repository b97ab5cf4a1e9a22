# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything else of the containers is dropped: the table of our own, and its way back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._host import management
from ansible_collections.bw.selfhost.plugins.module_utils._host.container_networks import Network, elsewhere
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall import watchdog
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model import enforce
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Command, Endpoint, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot


@dataclass(frozen=True)
class Judged:
    """Whose traffic the table judges, and where it may go without judgement: subnets."""

    stack: tuple[str, ...] = ()
    local: tuple[str, ...] = ()

    @classmethod
    def of(cls, networks: t.Sequence[Network]) -> Judged:
        """Return what the container networks of now mean."""
        stack = {subnet for network in networks if network.stack for subnet in network.subnets}
        local = {subnet for network in networks for subnet in network.subnets}
        return cls(tuple(sorted(stack)), tuple(sorted(local)))

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as the state file keeps it."""
        return {"judged": list(self.stack), "local": list(self.local)}


def refusal(tools: Tools, networks: t.Sequence[Network], judged: Judged) -> SelfhostError | None:
    """Return why the table cannot or must not be."""
    if not tools.installed("nft"):
        return SelfhostError("nft is not installed.", field="mode", remedy="Install nftables, or use mode: allow.")
    if not judged.stack:
        remedy = "Start the server first, or use mode: allow."
        return SelfhostError("There is no container network of the installation yet.", field="mode", remedy=remedy)
    foreign = elsewhere([network for network in networks if network.stack])
    if foreign:
        cause = f"The bridge of the network {foreign[0].name} is not on this machine: no rule here would see its traffic."
        return SelfhostError(cause, field="mode", remedy="Run the task where Docker runs as root, or use mode: allow.")
    return enforce.would_cut(judged.stack, management.ends())


def proposal(snapshot: Snapshot, wanted: t.Iterable[Endpoint], judged: Judged) -> Proposal:
    """Return what makes the table as it should be; without anything to judge it goes."""
    return enforce.propose(snapshot.nft, enforce.table(wanted, judged.stack, judged.local) if judged.stack else [])


def try_out(tools: Tools, snapshot: Snapshot, change: Proposal, seconds: int, proves: t.Callable[[], None]) -> None:
    """Change the table, and change it back unless C(proves) returns in time; a watchdog sees to that should we not live.

    Raises:
        SelfhostError: what C(proves) raised, or the time was over.
    """
    old = enforce.load(enforce.ours(snapshot.nft))
    armed = watchdog.arm(tools, old, seconds)
    try:
        tools.apply(change.commands)
        proves()
    except BaseException:
        tools.apply([Command(("nft", "-j", "-f", "-"), old)])
        watchdog.confirm(armed)
        raise
    if not watchdog.confirm(armed):
        raise SelfhostError(
            f"The probe took longer than {seconds} seconds, so the new rules have taken themselves back.",
            field="confirm_timeout",
            remedy="Give it more time.",
        )
