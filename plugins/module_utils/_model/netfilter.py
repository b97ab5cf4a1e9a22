# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel's packet filter would do with a packet, read from its real rules."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model import iptables_ruleset, nft_ruleset
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Packet
from ansible_collections.bw.selfhost.plugins.module_utils._model.ruleset import (
    HOOKS,
    Chain,
    Facts,
    Rule,
    Table,
    every,
    facts,
    tracking,
)

Item = nft_ruleset.Item

_NFT_FAMILY = {"4": "ip", "6": "ip6"}
# Tables of nftables whose owners write their chains anew whenever they like.
_OTHERS = {"docker-bridges", "netavark", "libvirt_network", "kube-proxy"}
_OWNERS = {**dict.fromkeys(_OTHERS, "other"), "firewalld": "firewalld"}
# Where a permission in iptables' table filter may go; the first that opens the way is the gentlest.
_PLACES = {
    "output": (("ufw", "ufw-user-output"), ("ufw", "ufw6-user-output"), ("iptables", "OUTPUT")),
    "forward": (
        ("ufw", "ufw-user-forward"),
        ("ufw", "ufw6-user-forward"),
        ("iptables", "DOCKER-USER"),
        ("iptables", "FORWARD"),
    ),
}


@dataclass(frozen=True)
class Snapshot:
    """The rules of all engines at one moment.

    Attributes:
        nft: the elements of C(nft -j list ruleset).
        iptables: (variant C(nft) or C(legacy), family C(4) or C(6)) -> the text of iptables-save, all tables.
            Missing where there is nothing.
        ufw: the text of ufw's own rules files, user.rules and user6.rules; they say which of its rules are ours.
    """

    nft: list[Item] = field(default_factory=list)
    iptables: t.Mapping[tuple[str, str], str] = field(default_factory=dict)
    ufw: str = ""

    @functools.cached_property
    def tables(self) -> list[Table]:
        """Every table once: those that iptables-nft made as iptables shows them, for nft does not show all of their rules."""
        native = nft_ruleset.native(self.nft)
        tagged = iptables_ruleset.tagged(self.ufw)
        tables = [
            table
            for (variant, family), text in self.iptables.items()
            for table in iptables_ruleset.parse(text, variant, family, tagged)
            if variant == "legacy" or (_NFT_FAMILY[family], table.name) not in native
        ]
        known = {(_NFT_FAMILY[table.family], table.name) for table in tables if table.variant == "nft"}
        return tables + nft_ruleset.parse(self.nft, known)


def find_blocks(snapshot: Snapshot, packets: t.Iterable[Packet], ours: bool = False) -> list[Block]:
    """Return who would drop which packet, or might: one block for each packet and base chain.

    Args:
        ours: take our own rules for accepting all they are about; otherwise the answer is what happens without them.
    """
    chains = [(table, chain) for table in snapshot.tables for chain in table.chains.values() if chain.hook]
    chains.sort(key=lambda pair: pair[1].priority)
    blocks: list[Block] = []
    for packet in packets:
        known = facts(packet)
        for hook in HOOKS[packet.hook]:
            for table, chain in chains:
                if chain.hook == hook and packet.to.family in table.families:
                    known.update(tracking(chain))
                    rule = _Walk(table, known, ours).drops(chain)
                    if rule:
                        engine, place = _owner(table, chain, packet, known)
                        blocks.append(Block(engine, packet, place, rule))
    return blocks


def bases(snapshot: Snapshot) -> frozenset[str]:
    """Return the engines C(nftables) and C(iptables) that have chains on the way of outbound traffic which do anything."""
    return frozenset(
        "iptables" if table.variant else "nftables"
        for table in snapshot.tables
        if table.name not in _OTHERS and table.name != "firewalld"
        for chain in table.chains.values()
        if any(chain.hook in hooks for hooks in HOOKS.values()) and (chain.rules or chain.policy == "drop")
    )


def describe(snapshot: Snapshot) -> list[dict[str, t.Any]]:
    """Return every chain that the kernel itself calls for outbound traffic, as data."""
    return [
        {
            "engine": "iptables" if table.variant else _OWNERS.get(table.name, "nftables"),
            "hook": chain.hook,
            "family": table.family,
            "table": table.name,
            "chain": chain.name,
            "priority": chain.priority,
            "policy": chain.policy,
            "rules": len(chain.rules),
        }
        for table in snapshot.tables
        for chain in table.chains.values()
        if chain.hook in HOOKS
    ]


def _owner(table: Table, chain: Chain, packet: Packet, known: Facts) -> tuple[str, tuple[str, ...]]:
    """Return who must be asked to let a packet through a base chain, and where."""
    if not table.variant:
        if table.name == "firewalld":
            return "firewalld", (packet.scope,)
        return "other" if chain.nat or table.name in _OTHERS else "nftables", (table.family, table.name, chain.name)
    for engine, place in _PLACES.get(chain.hook, ()) if table.name == "filter" else ():
        if place in table.chains and not _Walk(table, known, ours=False, opened=place).drops(chain):
            return engine, (packet.scope,) if engine == "ufw" else (table.variant, table.family, place)
    return "other", (table.variant, table.family, chain.name)


class _Walk:
    """One packet's way through one table.

    Args:
        known: the packet's properties; a rule that sets a mark makes marks unknown for all later rules, too.
        ours: take our own rules for accepting all they are about; otherwise pass over them.
        opened: a chain that accepts the packet as soon as it comes there.
    """

    def __init__(self, table: Table, known: Facts, ours: bool, opened: str = "") -> None:
        self._table = table
        self._known = known
        self._ours = ours
        self._opened = opened
        self._ends: dict[str, bool] = {}  # whether the packet may come to a chain's end
        self._dropped = ""

    def drops(self, base: Chain) -> str:
        """Return the rule or policy that drops the packet or may drop it; empty when none can."""
        if self._through(base.name) and base.policy == "drop":
            self._drop(base.name, f"-P {base.name} DROP" if self._table.variant else "policy drop")
        return self._dropped

    def _drop(self, chain: str, rule: str) -> None:
        self._dropped = self._dropped or self._table.title(chain, rule)

    def _through(self, name: str) -> bool:
        """Walk one chain; say whether the packet may come to its end."""
        if name == self._opened:
            return False
        if name not in self._ends:
            self._ends[name] = True  # what a loop finds, which the kernel does not allow
            self._ends[name] = self._walk(name)
        return self._ends[name]

    def _walk(self, name: str) -> bool:
        leaves = False
        chain = self._table.chains.get(name)
        for rule in chain.rules if chain else ():
            if rule.ours and not self._ours:
                continue
            holds = every(test(self._known) for test in rule.tests)
            if holds is False:
                continue
            final, leaving = self._follow(name, rule)
            leaves = leaves or leaving
            if final and holds:
                return leaves
        return True

    def _follow(self, name: str, rule: Rule) -> tuple[bool, bool]:
        """Return whether a rule that holds is the last of its chain for a packet, and whether the packet leaves it alive."""
        if rule.ours:
            return True, False
        if rule.verdict in ("jump", "goto"):
            alive = self._through(rule.target)
            return (True, alive) if rule.verdict == "goto" else (not alive, False)
        if rule.verdict in ("drop", "unknown"):
            self._drop(name, rule.text)
        elif rule.verdict == "mark" and self._known["mark"] is not None:
            self._known["mark"] = None
            self._ends.clear()
        return rule.verdict in ("accept", "drop", "return"), rule.verdict == "return"
