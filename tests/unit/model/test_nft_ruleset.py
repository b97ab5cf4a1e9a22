# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How nftables' JSON is read, and how our permission is written in it. Whole rulesets are in test_netfilter.py."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import nft_permission
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Endpoint, Packet
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot, find_blocks
from ansible_collections.bw.selfhost.plugins.module_utils._model.nft_permission import Permission
from ansible_collections.bw.selfhost.plugins.module_utils._model.nft_ruleset import parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.nft_text import rule_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.ruleset import Answer, Chain, every, facts, tracking
from hypothesis import given, settings, strategies as st

API, API6 = Endpoint("203.0.113.10", "tcp", 443), Endpoint("2001:db8::10", "tcp", 443)
CONTAINER = Packet("forward", API, "172.31.0.2", "br-one", "eth0")


def items(expr: list[t.Any], comment: str = "") -> list[dict[str, t.Any]]:
    place = {"family": "inet", "table": "filter"}
    rule = {**place, "chain": "forward", "handle": 5, "expr": expr, **({"comment": comment} if comment else {})}
    return [
        {"metainfo": {"version": "1.1.3"}},
        {"table": {"family": "inet", "name": "filter", "handle": 1}},
        {"chain": {**place, "name": "forward", "handle": 2, "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}},
        {"rule": rule},
    ]


def match(left: t.Any, right: t.Any, op: str = "==") -> dict[str, t.Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def payload(protocol: str, field: str) -> dict[str, t.Any]:
    return {"payload": {"protocol": protocol, "field": field}}


def meta(key: str) -> dict[str, t.Any]:
    return {"meta": {"key": key}}


def holds(*expr: t.Any) -> Answer:
    (table,) = parse(items([*expr, {"accept": None}]))
    rule = table.chains["forward"].rules[-1]
    return every(test({**facts(CONTAINER), **tracking(Chain("X"))}) for test in rule.tests)


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        (match(payload("ip", "daddr"), "203.0.113.10"), True),
        (match(payload("ip", "daddr"), "203.0.113.10", "!="), False),
        (match(payload("ip6", "daddr"), "2001:db8::10", "!="), False),
        (match(payload("ip", "saddr"), {"prefix": {"addr": "172.16.0.0", "len": 12}}), True),
        (match(payload("ip", "daddr"), {"range": ["203.0.113.1", "203.0.113.9"]}), False),
        (match(payload("ip", "daddr"), {"set": ["203.0.113.9", {"prefix": {"addr": "203.0.113.8", "len": 30}}]}), True),
        (match(payload("ip", "daddr"), {"set": ["no address", "203.0.113.9"]}), None),
        (match(payload("ip", "dscp"), "cs1"), None),
        (match(payload("ip", "protocol"), "tcp"), True),
        (match(payload("tcp", "dport"), 443), True),
        (match(payload("tcp", "dport"), {"range": [400, 500]}), True),
        (match(payload("tcp", "sport"), {"range": [1024, 65535]}), None),
        (match(payload("udp", "dport"), 443, "!="), False),
        (match(payload("th", "dport"), {"set": [80, 443]}), True),
        (match(payload("icmp", "type"), "echo-request"), False),
        (match(payload("ether", "saddr"), "00:00:00:00:00:01"), None),
        (match({"concat": [payload("ip", "daddr"), payload("tcp", "dport")]}, {"concat": ["203.0.113.10", 443]}), True),
        (match({"concat": [payload("ip", "daddr"), payload("tcp", "dport")]}, {"concat": ["203.0.113.10", 443]}, "!="), False),
        (match({"concat": [meta("iifname"), payload("ip", "saddr")]}, {"set": [{"concat": ["br-*", "172.31.0.9"]}]}), False),
        (match(meta("l4proto"), {"set": [6, 17]}), True),
        (match(meta("nfproto"), "ipv6"), False),
        (match(meta("protocol"), "ip"), True),
        (match(meta("iifname"), "br-*"), True),
        (match(meta("iifname"), {"set": ["docker0", "br-one"]}), True),
        (match(meta("oifname"), "br-*", "!="), True),
        (match(meta("mark"), 7), False),
        (match(meta("skuid"), 0), None),
        (match(meta("day"), "Monday"), None),
        (match({"ct": {"key": "state"}}, ["established", "related"], "in"), False),
        (match({"ct": {"key": "state"}}, ["new", "invalid"], "in"), True),
        (match({"ct": {"key": "state"}}, {"set": ["new"]}), True),
        (match({"ct": {"key": "direction"}}, "reply"), False),
        (match({"ct": {"key": "status"}}, "dnat", "in"), None),
        (match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"), False),
        (match({"fib": {"result": "type", "flags": "daddr"}}, {"set": ["local", "unicast"]}), True),
        (match({"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, False), False),
        (match({"fib": {"result": "oif", "flags": ["daddr"]}}, "eth0"), None),
        (match({"&": [payload("tcp", "flags"), ["fin", "syn"]]}, ["fin", "syn"]), False),
        (match({"&": [payload("tcp", "flags"), {"|": ["fin", "syn", "rst", "ack"]}]}, "syn"), True),
        (match({"&": [payload("tcp", "flags"), {"|": ["fin", "syn"]}]}, 0), False),
        (match(payload("tcp", "flags"), "syn", "in"), True),
        (match(payload("tcp", "flags"), "syn"), True),
        (match({"&": [meta("mark"), 255]}, 1, "!="), True),
        (match(payload("tcp", "dport"), 1024, "<"), True),
        (match(payload("tcp", "dport"), 443, ">"), False),
        (match({"exthdr": {"name": "rt", "field": "type"}}, 0), False),
        (match({"exthdr": {"name": "frag"}}, True), False),
        (match({"exthdr": {"name": "frag"}}, False), True),
        (match({"tcp option": {"name": "maxseg", "field": "size"}}, 500, "<"), None),
        (match(payload("ip", "daddr"), "@unheard of"), None),
        ({"limit": {"rate": 10, "per": "second"}}, None),
        ({"ct count": {"val": 10}}, None),
        ({"xt": {"type": "match", "name": "u32"}}, None),
        ({"xt": None}, None),
        (None, None),
        ({"counter": {"packets": 1, "bytes": 2}}, True),
        ({"log": {"prefix": "x"}}, True),
        ({"mangle": {"key": {"ct": {"key": "mark"}}, "value": 1}}, True),
    ],
    ids=json.dumps,
)
def test_what_a_rule_asks(expression: t.Any, answer: Answer) -> None:
    assert holds(expression) is answer


@pytest.mark.parametrize(
    ("expr", "dropped"),
    [
        ([{"drop": None}], "drop"),
        ([{"reject": {"type": "tcp reset"}}], "reject"),
        ([{"reject": {"type": "icmp", "expr": "admin-prohibited"}}], "reject"),
        ([{"reject": {"type": "icmpv6", "expr": "admin-prohibited"}}], None),
        ([{"queue": {"num": 0}}], "queue"),
        ([{"xt": {"type": "target", "name": "DROP"}}], '{"xt": {"type": "target", "name": "DROP"}}'),
        ([{"xt": {"type": "target", "name": "MASQUERADE"}}], None),
        ([{"limit": {"rate": 1}}, {"drop": None}], "limit drop"),
        ([match(payload("ip", "daddr"), "203.0.113.9"), {"drop": None}], None),
        (
            [{"vmap": {"key": payload("tcp", "dport"), "data": {"set": [[80, {"accept": None}], [443, {"drop": None}]]}}}],
            "tcp dport vmap { 80 : accept, 443 : drop }",
        ),
        ([{"jump": {"target": "nowhere"}}], None),
    ],
    ids=str,
)
def test_what_a_rule_does(expr: list[t.Any], dropped: str | None) -> None:
    found = [block.rule for block in find_blocks(Snapshot(items(expr)), [CONTAINER])]
    assert found == ([f"table inet filter chain forward: {dropped}"] if dropped else [])


def test_a_rule_in_words() -> None:
    pair = {"concat": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, "br-*"]}
    expr = [
        match({"concat": [payload("ip", "saddr"), meta("iifname")]}, {"set": [pair]}),
        match({"&": [meta("mark"), 255]}, 1, "!="),
        match({"ct": {"key": "state"}}, ["new", "invalid"], "in"),
        match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"),
        {"counter": {"packets": 5, "bytes": 300}},
        {"goto": {"target": "elsewhere"}},
    ]
    assert rule_text(expr) == (
        "ip saddr . iifname { 10.0.0.0/8 . br-* } meta mark & 255 != 1 ct state new,invalid fib daddr type local goto elsewhere"
    )


KEYS = (
    "match op left right payload protocol field meta key ct concat set prefix addr len range elem val vmap data jump target goto"
    " drop accept & | fib result flags mangle xt type name"
)
LEAVES = st.sampled_from(["tcp", "203.0.113.10", "@x", "br-*", "state", "&", "", None, True, False, -5, 0, 443, 70000])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=3)),
    max_leaves=12,
)


@settings(max_examples=500)
@given(st.lists(JSON, max_size=4))
def test_nothing_makes_it_fail(expr: list[t.Any]) -> None:
    for packet in (CONTAINER, Packet("output", API6)):
        find_blocks(Snapshot(items(expr)), [packet])


@settings(max_examples=200)
@given(JSON, JSON, st.sampled_from(["==", "!=", "in", "<"]))
def test_no_match_makes_it_fail(left: t.Any, right: t.Any, sign: str) -> None:
    find_blocks(Snapshot(items([match(left, right, sign), {"drop": None}])), [CONTAINER])


def block(hook: str, to: Endpoint, chain: str = "", table: tuple[str, str] = ("inet", "filter")) -> Block:
    return Block("nftables", Packet(hook, to), (*table, chain or hook), "")


def listing(permission: Permission) -> list[dict[str, t.Any]]:
    """Return what nft would list after a permission was given to an empty table."""
    script = json.loads(nft_permission.script(Permission(), permission))["nftables"]
    sets = [step["add"]["set"] for step in script if "set" in step.get("add", {})]
    for step in script:
        for one in sets if "element" in step.get("add", {}) else ():
            if one["name"] == step["add"]["element"]["name"]:
                one["elem"] = step["add"]["element"]["elem"]
    rules = [step["insert"]["rule"] for step in script if "insert" in step]
    return [{"set": one} for one in sets] + [{"rule": {**rule, "handle": 9}} for rule in reversed(rules)]


def test_permission_is_read_back_as_it_was_written() -> None:
    blocks = [block("output", API), block("output", API6), block("forward", API6)]
    desired = nft_permission.desired([API, API6], blocks)
    assert {place: len(rules) for place, rules in desired.rules.items()} == {
        ("inet", "filter", "output"): 2,
        ("inet", "filter", "forward"): 2,  # there and back, IPv6 only
    }
    found = nft_permission.current(listing(desired))
    assert (found.sets, found.rules) == (desired.sets, desired.rules)
    assert nft_permission.script(found, desired) == ""
    assert not nft_permission.plan(found, desired).changed
    assert find_blocks(Snapshot(listing(desired)), [CONTAINER]) == []


def test_no_set_for_a_family_without_addresses() -> None:
    assert nft_permission.desired([API], [block("output", API), block("output", API6)]).sets.keys() == {
        ("inet", "filter", "bw_selfhost_4")
    }


def test_only_what_differs_is_written() -> None:
    other = Endpoint("203.0.113.9", "tcp", 443)
    now = nft_permission.current(listing(nft_permission.desired([API, other], [block("output", API)])))
    desired = nft_permission.desired([API], [block("output", API)])
    elements = {"family": "inet", "table": "filter", "name": "bw_selfhost_4", "elem": [{"concat": ["203.0.113.9", "tcp", 443]}]}
    assert json.loads(nft_permission.script(now, desired))["nftables"] == [{"delete": {"element": elements}}]
    (change,) = nft_permission.plan(now, desired).changes
    assert (change.kind, change.name, change.before) == (
        "nftables set", "inet filter bw_selfhost_4", {"members": ["203.0.113.10:443/tcp", "203.0.113.9:443/tcp"]},
    )  # fmt: skip


def test_a_misplaced_rule_is_moved() -> None:
    now = nft_permission.current(listing(nft_permission.desired([API], [block("output", API)])))
    place = ("inet", "filter", "output")
    steps = json.loads(nft_permission.script(now, now, {place}))["nftables"]
    assert [next(iter(step)) for step in steps] == ["delete", "insert"]
    (change,) = nft_permission.plan(now, now, {place}).changes
    assert change.after == {"place": "top"}


def test_everything_goes_rules_first() -> None:
    now = nft_permission.current(listing(nft_permission.desired([API], [block("forward", API)])))
    steps = json.loads(nft_permission.script(now, Permission()))["nftables"]
    assert [next(iter(step["delete"])) for step in steps] == ["rule", "rule", "set"]
    assert {change.action for change in nft_permission.plan(now, Permission()).changes} == {"delete"}
    assert now.as_dict()["rules"]["inet filter forward"][0] == "ip daddr . meta l4proto . th dport @bw_selfhost_4 accept"
    assert Permission().as_dict() == {}
