# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the walk over real rulesets says. They were made by the programs named in their file names."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Endpoint, Packet
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot, bases, find_blocks

RULESETS = Path(__file__).parents[2] / "data/rulesets"
API = (Endpoint("203.0.113.10", "tcp", 443), Endpoint("2001:db8::10", "tcp", 443))
# A container on the network of the recorded Docker hosts, per family
SOURCES = {4: "172.31.0.2", 6: "fd00:d1::2"}
BRIDGE = "br-abcdef012345"
DOCKERS = ("docker-20.10", "docker-26.1", "docker-29.1")


def saved(name: str, extra: str = "", ufw: str = "") -> Snapshot:
    """Both families of an iptables-save; C(extra) lines come first in table filter."""
    texts = {family: (RULESETS / f"{name}-ipv{family}.save").read_text() for family in "46"}
    return Snapshot(iptables={("nft", family): add(text, extra) for family, text in texts.items()}, ufw=ufw)


def add(text: str, extra: str) -> str:
    first = text.index("-A ", text.index("*filter"))
    return text[:first] + extra + text[first:]


def listed(name: str) -> Snapshot:
    return Snapshot(nft=json.loads((RULESETS / f"{name}.json").read_text())["nftables"])


def table(chains: str, variant: str = "nft", family: str = "4") -> Snapshot:
    return Snapshot(iptables={(variant, family): f"*filter\n{chains}\nCOMMIT\n"})


def host(to: Endpoint = API[0], **known: str) -> Packet:
    return Packet("output", to, **{"outgoing": "eth0", **known})


def container(to: Endpoint = API[0], bridge: str = BRIDGE, **known: t.Any) -> Packet:
    return Packet("forward", to, **{"source": SOURCES[to.family], "incoming": bridge, "outgoing": "eth0", **known})


def who(blocks: t.Iterable[Block]) -> set[tuple[t.Any, ...]]:
    return {(block.packet.to.family, block.engine, *block.place) for block in blocks}


@pytest.mark.parametrize("name", DOCKERS)
def test_docker_alone_blocks_nothing(name: str) -> None:
    packets = [make(to) for to in API for make in (host, container)]
    assert find_blocks(saved(name), [*packets, container(bridge="docker0", source="172.17.0.2")]) == []


def test_docker_without_iptables_programs_blocks_nothing() -> None:
    assert find_blocks(listed("docker-20.10"), [make(to) for to in API for make in (host, container)]) == []


@pytest.mark.parametrize("name", DOCKERS)
def test_a_network_without_egress_is_seen(name: str) -> None:
    blocks = find_blocks(saved(name), [container(bridge="br-0123456789ab", source="172.30.0.2")])
    assert "! -d 172.30.0.0/24 -i br-0123456789ab -j DROP" in blocks[0].rule


@pytest.mark.parametrize("name", DOCKERS)
def test_what_is_unknown_may_block(name: str) -> None:
    (block,) = find_blocks(saved(name), [Packet("forward", API[0])])
    assert block.engine == "iptables"


@pytest.mark.parametrize("name", DOCKERS)
def test_a_drop_in_docker_user_is_opened_there(name: str) -> None:
    blocks = find_blocks(saved(name, "-A DOCKER-USER ! -o br-+ -j DROP\n"), [container(), host()])
    assert [(block.place, block.rule) for block in blocks] == [
        (("nft", "4", "DOCKER-USER"), "iptables -A DOCKER-USER ! -o br-+ -j DROP")
    ]


def test_a_drop_before_docker_user_is_opened_in_forward() -> None:
    chains = ":FORWARD ACCEPT [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -p tcp -j DROP\n-A FORWARD -j DOCKER-USER"
    assert who(find_blocks(table(chains, "legacy"), [container()])) == {(4, "iptables", "legacy", "4", "FORWARD")}


EVERYBODY = [make(to) for to in API for make in (host, container)]
BOTH = {(family, scope) for family in (4, 6) for scope in ("host", "containers")}
# On the recorded hosts without a real Docker
LAN = {4: "172.30.1.2", 6: "fd00:30:1::2"}
OTHERS = [make(to, **extra) for to in API for make, extra in (
    (host, {}), (container, {"bridge": "br-0123456789ab", "source": LAN[to.family]}),
)]  # fmt: skip


def test_ufw_that_denies_everything() -> None:
    blocks = find_blocks(saved("ufw"), OTHERS)
    assert who(blocks) == {(family, "ufw", scope) for family, scope in BOTH}
    assert {block.rule for block in blocks} == {
        f"{program} -P {chain} DROP" for program in ("iptables", "ip6tables") for chain in ("OUTPUT", "FORWARD")
    }


def test_ufw_that_governs_docker_user() -> None:
    blocks = find_blocks(saved("ufw-docker"), OTHERS)
    assert who(blocks) == {(family, "ufw", scope) for family, scope in BOTH}
    assert "iptables -A DOCKER-USER -s 172.16.0.0/12 ! -d 172.16.0.0/12 -j DROP" in {block.rule for block in blocks}


