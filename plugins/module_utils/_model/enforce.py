# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nftables table of our own that drops every new connection of the stack's containers to anywhere but what is wanted.

It judges by the subnets of the stack alone: the host's own traffic does not pass it, other containers, connections from outside
and all answers pass it untouched, and it names no interface, because bridges are made anew with other names.
What is written has the shape in which nft reads it back (libnftables-json(5)), so that both can be compared.
"""

from __future__ import annotations

import ipaddress
import json
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import COMMENT, Command, Endpoint, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, compare

FAMILY, TABLE = "inet", "bw_selfhost_egress"
_NAME = f"{FAMILY} {TABLE}"
Item = dict[str, t.Any]
_PROTOCOLS = {4: "ip", 6: "ip6"}
_STATE: Item = {"ct": {"key": "state"}}
_JUMP: Item = {"jump": {"target": "outgoing"}}


def table(wanted: t.Iterable[Endpoint], stack: t.Iterable[str], local: t.Iterable[str]) -> list[Item]:
    """Return the table as nft prints it.

    Args:
        wanted: where new connections may go.
        stack: subnets whose new connections are judged.
        local: subnets of containers, to which connections are never judged; C(stack) need not be repeated.
    """
    stack, endpoints = list(stack), sorted(wanted)
    local = [*stack, *local]
    items = [_item("table", family=FAMILY, name=TABLE)]
    for family in _PROTOCOLS:
        kind = f"ipv{family}_addr"
        items.append(_set(f"local_{family}", kind, _prefixes(local, family), flags=["interval"]))
        elements = [{"concat": [one.address, one.protocol, one.port]} for one in endpoints if one.family == family]
        items.append(_set(f"wanted_{family}", [kind, "inet_proto", "inet_service"], elements))
    items.append(_ours("chain", name="forward", type="filter", hook="forward", prio=10, policy="accept"))
    items.append(_ours("chain", name="outgoing"))
    items.append(_rule("forward", _match(_STATE, ["established", "related"], "in"), {"accept": None}))
    for family, protocol in _PROTOCOLS.items():
        # No set: a packet that meets the old rules when they are replaced would find the set empty, and pass.
        source = _payload(protocol, "saddr")
        items += [_rule("forward", _match(source, subnet), _JUMP) for subnet in _prefixes(stack, family)]
    for family, protocol in _PROTOCOLS.items():
        service = {"concat": [_payload(protocol, "daddr"), {"meta": {"key": "l4proto"}}, _payload("th", "dport")]}
        items.append(_rule("outgoing", _match(_payload(protocol, "daddr"), f"@local_{family}"), {"accept": None}))
        items.append(_rule("outgoing", _match(service, f"@wanted_{family}"), {"accept": None}))
    # Only what is new: neighbour discovery through a bridge has no connection, and stays.
    drop = _rule("outgoing", _match(_STATE, "new", "in"), {"counter": None}, {"drop": None})
    drop["rule"]["comment"] = f"{COMMENT}:egress"
    return [*items, drop]


def propose(found: t.Sequence[Item], desired: t.Sequence[Item]) -> Proposal:
    """Return what turns the table among C(found), the elements of C(nft -j list ruleset), into C(desired); none removes it."""
    current = ours(found)
    if _canonical(current) == _canonical(desired):
        return Proposal()
    before, after = _shown(current), _shown(desired)
    changes = compare("nftables table", _NAME, before, after).changes
    if not changes:
        changes = (Change("update", "nftables table", _NAME, reason="its rules are not what they should be"),)
    return Proposal(changes, (Command(("nft", "-j", "-f", "-"), load(desired)),))


def ours(found: t.Sequence[Item]) -> list[Item]:
    """Return the elements of our table among others, in an order in which they can be added; empty when there is none."""
    owned = [item for item in found for kind, one in item.items() if _owned(kind, one)]
    order = ("table", "set", "chain", "rule")
    return sorted(owned, key=lambda item: order.index(next(iter(item))) if next(iter(item)) in order else -1)


def load(items: t.Sequence[Item]) -> str:
    """Return the script for C(nft -j -f -) after which the table is C(items) and nothing else, as one transaction."""
    named = _item("table", family=FAMILY, name=TABLE)
    # Adding what may exist makes deleting it safe.
    commands = [{"add": named}, {"delete": named}, *({"add": _stripped(item)} for item in items)]
    return json.dumps({"nftables": commands})


def would_cut(stack: t.Iterable[str], ends: t.Iterable[str]) -> SelfhostError | None:
    """Return why the table must not be: Ansible's own connection has an end where new connections would be dropped."""
    networks = [ipaddress.ip_network(subnet) for subnet in stack]
    for address in map(ipaddress.ip_address, ends):
        for network in networks:
            if address in network:
                return SelfhostError(
                    f"Ansible's own connection has an end, {address}, in {network}, from where new connections would be dropped.",
                    field="mode",
                    remedy="Run Ansible from outside the networks of the server's containers, or use mode: allow.",
                )
    return None


