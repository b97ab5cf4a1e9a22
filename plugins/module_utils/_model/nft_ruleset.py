# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules that C(nft -j list ruleset) prints, as tables. Source of the JSON's shape: libnftables-json(5)."""

from __future__ import annotations

import functools
import ipaddress
import json
import operator
import re
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import COMMENT, NAME
from ansible_collections.bw.selfhost.plugins.module_utils._model.iptables_ruleset import VERDICTS
from ansible_collections.bw.selfhost.plugins.module_utils._model.nft_text import rule_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.ruleset import (
    Answer,
    Chain,
    Facts,
    Rule,
    Table,
    Test,
    Values,
    equals,
    every,
    is_in,
    masked,
    negated,
    network,
    never,
    some,
    unknown,
)

Item = dict[str, t.Any]
End = tuple[t.Sequence[Test], str, str]  # what else must hold, verdict, target

OWN = NAME.replace("-", "_")  # how names of ours start in nftables, where a hyphen is not usual
_FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
_ENDS = {
    **{name: name for name in ("accept", "drop", "return", "jump", "goto", "continue")},
    **dict.fromkeys(("snat", "dnat", "masquerade", "redirect", "tproxy"), "accept"),
    "reject": "drop",
    "queue": "unknown",
}
# Statements that leave the packet as it is, as far as we care.
_SILENT = {"counter", "log", "comment", "notrack", "set", "map", "dup", "last", "secmark", "flow", "reset"}
_SILENT |= {"ct helper", "ct timeout", "ct expectation"}
_IP = {"ip": 4, "ip6": 6}
_TRANSPORTS = set("tcp udp icmp icmpv6 igmp sctp dccp udplite esp ah comp".split())
_FIELDS = {"saddr": "saddr", "daddr": "daddr", "dport": "dport", "flags": "flags", "protocol": "protocol", "nexthdr": "protocol"}
_META = {"iifname": "iif", "oifname": "oif", "iif": "iif", "oif": "oif", "l4proto": "protocol", "mark": "mark"}
_META.update({"nfproto": "family", "protocol": "family"})
_NAMES: dict[str, dict[t.Any, t.Any]] = {
    "family": {"ipv4": 4, "ip": 4, "ipv6": 6, "ip6": 6},
    "protocol": {6: "tcp", 17: "udp"},
    "flags": {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128},
}
_SETS = re.compile(r'"(?:set|map|vmap)": |"@')
_REJECTED = {"icmp": [equals("family", 4)], "icmpv6": [equals("family", 6)], "tcp reset": [equals("protocol", "tcp")]}
_ORDER = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


def parse(items: t.Iterable[Item], known: t.Container[tuple[str, str]] = ()) -> list[Table]:
    """Return the tables of the families that hold packets to other hosts, but not our own, and not those in C(known)."""
    found: dict[tuple[str, str], Table] = {}
    read = _Reader(items)
    for item in read.of("table"):
        # nft 1.0.6 and 1.0.9 print rubbish for flags; a table that sleeps counts as awake there.
        place = item["family"], item["name"]
        if (
            place[0] in _FAMILIES
            and not place[1].startswith(OWN)
            and "dormant" not in item.get("flags", ())
            and place not in known
        ):
            found[place] = Table("", *place, _FAMILIES[place[0]])
    for kind, add in (("chain", _add_chain), ("rule", read.add_rule)):
        for item in read.of(kind):
            table = found.get((item["family"], item["table"]))
            if table:
                add(table, item)
    return list(found.values())


def native(items: t.Iterable[Item]) -> set[tuple[str, str]]:
    """Return family and name of the tables that iptables-nft has not made: it counts in every rule, and uses no sets.

    iptables-nft-save shows such tables, too, but leaves out of their rules what it does not understand.
    """
    found = set()
    for item in items:
        ((kind, inner),) = item.items()
        if kind in ("set", "map") or (kind == "rule" and not _like_iptables(inner["expr"])):
            found.add((inner["family"], inner["table"]))
    return found


def _like_iptables(expr: list[t.Any]) -> bool:
    return any(isinstance(statement, dict) and "counter" in statement for statement in expr) and not _SETS.search(
        json.dumps(expr)
    )


def _add_chain(table: Table, item: Item) -> None:
    table.chains[item["name"]] = Chain(
        item["name"],
        hook=item.get("hook", ""),
        priority=item.get("prio", 0),
        policy=item.get("policy", "accept"),
        nat=item.get("type") == "nat",
    )


