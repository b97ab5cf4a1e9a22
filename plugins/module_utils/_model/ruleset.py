# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Firewall rules in one form, whatever program wrote them, and tests on a packet that know three answers.

A test says True, False, or None when it cannot know: the rule is not understood, or the packet's property is unknown.
"""

from __future__ import annotations

import bisect
import ipaddress
import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Packet

Answer = t.Optional[bool]
Facts = dict[str, t.Any]  # a packet's properties by name; None or missing: unknown
Test = t.Callable[[Facts], Answer]

PROGRAMS = {"4": "iptables", "6": "ip6tables"}
# Whose packet -> the hooks that it passes, in order.
HOOKS = {"output": ("output", "postrouting"), "forward": ("prerouting", "forward", "postrouting")}
_SYN = 2
_CONNTRACK = -200  # NF_IP_PRI_CONNTRACK


@dataclass(frozen=True)
class Rule:
    """One rule. All C(tests) must hold for the verdict to count.

    Attributes:
        verdict: accept, drop, return, jump, goto, continue, mark (continues, but marks are unknown from here) or unknown.
        target: the chain of a jump or goto.
        text: the rule in its program's words, without table and chain.
        ours: we have written it.
    """

    tests: tuple[Test, ...]
    verdict: str
    target: str = ""
    text: str = ""
    ours: bool = False


@dataclass
class Chain:
    """A list of rules; with C(hook) one that the kernel itself calls, in the order of C(priority).

    To accept a packet in a chain that translates addresses (C(nat)) means not to translate it.
    """

    name: str
    rules: list[Rule] = field(default_factory=list)
    hook: str = ""
    priority: int = 0
    policy: str = "accept"
    nat: bool = False


@dataclass
class Table:
    """One table. C(variant) is empty for nftables, else C(nft) or C(legacy) of iptables; C(families) are 4 and 6."""

    variant: str
    family: str
    name: str
    families: tuple[int, ...]
    chains: dict[str, Chain] = field(default_factory=dict)

    def title(self, chain: str, rule: str) -> str:
        """Return a rule or policy as people would look it up."""
        if not self.variant:
            return f"table {self.family} {self.name} chain {chain}: {rule}"
        program = PROGRAMS[self.family] + ("-legacy" if self.variant == "legacy" else "")
        return f"{program} {'' if self.name == 'filter' else f'-t {self.name} '}{rule}"


def facts(packet: Packet) -> Facts:
    """Return what rules can ask about the first packet of a connection to a host outside."""
    return {
        "family": packet.to.family,
        "daddr": int(ipaddress.ip_address(packet.to.address)),
        "saddr": packet.source and int(ipaddress.ip_address(packet.source)),
        "protocol": packet.to.protocol,
        "dport": packet.to.port,
        "flags": _SYN if packet.to.protocol == "tcp" else 0,
        "iif": "" if packet.hook == "output" else packet.incoming,
        "oif": packet.outgoing,
        "mark": 0,
        "dtype": "unicast",
        "stype": "local" if packet.hook == "output" else "unicast",
        "extension header": False,
        "route back": True,  # else its answer would never arrive, with or without us
    }


def tracking(chain: Chain) -> Facts:
    """Return what connection tracking has found out when a packet comes to a chain: nothing before its own priority."""
    return {"state": "new", "direction": "original"} if chain.priority > _CONNTRACK else {"state": "invalid", "direction": "none"}


class Values:
    """A set of numbers or names, with ranges of numbers and beginnings of names.

    Args:
        single: numbers or names.
        ranges: pairs of numbers, both inclusive.
        beginnings: what names may start with.
        incomplete: there are members that we do not understand.
    """

    def __init__(
        self,
        single: t.Iterable[t.Any] = (),
        ranges: t.Iterable[tuple[int, int]] = (),
        beginnings: t.Iterable[str] = (),
        incomplete: bool = False,
    ) -> None:
        self._single = frozenset(single)
        self._beginnings = tuple(beginnings)
        self._incomplete = incomplete
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def has(self, value: t.Any) -> Answer:
        """Say whether a value is a member; C(None) for an unknown one."""
        if value is None:
            return None
        if value in self._single or (self._beginnings and str(value).startswith(self._beginnings)) or self._in_range(value):
            return True
        return None if self._incomplete else False

    def _in_range(self, value: t.Any) -> bool:
        if not self._starts or not isinstance(value, int):
            return False
        place = bisect.bisect_right(self._starts, value)
        return bool(place) and self._ends[place - 1] >= value


def unknown(_facts: Facts) -> Answer:
    """Never know."""
    return None


def never(_facts: Facts) -> Answer:
    """Say no."""
    return False


def is_in(name: str, values: Values) -> Test:
    """Return the test that a property is one of some values."""
    return lambda facts: values.has(facts.get(name))


def equals(name: str, value: t.Any) -> Test:
    """Return the test that a property has a value."""
    return is_in(name, Values([value]))


def negated(test: Test) -> Test:
    """Return the opposite; the opposite of unknown is unknown."""

    def opposite(facts: Facts) -> Answer:
        answer = test(facts)
        return None if answer is None else not answer

    return opposite


def every(answers: t.Iterable[Answer]) -> Answer:
    """Return False if one answer is, else None if one is unknown, else True."""
    result: Answer = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def some(answers: t.Iterable[Answer]) -> Answer:
    """Return True if one answer is, else None if one is unknown, else False."""
    result: Answer = False
    for answer in answers:
        if answer is True:
            return True
        if answer is None:
            result = None
    return result


def masked(name: str, mask: int, value: int) -> Test:
    """Return the test that some bits of a number are as given."""

    def test(facts: Facts) -> Answer:
        number = facts.get(name)
        return None if number is None else number & mask == value

    return test


def network(text: str) -> tuple[int, int]:
    """Return the first and last address of C(10.0.0.0/8) or C(10.0.0.1).

    Raises:
        ValueError: it is none, as with a mask that has holes.
    """
    parsed = ipaddress.ip_network(text, strict=False)
    return int(parsed.network_address), int(parsed.broadcast_address)
