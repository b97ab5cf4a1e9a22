# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine nftables: an administrator's own tables."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model import nft_permission
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Command, Endpoint, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot, bases, find_blocks


class Nftables:
    """Implements C(Engine)."""

    name = "nftables"

    def __init__(self, tools: Tools, snapshot: Snapshot) -> None:
        self._tools = tools
        self._snapshot = snapshot
        self._current = nft_permission.current(snapshot.nft)

    def installed(self) -> bool:
        """Say whether its program is here."""
        return self._tools.installed("nft")

    def active(self) -> bool:
        """Say whether there is a chain of its own that the kernel calls."""
        return self.name in bases(self._snapshot)

    def present(self) -> dict[str, t.Any]:
        """Return our sets and rules."""
        return self._current.as_dict()

    def propose(self, wanted: frozenset[Endpoint], blocks: t.Sequence[Block]) -> Proposal:
        """Return what must change; the kernel has accepted it on trial.

        Raises:
            Outdated: the rules have changed since the snapshot.
            SelfhostError: nft or the kernel does not know what we need.
        """
        desired = nft_permission.desired(wanted, blocks)
        touched = [block.packet for block in blocks if block.place in self._current.rules]
        misplaced = {block.place for block in find_blocks(self._snapshot, touched, ours=True)}
        script = nft_permission.script(self._current, desired, misplaced)
        if not script:
            return Proposal()
        self._tools.read(["nft", "-c", "-j", "-f", "-"], script)
        plan = nft_permission.plan(self._current, desired, misplaced)
        return Proposal(plan.changes, (Command(("nft", "-j", "-f", "-"), script),))
