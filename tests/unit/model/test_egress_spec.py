# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses that come and go in DNS, and what a firewall must let through for them."""

from __future__ import annotations

import json

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress import (
    Known,
    Spec,
    explanation,
    follow,
    is_private,
    table,
    wanted,
)
from hypothesis import given, strategies as st

API = "api.bitwarden.eu"
SPEC = Spec(destinations=(Destination(API, reason="license sync"),), grace_time=100)


def after(known: Known, *addresses: str, now: int) -> Known:
    return follow(SPEC, known, {API: addresses}, now).known


def test_a_new_address_is_wanted_at_once_and_the_old_one_for_the_grace_time() -> None:
    first = after({}, "203.0.113.1", now=0)
    second = after(first, "203.0.113.2", now=10)
    assert second == {API: {"203.0.113.1": 10, "203.0.113.2": None}}
    assert {one.address for one in wanted(SPEC, second)} == {"203.0.113.1", "203.0.113.2"}
    assert after(second, "203.0.113.2", now=109) == second
    assert after(second, "203.0.113.2", now=110) == {API: {"203.0.113.2": None}}


def test_an_address_that_returns_stays() -> None:
    gone = after({API: {"203.0.113.1": None, "203.0.113.2": None}}, "203.0.113.2", now=10)
    assert after(gone, "203.0.113.1", "203.0.113.2", now=50) == {API: {"203.0.113.1": None, "203.0.113.2": None}}


@pytest.mark.parametrize("now", [0, 10**9])
def test_without_an_answer_nothing_changes(now: int) -> None:
    known = {API: {"203.0.113.1": None, "203.0.113.2": 5}}
    assert after(known, now=now) == known


def test_the_same_answer_changes_nothing() -> None:
    known = after({}, "203.0.113.1", "2001:db8::1", now=0)
    assert after(known, "2001:db8::1", "203.0.113.1", now=10**6) == known


def test_names_that_nobody_asks_for_are_forgotten() -> None:
    assert after({"old.example.com": {"203.0.113.9": None}}, "203.0.113.1", now=0) == {API: {"203.0.113.1": None}}


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "::1", "fe80::1", "fd00::1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::ffff:10.0.0.1"],
)
def test_private_addresses_are_refused_unless_allowed(address: str) -> None:
    assert is_private(address)
    refused = follow(SPEC, {API: {"203.0.113.1": None}}, {API: [address]}, 0)
    assert refused.known == {API: {"203.0.113.1": None}}
    (problem,) = refused.problems
    assert address in str(problem)
    assert API in str(problem)
    allowed = follow(Spec(destinations=SPEC.destinations, allow_private=(API,)), {}, {API: [address]}, 0)
    assert allowed.known == {API: {address: None}}
    declared = follow(Spec(destinations=(Destination(address),)), {}, {address: [address]}, 0)
    assert not declared.problems


def test_wanted_are_all_ports_and_the_resolvers() -> None:
    spec = Spec(destinations=(Destination(API), Destination(API, 514, "udp")), resolvers=("192.0.2.53",))
    assert sorted(map(str, wanted(spec, {API: {"2001:db8::1": None}}))) == [
        "192.0.2.53:53/tcp",
        "192.0.2.53:53/udp",
        "[2001:db8::1]:443/tcp",
        "[2001:db8::1]:514/udp",
    ]


def test_a_spec_survives_json() -> None:
    spec = Spec("ufw", "enforce", ("host",), SPEC.destinations, ("192.0.2.53",), (API,), 7, "other")
    assert Spec.from_dict(json.loads(json.dumps(spec.as_dict()))) == spec


def test_the_table_for_a_firewall_team() -> None:
    spec = Spec(destinations=SPEC.destinations, resolvers=("192.0.2.53",))
    lines = table(explanation(spec, {API: {"203.0.113.1": None, "203.0.113.2": 5}}))
    assert [line.split() for line in lines] == [
        ["name", "port", "protocol", "why", "addresses"],
        [API, "443", "tcp", "license", "sync", "203.0.113.1"],
        ["192.0.2.53", "53", "udp", "and", "tcp", "DNS", "192.0.2.53"],
    ]
    assert lines[1].index("203.0.113.1") == lines[2].rindex("192.0.2.53") == lines[0].index("addresses")


ADDRESSES = st.sets(st.sampled_from(["203.0.113.1", "203.0.113.2", "203.0.113.3"]))


@given(st.lists(st.tuples(ADDRESSES, st.integers(0, 60)), max_size=12))
def test_an_address_never_goes_before_its_time(answers: list[tuple[set[str], int]]) -> None:
    known: Known = {}
    last_seen: dict[str, int] = {}
    now = 1
    for addresses, pause in answers:
        now += pause
        known = after(known, *addresses, now=now)
        last_seen.update(dict.fromkeys(addresses, now))
        assert addresses <= set(known.get(API, {}))
        assert {address for address, seen in last_seen.items() if now - seen < SPEC.grace_time} <= set(known.get(API, {}))
