# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The permission inside somebody else's nftables tables: two sets for each table, and rules at the top of the chains that block.

It lives in their tables, because an accept in a table of ours opens nothing that another table drops; and a rule can only use
sets of its own table.
"""

from __future__ import annotations

import ipaddress
import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import COMMENT, Block, Endpoint
from ansible_collections.bw.selfhost.plugins.module_utils._model.nft_ruleset import OWN, Item
from ansible_collections.bw.selfhost.plugins.module_utils._model.nft_text import rule_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan, compare

Place = tuple[str, ...]  # family, table, and the chain or the set
Statements = list[t.Any]  # one rule, as nftables' JSON

_TAG = f"{COMMENT}:egress"
_TYPES = {4: "ipv4_addr", 6: "ipv6_addr"}
_HEADERS = {4: "ip", 6: "ip6"}


@dataclass
class Permission:
    """Our objects: the members of each set, and the rules of each chain."""

    sets: dict[Place, frozenset[Endpoint]] = field(default_factory=dict)
    rules: dict[Place, list[Statements]] = field(default_factory=dict)
    handles: dict[Place, list[int]] = field(default_factory=dict)  # of the rules, where they exist

    def as_dict(self) -> dict[str, t.Any]:
        """Return the objects as data, for reports."""
        sets = {" ".join(place): _names(members) for place, members in sorted(self.sets.items())}
        rules = {" ".join(place): list(map(rule_text, found)) for place, found in sorted(self.rules.items())}
        return {"sets": sets, "rules": rules} if sets or rules else {}


def current(items: t.Iterable[Item]) -> Permission:
    """Return what C(nft -j list ruleset) shows of ours in others' tables."""
    found = Permission()
    for item in items:
        if "set" in item and item["set"]["name"].startswith(OWN) and not item["set"]["table"].startswith(OWN):
            found.sets[_place(item["set"], "name")] = frozenset(map(_endpoint, item["set"].get("elem", ())))
        elif "rule" in item and item["rule"].get("comment") == _TAG and not item["rule"]["table"].startswith(OWN):
            place = _place(item["rule"], "chain")
            found.rules.setdefault(place, []).append(_plain(item["rule"]["expr"]))
            found.handles.setdefault(place, []).append(item["rule"]["handle"])
    return found


def desired(wanted: t.Collection[Endpoint], blocks: t.Collection[Block]) -> Permission:
    """Return what must be there, so that C(wanted) passes where C(blocks) says."""
    result = Permission()
    for place in sorted({block.place for block in blocks}):
        here = [block.packet for block in blocks if block.place == place]
        forwarded = any(packet.hook == "forward" for packet in here)
        for family in sorted({packet.to.family for packet in here}):
            members = frozenset(one for one in wanted if one.family == family)
            if members:
                result.sets[(*place[:2], f"{OWN}_{family}")] = members
                result.rules.setdefault(place, []).extend(_rules(family, forwarded))
    return result


def plan(before: Permission, after: Permission, misplaced: t.Container[Place] = ()) -> Plan:
    """Return what differs, for people. C(misplaced) chains have the right rules in the wrong place."""
    total = Plan()
    for place in sorted(before.sets.keys() | after.sets.keys()):
        states = [_shown("members", _names(side.sets.get(place, ()))) for side in (before, after)]
        total += compare("nftables set", " ".join(place), states[0], states[1])
    for place in sorted(before.rules.keys() | after.rules.keys()):
        states = [_shown("rules", list(map(rule_text, side.rules.get(place, ())))) for side in (before, after)]
        if states[0] == states[1] and place in misplaced:
            states = [{"place": "below a rule that blocks"}, {"place": "top"}]
        total += compare("nftables rules", " ".join(place), states[0], states[1])
    return total


def _shown(field_name: str, values: list[str]) -> dict[str, t.Any] | None:
    return {field_name: values} if values else None


def script(before: Permission, after: Permission, misplaced: t.Container[Place] = ()) -> str:
    """Return the transaction from one to the other, as input of C(nft -j -f -); empty when nothing differs."""
    gone = [place for place, rules in before.rules.items() if rules != after.rules.get(place) or place in misplaced]
    handles = [(place, handle) for place in gone for handle in before.handles[place]]
    steps: list[Item] = [{"delete": {"rule": {**_in_chain(place), "handle": handle}}} for place, handle in handles]
    steps += [{"delete": {"set": _named(place)}} for place in sorted(before.sets.keys() - after.sets.keys())]
    for place, members in after.sets.items():
        if place not in before.sets:
            version = int(place[2][-1])
            steps.append({"add": {"set": {**_named(place), "type": [_TYPES[version], "inet_proto", "inet_service"]}}})
        steps += _elements("delete", place, before.sets.get(place, frozenset()) - members)
        steps += _elements("add", place, members - before.sets.get(place, frozenset()))
    for place, rules in after.rules.items():
        if place in gone or place not in before.rules:
            # Each is inserted at the top, the last one first.
            steps += [{"insert": {"rule": _insertion(place, rule)}} for rule in reversed(rules)]
    return json.dumps({"nftables": steps}) if steps else ""


def _rules(family: int, forwarded: bool) -> list[Statements]:
    """Return the rules of one family; where others' traffic is forwarded, its answers pass, too."""
    there = [_matches(family, "daddr", "dport"), {"accept": None}]
    answers = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}}
    back = [_matches(family, "saddr", "sport"), answers, {"accept": None}]
    return [there, back] if forwarded else [there]


def _matches(family: int, address: str, port: str) -> Item:
    parts = [
        {"payload": {"protocol": _HEADERS[family], "field": address}},
        {"meta": {"key": "l4proto"}},
        {"payload": {"protocol": "th", "field": port}},
    ]
    return {"match": {"op": "==", "left": {"concat": parts}, "right": f"@{OWN}_{family}"}}


def _plain(statements: Statements) -> Statements:
    """Return a rule without its counter, which counts on while we compare."""
    return [one for one in statements if not (isinstance(one, dict) and "counter" in one)]


def _insertion(place: Place, rule: Statements) -> Item:
    return {**_in_chain(place), "comment": _TAG, "expr": [*rule[:-1], {"counter": None}, rule[-1]]}


def _endpoint(element: t.Any) -> Endpoint:
    address, protocol, port = (element["elem"]["val"] if "elem" in element else element)["concat"]
    return Endpoint(str(ipaddress.ip_address(address)), protocol, port)


def _elements(action: str, place: Place, members: t.Iterable[Endpoint]) -> list[Item]:
    found = [{"concat": [one.address, one.protocol, one.port]} for one in sorted(members)]
    return [{action: {"element": {**_named(place), "elem": found}}}] if found else []


def _named(place: Place) -> Item:
    return dict(zip(("family", "table", "name"), place))


def _in_chain(place: Place) -> Item:
    return dict(zip(("family", "table", "chain"), place))


def _place(item: Item, last: str) -> Place:
    return item["family"], item["table"], item[last]


def _names(members: t.Iterable[Endpoint]) -> list[str]:
    return [str(one) for one in sorted(members)]