class _Reader:
    """Reads rules; it knows the named sets and maps."""

    def __init__(self, items: t.Iterable[Item]) -> None:
        self._items = list(items)
        self._named = {(item["family"], item["table"], item["name"]): item for kind in ("set", "map") for item in self.of(kind)}
        self._members: dict[tuple[t.Any, ...], Test] = {}

    def of(self, kind: str) -> t.Iterator[Item]:
        """Return the elements of one kind."""
        return (item[kind] for item in self._items if isinstance(item.get(kind), dict))

    def add_rule(self, table: Table, item: Item) -> None:
        """Add one rule of the listing as rules with one verdict each."""
        text = rule_text(item["expr"])
        ours = str(item.get("comment", "")).startswith(COMMENT)
        tests: list[Test] = []
        rules = table.chains.setdefault(item["chain"], Chain(item["chain"])).rules
        for statement in item["expr"]:
            kind, inner = next(iter(statement.items())) if isinstance(statement, dict) and statement else ("", None)
            try:
                more, ends = self._statement(table, kind, inner)
            except (AttributeError, KeyError, IndexError, TypeError, ValueError):
                more, ends = [unknown], []
            tests += more
            rules += [Rule((*tests, *held), verdict, target, text, ours or _is_own(target)) for held, verdict, target in ends]

    def _statement(self, table: Table, kind: str, inner: t.Any) -> tuple[list[Test], list[End]]:
        """Return what a statement asks of the packet, and the verdicts it may give."""
        if kind == "match":
            return self._match(table, inner), []
        if kind == "vmap":
            return [], self._vmap(table, inner)
        if kind in _SILENT:
            return [], []
        verdict = _verdict(kind, inner)
        # The listing leaves out what the kind of a rejection takes for granted.
        held = _REJECTED.get(inner.get("type", ""), ()) if kind == "reject" and inner else ()
        return ([], [(held, *verdict)]) if verdict else ([unknown], [])

    def _match(self, table: Table, match: Item) -> list[Test]:
        sign, left, right = match["op"], match["left"], match["right"]
        if isinstance(left, dict) and "&" in left:
            held, name = _property(left["&"][0])
            bits = masked(name, _bits(name, left["&"][1]), _bits(name, right))
            return [*held, negated(bits) if sign == "!=" else bits]
        held, name = _property(left) if "concat" not in left else ([], "")
        if sign in _ORDER:
            return [*held, _ordered(name, _ORDER[sign], int(right))]
        if name == "flags":
            bits = masked(name, _bits(name, right), 0) if sign == "in" else masked(name, 255, _bits(name, right))
            return [*held, negated(bits) if sign in ("in", "!=") else bits]
        held, test = self._member(table, left, right)
        return [*held, negated(test) if sign == "!=" else test]

    def _vmap(self, table: Table, vmap: Item) -> list[End]:
        data = vmap["data"]
        pairs = self._named[table.family, table.name, data[1:]].get("elem", []) if isinstance(data, str) else data["set"]
        ends: list[End] = []
        for key, verdict in (pair if isinstance(pair, list) else pair["elem"]["val"] for pair in pairs):
            held, test = self._member(table, vmap["key"], key)
            ends.append(((*held, test), *(_verdict(*next(iter(verdict.items()))) or ("unknown", ""))))
        return ends

    def _member(self, table: Table, left: t.Any, right: t.Any) -> tuple[list[Test], Test]:
        """Return what must hold before, and the test that C(left) is one of C(right)."""
        sides = [_property(side) for side in left.get("concat", [left])]
        held = [test for tests, _unused in sides for test in tests]
        names = tuple(name for _unused, name in sides)
        if not (isinstance(right, str) and right.startswith("@")):
            return held, _membership(names, _elements(right))
        if right[1:].startswith(OWN):
            return held, _always  # what our own sets hold is checked by their owner
        key = (table.family, table.name, right[1:], names)
        if key not in self._members:
            item = self._named[key[:3]]
            self._members[key] = _membership(names, item.get("elem", []), expiring="timeout" in item.get("flags", ()))
        return held, self._members[key]


def _always(_facts: Facts) -> Answer:
    return True