def test_ufw_that_is_not_asked_about_containers() -> None:
    chains = "-A DOCKER-USER -j DROP\n"
    blocks = find_blocks(saved("docker-26.1", f":ufw-user-forward - [0:0]\n{chains}"), [container()])
    assert who(blocks) == {(4, "iptables", "nft", "4", "DOCKER-USER")}


def test_our_own_rules_in_ufw_do_not_hide_the_block() -> None:
    mine, ours = Endpoint("203.0.113.99", "tcp", 443), API[0]
    rules = (RULESETS / "ufw-allowed-user.rules").read_text()
    assert who(find_blocks(saved("ufw-allowed", ufw=rules), [host(mine), host(ours), host(API[1])])) == {
        (4, "ufw", "host"),
        (6, "ufw", "host"),
    }
    assert find_blocks(saved("ufw-allowed"), [host(mine), host(ours)]) == []


def test_firewalld_policies() -> None:
    blocks = find_blocks(listed("firewalld"), OTHERS)
    assert who(blocks) == {(family, "firewalld", scope) for family, scope in BOTH}
    assert "table inet firewalld chain filter_OUT_policy_blockhost: reject" in {block.rule for block in blocks}


def test_our_own_policy_in_firewalld_does_not_hide_the_block() -> None:
    text = (RULESETS / "firewalld.json").read_text()
    jump = '{"jump": {"target": "filter_OUT_policy_blockhost"}}'
    assert jump in text
    allowing = text.replace(jump, '{"jump": {"target": "filter_OUT_policy_bw-selfhost-host"}}, {"accept": null}')
    assert "firewalld" in {block.engine for block in find_blocks(Snapshot(json.loads(text)["nftables"]), [host()])}
    assert find_blocks(Snapshot(json.loads(allowing)["nftables"]), [host()], ours=True) == []


@pytest.mark.parametrize("name", ["hardened-1.0.6", "hardened-1.1.3"])
@pytest.mark.parametrize(
    ("address", "protocol", "port", "passes"),
    [
        ("203.0.113.10", "tcp", 443, False),  # the policy
        ("10.1.2.3", "tcp", 25, False),  # a prefix in a set
        ("230.0.0.1", "tcp", 25, False),  # a range in a set
        ("198.51.100.7", "tcp", 443, True),  # a concatenation in a set
        ("198.51.100.7", "tcp", 80, False),
        ("198.51.100.7", "udp", 443, False),
        ("192.0.2.200", "tcp", 443, True),  # a concatenation with a prefix
        ("192.0.2.200", "udp", 53, True),  # ... and with two ranges
        ("192.0.2.200", "udp", 61, False),
        ("198.51.100.99", "tcp", 443, False),  # only for a while
        ("203.0.113.10", "tcp", 587, True),
        ("198.51.100.20", "tcp", 587, False),
        ("203.0.113.10", "tcp", 8500, True),
        ("203.0.113.10", "udp", 123, False),  # only for some user: unknown
        ("198.51.100.54", "udp", 53, True),
        ("2001:db8:5::1", "udp", 443, True),
        ("2001:db8:6::1", "udp", 443, False),
        ("203.0.113.10", "tcp", 9000, False),  # only so often: unknown
        ("203.0.113.10", "tcp", 9001, True),  # a mask
        ("203.0.113.10", "tcp", 60000, True),
        ("203.0.113.10", "tcp", 59999, False),
        ("203.0.113.10", "tcp", 70, True),  # a verdict map
        ("203.0.113.10", "tcp", 71, False),
        ("203.0.113.10", "tcp", 72, True),  # a chain behind it
        ("198.51.100.70", "tcp", 72, False),  # that is left again
    ],
)
def test_a_ruleset_with_everything(name: str, address: str, protocol: str, port: int, passes: bool) -> None:
    blocks = [
        block for block in find_blocks(listed(name), [host(Endpoint(address, protocol, port))]) if block.place[1] == "filter"
    ]
    assert [block.place for block in blocks] == [] if passes else [("inet", "filter", "output")]


@pytest.mark.parametrize(
    ("bridge", "address", "port", "rule"),
    [
        ("docker0", "198.51.100.1", 443, None),  # jump
        ("docker0", "203.0.113.10", 443, "chain forward: policy drop"),  # and back
        ("br-one", "198.51.100.1", 443, None),  # goto
        ("br-one", "203.0.113.10", 443, "chain forward: policy drop"),  # and never back
        ("tun0", "198.51.100.1", 443, "chain forward: iifname vmap @ways"),
        ("br-two", "203.0.113.10", 9002, "chain forward: policy drop"),  # marked by the rule before
    ],
)
def test_a_ruleset_with_ways_for_containers(bridge: str, address: str, port: int, rule: str | None) -> None:
    packet = container(Endpoint(address, "tcp", port), bridge)
    rules = [block.rule for block in find_blocks(listed("hardened-1.1.3"), [packet])]
    assert rules == ([f"table inet filter {rule}"] if rule else [])


