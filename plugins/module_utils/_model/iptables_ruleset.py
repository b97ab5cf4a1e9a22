# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules that iptables-save prints, as tables."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import COMMENT, NAME
from ansible_collections.bw.selfhost.plugins.module_utils._model.ruleset import (
    Chain,
    Rule,
    Table,
    Test,
    Values,
    equals,
    is_in,
    masked,
    negated,
    network,
    never,
    unknown,
)

Option = tuple[bool, str, list[str]]
Signature = tuple[str, frozenset[tuple[t.Any, ...]]]
Reader = t.Callable[[list[str]], Test]

CHAIN = f"{NAME}-EGRESS".upper()  # ours
# Source: NF_IP_PRI_* of the kernel's netfilter_ipv4.h
_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
# We can read the options of these matches; a rule with any other may or may not hold.
_MODULES = set("tcp udp multiport conntrack state comment addrtype mark iprange rpfilter".split())
# Extension headers and protocols that a plain TCP or UDP packet does not have.
_ABSENT = set("rt frag hbh dst mh ah esp icmp icmp6 icmpv6 igmp sctp dccp ipv6header".split())
# Options that ask nothing, or only what holds for every packet that is forwarded or sent.
_SILENT = set("--comment --loose --validmark --accept-local --limit-iface-in --limit-iface-out".split())
VERDICTS = {
    **dict.fromkeys("ACCEPT DNAT SNAT MASQUERADE REDIRECT NETMAP".split(), "accept"),
    **dict.fromkeys("DROP REJECT".split(), "drop"),
    **dict.fromkeys("MARK CONNMARK".split(), "mark"),
    **dict.fromkeys(
        "LOG NFLOG ULOG TRACE CT NOTRACK TCPMSS TOS DSCP ECN CHECKSUM CLASSIFY SET TTL HL AUDIT SECMARK CONNSECMARK TEE LED"
        " RATEEST IDLETIMER TCPOPTSTRIP".split(),
        "continue",
    ),
    "RETURN": "return",
}


def parse(text: str, variant: str, family: str, tagged: t.Container[Signature] = frozenset()) -> list[Table]:
    """Return the tables of one iptables-save.

    Args:
        variant: C(nft) or C(legacy).
        family: C(4) or C(6).
        tagged: rules that are ours although iptables does not say so.
    """
    tables: list[Table] = []
    for line in text.splitlines():
        if line.startswith("*"):
            tables.append(Table(variant, family, line[1:].strip(), (int(family),)))
        elif line.startswith(":") and tables:
            chain = _chain(line, tables[-1].name)
            tables[-1].chains[chain.name] = chain
        elif line.startswith("-A ") and tables:
            name, _unused, words = line[3:].partition(" ")
            if name == CHAIN:
                continue  # who jumps there is enough to know
            found = options(words)
            ours = _is_tagged(found) or (bool(tagged) and signature(name, found) in tagged)
            tables[-1].chains.setdefault(name, Chain(name)).rules.append(_rule(line, found, tables[-1].chains, ours))
    return tables


def tagged(rules: str) -> frozenset[Signature]:
    """Return the rules below our comments in ufw's own rules files, the only place where it keeps comments."""
    found: set[Signature] = set()
    ours = False
    for line in rules.splitlines():
        if line.startswith("### "):
            ours = line.rpartition(" comment=")[2].startswith(COMMENT.encode().hex())
        elif ours and line.startswith("-A "):
            name, _unused, words = line[3:].partition(" ")
            found.add(signature(name, options(words)))
    return frozenset(found)


def signature(chain: str, found: t.Iterable[Option]) -> Signature:
    """Return a rule such that two ways to write it are equal."""
    return chain, frozenset(
        (inverted, option, *(map(_whole, arguments) if option in ("-s", "-d") else arguments))
        for inverted, option, arguments in found
        if option != "-m"
    )


def _whole(address: str) -> str:
    try:
        return str(ipaddress.ip_network(address, strict=False))
    except ValueError:
        return address


def _is_tagged(found: t.Iterable[Option]) -> bool:
    return any(option == "--comment" and arguments and arguments[0].startswith(COMMENT) for _unused, option, arguments in found)


