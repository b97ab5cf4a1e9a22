# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who blocks what must pass, and what each engine would change for it."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._host.container_networks import Network, networks
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.firewalld import Firewalld
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.iptables import Iptables
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.nftables import Nftables
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.snapshot import take
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.ufw import Ufw
from ansible_collections.bw.selfhost.plugins.module_utils._host.interfaces import bridges, outgoing
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress import Known, Spec, wanted
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Endpoint, Engine, Packet, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot, find_blocks

_MANAGERS = ("ufw", "firewalld")  # these run, or do not; the others are the kernel's own


@dataclass(frozen=True)
class View:
    """What one look at the machine's firewalls found."""

    snapshot: Snapshot
    engines: t.Mapping[str, Engine]
    networks: t.Sequence[Network]
    blocks: t.Sequence[Block]

    def blocks_of(self, engine: str) -> list[Block]:
        """Return what one engine blocks."""
        return [block for block in self.blocks if block.engine == engine]

    @property
    def blocking(self) -> list[str]:
        """The engines that block something, in their usual order."""
        return [name for name in (*self.engines, "other") if self.blocks_of(name)]


def look(tools: Tools, spec: Spec, known: Known, guess: bool = False) -> View:
    """Read the rules once and judge a new connection to every wanted endpoint by them.

    Args:
        guess: suppose some container network where none is known, because Docker does not run yet.
    """
    snapshot = take(tools)
    found = (networks(tools, spec.project) or bridges(tools)) if "containers" in spec.scope else []
    engines: list[Engine] = [engine(tools, snapshot) for engine in (Firewalld, Nftables, Iptables, Ufw)]
    packets = list(_packets(tools, spec, wanted(spec, known), found, guess))
    return View(snapshot, {engine.name: engine for engine in engines}, found, find_blocks(snapshot, packets))


def refusals(engine: str, view: View) -> list[SelfhostError]:
    """Return why the wanted permission cannot be given in this way."""
    managers = [name for name in _MANAGERS if view.engines[name].active()]
    if engine == "auto" and len(managers) == 2:
        cause = "ufw and firewalld are both active: each rewrites the other's rules, so that no permission would last."
        return [SelfhostError(cause, field="engine", remedy="Disable one: systemctl disable --now firewalld, or ufw disable.")]
    problems = [_closed(block) for block in _first_of_each_rule(view.blocks_of("other"))]
    if engine != "auto":
        problems += _chosen(engine, view)
    return problems


def proposal(view: View, keep: bool = False) -> Proposal:
    """Return what must change in all engines: a permission where one blocks, and none where none does.

    Args:
        keep: leave the permission of an engine that does not block at the moment, as between a firewall's stop and start.
    """
    total = Proposal()
    for name, engine in view.engines.items():
        blocks = view.blocks_of(name)
        if blocks or (not keep and engine.installed()):
            total += engine.propose(frozenset(block.packet.to for block in blocks), blocks)
    return total


def described(blocks: t.Iterable[Block]) -> list[dict[str, t.Any]]:
    """Return blocks as the modules do: one entry for each rule."""
    entries: dict[tuple[str, str, str], set[Endpoint]] = {}
    for block in blocks:
        entries.setdefault((block.engine, block.packet.scope, block.rule), set()).add(block.packet.to)
    return [
        {"engine": engine, "scope": scope, "rule": rule, "to": [str(one) for one in sorted(to)]}
        for (engine, scope, rule), to in sorted(entries.items())
    ]


def _packets(
    tools: Tools, spec: Spec, endpoints: t.Collection[Endpoint], found: t.Sequence[Network], guess: bool
) -> t.Iterator[Packet]:
    """Return the first packet of every connection; a family without a route sends none."""
    through = outgoing(tools, [one.address for one in endpoints])
    for to in sorted(endpoints):
        if to.address not in through:
            continue
        interface = through[to.address]
        if "host" in spec.scope:
            yield Packet("output", to, outgoing=interface)
        if guess and not found and "containers" in spec.scope:
            yield Packet("forward", to, outgoing=interface)
        for network in found:
            for subnet in map(ipaddress.ip_network, network.subnets):
                if subnet.version == to.family and interface != network.bridge:
                    yield Packet("forward", to, str(subnet[2]), network.bridge, interface)


def _chosen(name: str, view: View) -> list[SelfhostError]:
    engine = view.engines[name]
    others = [other for other in view.blocking if other not in (name, "other")]
    if not engine.installed():
        return [SelfhostError(f"{name} is not installed.", field="engine", remedy="Install it, or set engine: auto.")]
    if name in _MANAGERS and not engine.active():
        return [SelfhostError(f"{name} is not running.", field="engine", remedy="Start it, or set engine: auto.")]
    return [
        SelfhostError(
            f"{other} blocks, too ({view.blocks_of(other)[0].rule}): a permission in {name} opens nothing there.",
            field="engine",
            remedy="Set engine: auto, or open the other firewall yourself.",
        )
        for other in others
    ]


def _first_of_each_rule(blocks: t.Iterable[Block]) -> t.Iterable[Block]:
    return {block.rule: block for block in blocks}.values()


def _closed(block: Block) -> SelfhostError:
    return SelfhostError(
        f"{block.rule} blocks {block.packet.to}, and this module does not change rules of that kind.",
        field="engine",
        remedy="Open it where it was made.",
    )
