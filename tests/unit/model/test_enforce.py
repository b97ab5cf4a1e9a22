# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table that drops: which addresses it holds, and when two readings of it mean the same."""

from __future__ import annotations

import copy
import ipaddress
import json
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import enforce
from ansible_collections.bw.selfhost.plugins.module_utils._model.enforce import Item, load, ours, propose, table, would_cut
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Endpoint
from hypothesis import given, strategies as st

WANTED = frozenset(
    {Endpoint("203.0.113.10", "tcp", 443), Endpoint("2001:db8::10", "tcp", 443), Endpoint("203.0.113.53", "udp", 53)}
)
STACK, LOCAL = ("172.18.0.0/16", "fd00:18::/64"), ("172.17.0.0/16",)


def as_read(items: t.Sequence[Item]) -> list[Item]:
    """What nft prints of a loaded table: with numbers and counts, elements in another order, among other tables."""
    found = copy.deepcopy(list(items))
    for number, item in enumerate(found):
        for one in item.values():
            one["handle"] = number
            one.get("elem", []).reverse()
            for expression in one.get("expr", ()):
                if "counter" in expression:
                    expression["counter"] = {"packets": 7, "bytes": 420}
    foreign = {"table": {"family": "ip", "name": "bw_selfhost_egress", "handle": 9}}
    return [{"metainfo": {"json_schema_version": 1}}, foreign, *found]


def elements(items: t.Sequence[Item], name: str) -> list[t.Any]:
    return next(item["set"].get("elem", []) for item in items if item.get("set", {}).get("name") == name)


def test_what_was_written_is_what_is_wanted() -> None:
    desired = table(WANTED, STACK, LOCAL)
    assert not propose(as_read(desired), desired).commands
    assert not propose(as_read(desired), desired).changes


def test_a_new_table_shows_networks_and_endpoints() -> None:
    (change,) = propose([], table(WANTED, STACK, LOCAL)).changes
    assert change.as_dict() == {
        "action": "create",
        "kind": "nftables table",
        "name": "inet bw_selfhost_egress",
        "before": {},
        "after": {
            "networks": ["172.18.0.0/16", "fd00:18::/64"],
            "endpoints": ["203.0.113.10:443/tcp", "203.0.113.53:53/udp", "[2001:db8::10]:443/tcp"],
        },
        "reason": "",
    }


@pytest.mark.parametrize(
    ("wanted", "stack", "local"),
    [
        (WANTED - {Endpoint("203.0.113.53", "udp", 53)}, STACK, LOCAL),
        (WANTED, ("172.19.0.0/16",), LOCAL),
        (WANTED, STACK, ("172.20.0.0/16",)),
        ((), (), ()),
    ],
)
def test_every_difference_is_a_change(wanted: t.Any, stack: t.Any, local: t.Any) -> None:
    proposal = propose(as_read(table(WANTED, STACK, LOCAL)), table(wanted, stack, local))
    assert len(proposal.changes) == len(proposal.commands) == 1
    assert proposal.changes[0].action == "update"


@pytest.mark.parametrize("number", range(len([item for item in table(WANTED, STACK, LOCAL) if "rule" in item])))
def test_a_rule_that_somebody_removed_is_noticed(number: int) -> None:
    desired = table(WANTED, STACK, LOCAL)
    rules = [item for item in desired if "rule" in item]
    found = [item for item in desired if item is not rules[number]]
    (change,) = propose(as_read(found), desired).changes
    judged = rules[number]["rule"]["expr"][-1] == {"jump": {"target": "outgoing"}}
    assert (change.reason, list(change.after)) == (
        ("", ["networks"]) if judged else ("its rules are not what they should be", [])
    )


def test_rules_in_another_order_are_noticed() -> None:
    desired = table(WANTED, STACK, LOCAL)
    assert propose(as_read([*desired[:-2], desired[-1], desired[-2]]), desired).commands


def test_an_added_rule_is_noticed() -> None:
    desired = table(WANTED, STACK, LOCAL)
    more = {"rule": {"family": "inet", "table": enforce.TABLE, "chain": "outgoing", "expr": [{"accept": None}]}}
    assert propose(as_read([*desired, more]), desired).commands


def test_elements_of_somebody_else_are_shown_and_go() -> None:
    found = table(WANTED, STACK, LOCAL)
    elements(found, "wanted_4").append({"concat": ["192.0.2.1", "tcp", 25]})
    elements(found, "wanted_4").append({"range": ["10.0.0.1", "10.0.0.9"]})
    (change,) = propose(as_read(found), table(WANTED, STACK, LOCAL)).changes
    assert set(change.before["endpoints"]) - set(change.after["endpoints"]) == {
        "192.0.2.1:25/tcp",
        '{"range": ["10.0.0.1", "10.0.0.9"]}',
    }


def test_no_table_is_wanted() -> None:
    assert not propose(as_read([])[:1], []).commands
    proposal = propose(as_read(table(WANTED, STACK, LOCAL)), [])
    assert proposal.changes[0].action == "delete"
    assert [next(iter(one)) for one in json.loads(proposal.commands[0].stdin)["nftables"]] == ["add", "delete"]


def test_what_is_there_can_be_loaded_again() -> None:
    desired = table(WANTED, STACK, LOCAL)
    commands = json.loads(load(ours(as_read(desired))))["nftables"]
    assert [command["add"] for command in commands[2:] if "table" in command["add"]] == [desired[0]]
    assert "handle" not in json.dumps(commands)
    assert len(commands) == 2 + len(desired)


@given(st.lists(st.ip_addresses().flatmap(lambda a: st.integers(0, a.max_prefixlen).map(lambda n: f"{a}/{n}")), max_size=8))
def test_subnets_never_overlap_and_nothing_is_lost(subnets: list[str]) -> None:
    given_networks = [ipaddress.ip_network(subnet, strict=False) for subnet in subnets]
    items = table((), map(str, given_networks), ())
    for family in (4, 6):
        found = [
            ipaddress.ip_network(one if isinstance(one, str) else f"{one['prefix']['addr']}/{one['prefix']['len']}")
            for one in elements(items, f"local_{family}")
        ]
        assert not any(one.overlaps(other) for one in found for other in found if one is not other)  # type: ignore[arg-type]
        mine = [network for network in given_networks if network.version == family]
        assert all(any(network.subnet_of(one) for one in found) for network in mine)  # type: ignore[arg-type]


def test_a_connection_from_where_the_table_drops_is_refused() -> None:
    assert would_cut(STACK, ["198.51.100.7", "192.0.2.1", "2001:db8::7"]) is None
    assert would_cut((), ["172.18.0.5"]) is None
    refusal = would_cut(STACK, ["192.0.2.1", "fd00:18::5"])
    assert refusal
    assert "fd00:18::5, in fd00:18::/64" in refusal.cause
