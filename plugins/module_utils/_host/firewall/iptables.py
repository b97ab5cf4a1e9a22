# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine iptables: table filter of both variants, iptables-nft and iptables-legacy."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model import iptables_permission
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Command, Endpoint, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.iptables_permission import Permission
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot, bases, find_blocks
from ansible_collections.bw.selfhost.plugins.module_utils._model.ruleset import PROGRAMS

Key = tuple[str, str]  # variant and family


class Iptables:
    """Implements C(Engine)."""

    name = "iptables"

    def __init__(self, tools: Tools, snapshot: Snapshot) -> None:
        self._tools = tools
        self._snapshot = snapshot
        self._current = {key: iptables_permission.current(text) for key, text in snapshot.iptables.items()}

    def installed(self) -> bool:
        """Say whether the programs of one variant are here."""
        return any(self._tools.installed(_restorer(variant, "4")) for variant in ("nft", "legacy"))

    def active(self) -> bool:
        """Say whether there is a chain of its own that the kernel calls."""
        return self.name in bases(self._snapshot)

    def present(self) -> dict[str, t.Any]:
        """Return our chains and jumps, by program."""
        return {_title(*key): found for key, one in self._current.items() if (found := one.as_dict())}

    def propose(self, wanted: frozenset[Endpoint], blocks: t.Sequence[Block]) -> Proposal:
        """Return what must change; the programs have accepted it on trial.

        Raises:
            Outdated: the rules have changed since the snapshot.
            SelfhostError: a program refuses what we need.
        """
        touched = [block.packet for block in blocks if block.place[2] in self._current[_key(block)].jumps]
        misplaced = {block.place for block in find_blocks(self._snapshot, touched, ours=True)}
        total = Proposal()
        for key, before in self._current.items():
            own = [block for block in blocks if _key(block) == key]
            after = iptables_permission.desired(wanted, own, int(key[1]))
            total += self._step(key, before, after, {place[2] for place in misplaced if place[:2] == key})
        return total

    def _step(self, key: Key, before: Permission, after: Permission, misplaced: t.Collection[str]) -> Proposal:
        script = iptables_permission.script(before, after, misplaced)
        if not script:
            return Proposal()
        argv = (_restorer(*key), "--noflush", "--wait=10")
        self._tools.read([*argv, "--test"], script)
        plan = iptables_permission.plan(_title(*key), before, after, misplaced)
        return Proposal(plan.changes, (Command(argv, script),))


def _key(block: Block) -> Key:
    return block.place[0], block.place[1]


def _restorer(variant: str, family: str) -> str:
    return f"{PROGRAMS[family]}-{variant}-restore"


def _title(variant: str, family: str) -> str:
    return PROGRAMS[family] + ("-legacy" if variant == "legacy" else "")