def options(words: str) -> list[Option]:
    """Split a rule, without its C(-A chain), into options: whether a C(!) stands before it, its name, its arguments."""
    found: list[Option] = []
    inverted = False
    for quoted, plain in _WORD.findall(words):
        # A comment may look like an option.
        argument = bool(found) and found[-1][1] == "--comment" and not found[-1][2]
        if plain == "!" and not argument:
            inverted = True
        elif plain.startswith("-") and not argument:
            found.append((inverted, plain, []))
            inverted = False
        elif found:
            found[-1][2].append(plain or re.sub(r"\\(.)", r"\1", quoted))
    return found


def _chain(line: str, table: str) -> Chain:
    name, _unused, policy = line[1:].partition(" ")
    if policy.startswith("-"):
        return Chain(name)
    priority = 100 if (table, name) == ("nat", "POSTROUTING") else _PRIORITIES.get(table, 0)
    return Chain(name, hook=name.lower(), priority=priority, policy="drop" if policy.startswith("DROP") else "accept")


def _rule(line: str, found: t.Iterable[Option], chains: t.Container[str], ours: bool) -> Rule:
    tests: list[Test] = []
    verdict, target = "continue", ""
    for inverted, option, arguments in found:
        if option in ("-j", "-g"):
            target = arguments[0] if arguments else ""
            verdict = {"-j": "jump", "-g": "goto"}[option] if target in chains else VERDICTS.get(target, "unknown")
            break  # what follows says how the target works
        test = _test(option, arguments)
        if test:
            tests.append(negated(test) if inverted else test)
    return Rule(tuple(tests), verdict, target, line, ours)


def _test(option: str, arguments: list[str]) -> Test | None:
    """Return what an option asks; None when it asks nothing."""
    if option == "-m" and arguments and arguments[0] in _ABSENT:
        return never
    if option == "-m":
        return None if arguments and arguments[0] in _MODULES else unknown
    if option in _SILENT:
        return None
    try:
        return _READERS[option](arguments)
    except (KeyError, IndexError, ValueError):
        return unknown


def _addresses(name: str) -> Reader:
    def read(arguments: list[str]) -> Test:
        if "-" in arguments[0]:  # --dst-range
            first, last = (int(ipaddress.ip_address(end)) for end in arguments[0].split("-"))
            return is_in(name, Values(ranges=[(first, last)]))
        return is_in(name, Values(ranges=[network(arguments[0])]))

    return read


def _ports(name: str) -> Reader:
    """C(443), C(1024:65535) or a list of them."""

    def read(arguments: list[str]) -> Test:
        ends = [part.split(":") for part in arguments[0].split(",")]
        return is_in(name, Values(ranges=[(int(end[0] or 0), int(end[-1] or 65535)) for end in ends]))

    return read


def _interface(name: str) -> Reader:
    def read(arguments: list[str]) -> Test:
        pattern = arguments[0]
        return is_in(name, Values(beginnings=[pattern[:-1]]) if pattern.endswith("+") else Values([pattern]))

    return read


def _words(name: str) -> Reader:
    return lambda arguments: is_in(name, Values(arguments[0].lower().split(",")))


def _flags(arguments: list[str]) -> Test:
    mask, value = (sum(_FLAGS[flag] for flag in argument.split(",")) for argument in arguments)
    return masked("flags", mask, value)


def _mark(arguments: list[str]) -> Test:
    value, _unused, mask = arguments[0].partition("/")
    return masked("mark", int(mask or "0xffffffff", 0), int(value, 0))


_READERS: dict[str, Reader] = {
    "-s": _addresses("saddr"),
    "-d": _addresses("daddr"),
    "--src-range": _addresses("saddr"),
    "--dst-range": _addresses("daddr"),
    "-i": _interface("iif"),
    "-o": _interface("oif"),
    "-p": _words("protocol"),
    "--dport": _ports("dport"),
    "--dports": _ports("dport"),
    "--sport": _ports("sport"),
    "--sports": _ports("sport"),
    "--ctstate": _words("state"),
    "--state": _words("state"),
    "--ctdir": _words("direction"),
    "--dst-type": _words("dtype"),
    "--src-type": _words("stype"),
    "--tcp-flags": _flags,
    "--mark": _mark,
    "-f": lambda _: never,
    "--invert": lambda _: equals("route back", value=False),
}