def test_a_sleeping_table_blocks_nothing() -> None:
    assert "sleeping" not in {block.place[1] for block in find_blocks(listed("hardened-1.1.3"), [host()])}


def test_several_base_chains_all_count() -> None:
    snapshot = Snapshot(listed("hardened-1.1.3").nft, table(":OUTPUT DROP [0:0]").iptables)
    assert who(find_blocks(snapshot, [host()])) == {
        (4, "iptables", "nft", "4", "OUTPUT"),
        (4, "nftables", "inet", "filter", "output"),
    }


def test_mangle_and_raw_are_not_ours_to_change() -> None:
    texts = {("nft", "4"): "*raw\n:PREROUTING DROP [0:0]\nCOMMIT\n*mangle\n:POSTROUTING DROP [0:0]\nCOMMIT\n"}
    blocks = find_blocks(Snapshot(iptables=texts), [container()])
    assert [(block.engine, block.rule) for block in blocks] == [
        ("other", "iptables -t raw -P PREROUTING DROP"),
        ("other", "iptables -t mangle -P POSTROUTING DROP"),
    ]


@pytest.mark.parametrize(("name", "engine"), [("docker-bridges", "other"), ("netavark", "other"), ("mine", "nftables")])
def test_tables_that_others_write_anew(name: str, engine: str) -> None:
    items = json.loads(json.dumps(listed("hardened-1.1.3").nft).replace('"table": "filter"', f'"table": "{name}"'))
    items.append({"table": {"family": "inet", "name": name}})
    assert {block.engine for block in find_blocks(Snapshot(items), [host()])} == {engine}


def test_a_table_of_iptables_name_that_iptables_did_not_make() -> None:
    """iptables-nft-save would show its C(ip daddr @some accept) as C(-j ACCEPT)."""
    shown = table(":OUTPUT DROP [0:0]\n-A OUTPUT -j ACCEPT").iptables
    place = {"family": "ip", "table": "filter"}
    left = {"payload": {"protocol": "ip", "field": "daddr"}}
    items: list[t.Any] = [
        {"table": {"family": "ip", "name": "filter"}},
        {"set": {**place, "name": "some", "type": "ipv4_addr", "elem": ["203.0.113.9"]}},
        {"chain": {**place, "name": "OUTPUT", "hook": "output", "prio": 0, "policy": "drop", "type": "filter"}},
        {
            "rule": {
                **place,
                "chain": "OUTPUT",
                "expr": [{"match": {"op": "==", "left": left, "right": "@some"}}, {"accept": None}],
            }
        },
    ]
    assert who(find_blocks(Snapshot(items, shown), [host()])) == {(4, "nftables", "ip", "filter", "OUTPUT")}
    assert find_blocks(Snapshot(items, shown), [host(Endpoint("203.0.113.9", "tcp", 443))]) == []


def test_docker_beside_nftables_stays_iptables() -> None:
    snapshot = Snapshot(listed("docker-20.10").nft, saved("docker-20.10", "-A DOCKER-USER -j DROP\n").iptables)
    assert who(find_blocks(snapshot, [container()])) == {(4, "iptables", "nft", "4", "DOCKER-USER")}


def test_a_chain_that_translates_addresses_is_not_ours_to_change() -> None:
    items = json.loads(json.dumps(listed("hardened-1.1.3").nft).replace('"type": "filter"', '"type": "nat"'))
    assert {block.engine for block in find_blocks(Snapshot(items), [host()])} == {"other"}


def test_a_loop_comes_to_an_end() -> None:
    chains = ":OUTPUT DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n-A OUTPUT -j A\n-A A -j B\n-A B -g A"
    assert find_blocks(table(chains), [host()])


def test_our_own_jump_counts_only_when_asked() -> None:
    jump = '-m comment --comment "bw.selfhost:egress" -j BW-SELFHOST-EGRESS'
    top = table(f":OUTPUT DROP [0:0]\n:BW-SELFHOST-EGRESS - [0:0]\n-A OUTPUT {jump}\n-A OUTPUT -j DROP")
    low = table(f":OUTPUT DROP [0:0]\n:BW-SELFHOST-EGRESS - [0:0]\n-A OUTPUT -j DROP\n-A OUTPUT {jump}")
    assert len(find_blocks(top, [host()])) == len(find_blocks(low, [host()])) == 1
    assert find_blocks(top, [host()], ours=True) == []
    assert len(find_blocks(low, [host()], ours=True)) == 1


def test_who_does_anything() -> None:
    assert bases(saved("docker-26.1")) == {"iptables"}
    assert bases(listed("hardened-1.1.3")) == {"nftables"}
    assert bases(listed("firewalld")) == bases(table(":OUTPUT ACCEPT [0:0]")) == set()
