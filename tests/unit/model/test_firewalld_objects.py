"""Our objects in firewalld, as its files and its nftables table hold them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Endpoint
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewalld_objects import (
    POLICIES,
    SETS,
    Runtime,
    current,
    desired,
    runtime,
    shape,
    text,
)
from hypothesis import given, strategies as st

API, API6, DNS = Endpoint("203.0.113.10", "tcp", 443), Endpoint("2001:db8::10", "tcp", 443), Endpoint("203.0.113.53", "udp", 53)
HOST, FORWARD = "bw-selfhost-host", "bw-selfhost-fwd"
# What firewalld 1.3.3 writes itself when it makes its run-time configuration permanent.
REWRITTEN = {
    "bw-selfhost-4": """<?xml version="1.0" encoding="utf-8"?>
<ipset type="hash:ip,port">
  <option name="family" value="inet"/>
  <entry>203.0.113.53,udp:53</entry>
  <entry>203.0.113.10,tcp:443</entry>
</ipset>
""",
    HOST: """<?xml version="1.0" encoding="utf-8"?>
<policy target="CONTINUE" priority="-32768">
  <ingress-zone name="HOST"/>
  <egress-zone name="ANY"/>
  <rule family="ipv4">
    <destination ipset="bw-selfhost-4"/>
    <accept/>
  </rule>
  <rule family="ipv6"><destination ipset="bw-selfhost-6"/><accept/></rule>
</policy>
""",
}
endpoints = st.builds(
    Endpoint, st.ip_addresses().map(str), st.sampled_from(["tcp", "udp"]), st.integers(min_value=1, max_value=65535)
)  # fmt: skip


def chain(name: str, table: str = "firewalld") -> dict[str, t.Any]:
    return {"chain": {"family": "inet", "table": table, "name": name, "handle": 1}}


def table(name: str = "firewalld") -> dict[str, t.Any]:
    return {"table": {"family": "inet", "name": name, "handle": 1}}


ELEMENTS = {
    "set": {
        "family": "inet",
        "name": "bw-selfhost-4",
        "table": "firewalld",
        "type": ["ipv4_addr", "inet_proto", "inet_service"],
        "flags": ["interval"],
        "elem": [{"concat": ["203.0.113.53", "udp", 53]}, {"concat": ["203.0.113.10", "tcp", 443]}],
    }
}
LOADED = [
    {"metainfo": {"version": "1.0.6"}},
    table(),
    ELEMENTS,
    {"set": {"family": "inet", "name": "bw-selfhost-6", "table": "firewalld", "type": ["ipv6_addr"]}},
    {"set": {"family": "inet", "name": "bw-selfhost-4", "table": "mine", "elem": [{"concat": ["192.0.2.1", "tcp", 1]}]}},
    chain("filter_OUTPUT_POLICIES_pre"),
    chain("filter_OUT_policy_bw-selfhost-host"),
    chain("filter_OUT_policy_bw-selfhost-host_allow"),
    chain("filter_FWD_policy_bw-selfhost-fwd", table="elsewhere"),
]


def test_the_table_tells_what_is_loaded() -> None:
    found = runtime(LOADED)
    assert found == Runtime(
        {HOST: "loaded", "bw-selfhost-4": ["203.0.113.10,tcp:443", "203.0.113.53,udp:53"], "bw-selfhost-6": []}, True, False
    )


def test_no_table_no_firewalld() -> None:
    assert runtime([]) is None
    assert runtime([table("filter"), table("firewalld_other")]) is None


def test_panic_and_old_versions_are_seen() -> None:
    assert runtime([table(), table("firewalld_policy_drop")]) == Runtime({}, usable=False, panic=True)


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_file_that_firewalld_rewrote_means_the_same(name: str) -> None:
    wanted = desired(["host"], [API, DNS])
    assert current(REWRITTEN, None)[name]["permanent"] == wanted[name]["permanent"]


@pytest.mark.parametrize("wrong", ["", "<ipset", "<ipset/>", REWRITTEN["bw-selfhost-4"].replace("hash:ip,port", "hash:ip")])
def test_a_file_that_is_something_else_is_not_taken_for_ours(wrong: str) -> None:
    found = current({"bw-selfhost-4": wrong}, None)
    assert found == ({"bw-selfhost-4": {"permanent": wrong}} if wrong else {})
    assert shape(found) != shape(desired(["host"], [API]))


@given(st.sets(endpoints, max_size=8), st.sets(st.sampled_from(["host", "containers"]), min_size=1))
def test_what_is_written_reads_back_as_what_is_wanted(wanted: set[Endpoint], scopes: set[str]) -> None:
    state = desired(scopes, wanted)
    assert set(state) == {*SETS.values(), *(POLICIES[scope] for scope in scopes)}
    texts = {name: text(name, one["permanent"]) for name, one in state.items()}
    assert {name: one["permanent"] for name, one in current(texts, None).items()} == {
        name: one["permanent"] for name, one in state.items()
    }


def test_only_entries_change_without_a_reload() -> None:
    base = shape(desired(["host"], [API]))
    assert shape(desired(["host"], [API6, DNS])) == base
    assert shape(desired(["host", "containers"], [API])) != base
    assert shape({}) != base
    unloaded = desired(["host"], [API])
    unloaded["bw-selfhost-6"]["runtime"] = None
    assert shape(unloaded) != base


def test_without_a_scope_nothing_is_wanted() -> None:
    assert desired([], []) == {}


def test_names_fit() -> None:
    assert all(len(name) <= 18 for name in POLICIES.values())
