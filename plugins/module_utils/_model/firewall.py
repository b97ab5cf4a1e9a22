# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a firewall is asked and what it answers, the same for every engine."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change

ENGINES = ("nftables", "iptables", "ufw", "firewalld")
# What our own objects carry in their comments and names, so that we find them again and touch nothing else.
COMMENT = "bw.selfhost"
NAME = "bw-selfhost"


@dataclass(frozen=True, order=True)
class Endpoint:
    """One address that a permission is for; C(address) is the canonical text of an IPv4 or IPv6 address."""

    address: str
    protocol: str  # tcp or udp
    port: int

    @property
    def family(self) -> int:
        """4 or 6."""
        return ipaddress.ip_address(self.address).version

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.family == 6 else self.address
        return f"{host}:{self.port}/{self.protocol}"


@dataclass(frozen=True)
class Packet:
    """The first packet of a new connection, as a rule sees it.

    Attributes:
        hook: C(output) for the host's own traffic, C(forward) for a container's.
        source, incoming, outgoing: address and interfaces; C(None) means unknown, and may or may not match a rule.
    """

    hook: str
    to: Endpoint
    source: str | None = None
    incoming: str | None = None
    outgoing: str | None = None

    @property
    def scope(self) -> str:
        """Whose traffic it is, in the operator's words: C(host) or C(containers)."""
        return "host" if self.hook == "output" else "containers"


@dataclass(frozen=True)
class Block:
    """One packet that one base chain drops, or may drop when a rule cannot be understood.

    Attributes:
        engine: who must be asked to let it through: a name of C(ENGINES), or C(other) for what this collection does not change.
        place: where the permission must go. nftables: C((family, table, chain)); iptables: C((variant, family, chain)) with
            variant C(nft) or C(legacy) and family C(4) or C(6); ufw and firewalld: C((scope,)).
        rule: the rule or policy that drops it, in the engine's own words, for people.
    """

    engine: str
    packet: Packet
    place: tuple[str, ...]
    rule: str


@dataclass(frozen=True)
class Command:
    """One program to run, and what it reads."""

    argv: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True)
class Proposal:
    """What one engine would change: for people, and as programs that run one after another as one transaction."""

    changes: tuple[Change, ...] = ()
    commands: tuple[Command, ...] = ()

    def __add__(self, other: Proposal) -> Proposal:
        return Proposal(self.changes + other.changes, self.commands + other.commands)


class Engine(t.Protocol):
    """A firewall that can be asked to let traffic through. It owns objects named after C(COMMENT) or C(NAME), and no others."""

    name: str

    def installed(self) -> bool:
        """Say whether its programs are here."""

    def active(self) -> bool:
        """Say whether it filters anything now."""

    def present(self) -> dict[str, t.Any]:
        """Return our own objects in it as data, for reports; empty when there are none."""

    def propose(self, wanted: frozenset[Endpoint], blocks: t.Sequence[Block]) -> Proposal:
        """Return what must change so that C(wanted) passes wherever C(blocks) says; without blocks, our objects go."""