def _owned(kind: str, one: t.Any) -> bool:
    name = "name" if kind == "table" else "table"
    return isinstance(one, dict) and one.get("family") == FAMILY and one.get(name) == TABLE


def _canonical(items: t.Sequence[Item]) -> set[str]:
    """Return a form that is equal for tables that mean the same: rules keep their order within a chain, all else has none."""
    result: set[str] = set()
    count: dict[str, int] = {}
    for item in map(_stripped, items):
        if "rule" in item:
            chain = item["rule"]["chain"]
            count[chain] = item["rule"]["position"] = count.get(chain, 0) + 1
        if "set" in item:
            item["set"]["elem"] = sorted(json.dumps(one) for one in item["set"].get("elem", ()))
        result.add(json.dumps(item, sort_keys=True))
    return result


def _stripped(value: t.Any) -> t.Any:
    """Return a copy of JSON data without what the kernel counts and numbers."""
    if isinstance(value, dict):
        return {key: None if key == "counter" else _stripped(one) for key, one in value.items() if key != "handle"}
    return [_stripped(one) for one in value] if isinstance(value, list) else value


def _shown(items: t.Sequence[Item]) -> dict[str, t.Any] | None:
    """Return what people want to know of the table."""
    if not items:
        return None
    jumps = [item["rule"]["expr"][0] for item in items if _JUMP in item.get("rule", {}).get("expr", ())]
    elements = [
        one for item in items if item.get("set", {}).get("name", "").startswith("wanted_") for one in item["set"].get("elem", ())
    ]
    return {
        "networks": sorted(_text(jump["match"]["right"]) for jump in jumps if "match" in jump),
        "endpoints": sorted(map(_text, elements)),
    }


def _text(element: t.Any) -> str:
    if isinstance(element, str):
        return element
    if set(element) == {"prefix"}:
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    if set(element) == {"concat"}:
        address, protocol, port = element["concat"]
        return str(Endpoint(address, protocol, port))
    return json.dumps(element)  # somebody else's


def _item(kind: str, **fields: t.Any) -> Item:
    return {kind: fields}


def _ours(kind: str, **fields: t.Any) -> Item:
    return _item(kind, family=FAMILY, table=TABLE, **fields)


def _set(name: str, kind: str | list[str], elements: list[t.Any], **fields: t.Any) -> Item:
    # nft prints no field for an empty set's elements, and refuses one.
    return _ours("set", name=name, type=kind, **fields, **({"elem": elements} if elements else {}))


def _rule(chain: str, *expressions: Item) -> Item:
    return _ours("rule", chain=chain, expr=list(expressions))


def _match(left: Item, right: t.Any, operator: str = "==") -> Item:
    return {"match": {"op": operator, "left": left, "right": right}}


def _payload(protocol: str, name: str) -> Item:
    return {"payload": {"protocol": protocol, "field": name}}


def _prefixes(subnets: t.Iterable[str], family: int) -> list[t.Any]:
    """Return one family's subnets as elements, none within another: the kernel refuses overlaps."""
    parsed = [one for one in map(ipaddress.ip_network, subnets) if one.version == family]
    merged = sorted(ipaddress.collapse_addresses(t.cast("list[ipaddress.IPv4Network]", parsed)))
    return [
        {"prefix": {"addr": str(one.network_address), "len": one.prefixlen}}
        if one.prefixlen < one.max_prefixlen
        else str(one.network_address)
        for one in merged
    ]