def _verdict(kind: str, inner: t.Any) -> tuple[str, str] | None:
    """Return verdict and target of a statement; None when it is none that we know."""
    if kind == "mangle":
        return ("mark" if inner["key"] == {"meta": {"key": "mark"}} else "continue"), ""
    if kind == "xt" and inner["type"] == "target":
        return VERDICTS.get(inner["name"], "unknown"), ""
    return (_ENDS[kind], str(inner["target"]) if kind in ("jump", "goto") else "") if kind in _ENDS else None


def _is_own(target: str) -> bool:
    return NAME in target  # a chain that firewalld made for a policy of ours


def _property(side: t.Any) -> tuple[list[Test], str]:
    """Return what a left side takes for granted, and the name of the property it looks at; an empty name is always unknown."""
    ((kind, inner),) = side.items()
    if kind in ("exthdr", "ip option"):  # plain packets have none
        return ([never], "") if "field" in inner else ([], "extension header")
    if kind != "payload":
        return [], _property_name(kind, inner)
    protocol = inner["protocol"]
    held = [equals("family", _IP[protocol])] if protocol in _IP else []
    return held + [equals("protocol", protocol)] * (protocol in _TRANSPORTS), _FIELDS.get(inner["field"], "")


def _property_name(kind: str, inner: t.Any) -> str:
    if kind == "meta":
        return _META.get(inner["key"], "")
    if kind == "ct":
        return inner["key"] if inner["key"] in ("state", "direction") else ""
    if kind == "fib" and inner["result"] == "type":
        return {"daddr": "dtype", "saddr": "stype"}.get(_only(inner["flags"]), "")
    return "route back" if kind == "fib" and "saddr" in inner["flags"] else ""


def _only(flags: t.Any) -> str:
    """Return what a fib expression looks up, without the interfaces it is limited to."""
    return "".join(flag for flag in ([flags] if isinstance(flags, str) else flags) if flag in ("saddr", "daddr"))


def _membership(names: tuple[str, ...], elements: list[t.Any], expiring: bool = False) -> Test:
    """Return the test that the named properties, one or a concatenation, are among C(elements)."""
    test: Test
    if len(names) == 1:
        test = is_in(names[0], _values(names[0], elements))
    else:
        rows = [[_values(*pair) for pair in zip(names, map(_elements, _plain(one)["concat"]))] for one in elements]

        def test(facts: Facts) -> Answer:
            return some(every(values.has(facts.get(name)) for name, values in zip(names, row)) for row in rows)

    # Who is in a set for a while only may be out of it at the next packet.
    return (lambda facts: test(facts) and None) if expiring else test


def _elements(right: t.Any) -> list[t.Any]:
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    return right if isinstance(right, list) else [right]


def _plain(element: t.Any) -> t.Any:
    """Return an element without its timeout, counter and comment."""
    return element["elem"]["val"] if isinstance(element, dict) and "elem" in element else element


def _values(name: str, elements: list[t.Any]) -> Values:
    single, ranges, beginnings, incomplete = [], [], [], False
    for element in map(_plain, elements):
        try:
            if name in ("saddr", "daddr"):
                ranges.append(_span(element))
            elif isinstance(element, dict):
                ranges.append((int(element["range"][0]), int(element["range"][1])))
            elif name in ("iif", "oif") and element.endswith("*"):
                beginnings.append(element[:-1])
            else:
                single.append(_NAMES.get(name, {}).get(element, element))
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            incomplete = True
    return Values(single, ranges, beginnings, incomplete)


def _span(element: t.Any) -> tuple[int, int]:
    """Return the first and last address of an address, prefix or range."""
    if isinstance(element, str):
        return network(element)
    if "prefix" in element:
        return network(f"{element['prefix']['addr']}/{element['prefix']['len']}")
    first, last = (int(ipaddress.ip_address(end)) for end in element["range"])
    return first, last


def _bits(name: str, value: t.Any) -> int:
    """Return the number behind a number, a name or several of them."""
    if isinstance(value, dict):
        value = value["|"]
    if isinstance(value, list):
        return functools.reduce(operator.or_, (_bits(name, one) for one in value))
    return int(_NAMES.get(name, {}).get(value, value))


def _ordered(name: str, holds: t.Callable[[t.Any, t.Any], bool], limit: int) -> Test:
    def test(facts: Facts) -> Answer:
        value = facts.get(name)
        return None if value is None else holds(value, limit)

    return test
