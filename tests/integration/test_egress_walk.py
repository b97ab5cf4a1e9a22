# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The walk over rules against the kernel that runs them: many rulesets, and every packet sent for real."""

from __future__ import annotations

import collections
import itertools
import json
import random
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Endpoint, Packet
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot, find_blocks

from tests.hosts import World

pytestmark = pytest.mark.network_namespace

# Packets without a partner: whether the kernel would send them is known at once.
SEND = """
import json, socket, subprocess, sys
given = json.load(sys.stdin)
def run(*argv, **options):
    return subprocess.run(argv, text=True, check=True, stdout=subprocess.PIPE, **options).stdout
def passes(address, port):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
        try:
            return bool(sender.sendto(b"?", (address, port)))
        except PermissionError:
            return False
for ruleset in given["rulesets"]:
    run("nft", "flush", "ruleset")
    try:
        for program, text in ruleset.items():
            run(*program.split(), input=text, stderr=subprocess.DEVNULL)
    except subprocess.CalledProcessError:  # two tests that contradict each other
        print("null")
        continue
    passed = [passes(*packet) for packet in given["packets"]]
    saved = {family: run(program + "-nft-save") for family, program in (("4", "iptables"), ("6", "ip6tables"))}
    print(json.dumps([passed, json.loads(run("nft", "-j", "list", "ruleset"))["nftables"], saved]))
"""
ADDRESSES = ("198.51.100.200", "203.0.113.10", "203.0.113.53", "192.0.2.77", "2001:db8::10", "2001:db8:1::200")
PACKETS = list(itertools.product(ADDRESSES, (53, 443)))
NFT_TESTS = (
    "ip daddr 203.0.113.0/24", "ip daddr != 203.0.113.10",
    "ip daddr { 192.0.2.0/24, 198.51.100.1-198.51.100.210 }", "ip daddr @some",
    "ip6 daddr 2001:db8::/48", "ip6 daddr != 2001:db8::10", "udp dport 53", "udp dport != 53", "udp dport 400-500",
    "tcp dport 53",
    "th dport { 53, 80 }", "meta l4proto udp", "meta l4proto { tcp, icmp }",
    "ip daddr . udp dport { 203.0.113.10 . 443, 192.0.2.77 . 53 }",
    "ip daddr . meta l4proto . th dport @several", 'oifname "eth*"', 'oifname != "eth0"', 'iifname "eth0"', 'iifname != "eth0"',
    "ct state new", "ct state established,related", "ct state != new", "ct direction original", "meta mark 1",
    "meta mark & 6 == 0",
    "fib daddr type local", "fib daddr type unicast", "meta nfproto ipv6", "udp dport < 100", "icmp type echo-request", "counter",
    "ip6 nexthdr udp", "ip protocol udp", "exthdr frag exists",
)  # fmt: skip
NFT_ENDS = (
    "accept", "drop", "return", "jump one", "goto two", "reject", "continue", "", "udp dport vmap { 53 : accept, 443 : drop }",
    "meta l4proto vmap { tcp : drop, udp : jump two }", "ip daddr vmap @ways",
)  # fmt: skip
NFT_SETS = """
set some { type ipv4_addr; flags interval; elements = { 203.0.113.50-203.0.113.60, 198.51.100.200 }
}
set several { type ipv4_addr . inet_proto . inet_service; elements = { 203.0.113.10 . udp . 53, 192.0.2.77 . tcp . 443 }
}
map ways { type ipv4_addr : verdict; flags interval; elements = { 203.0.113.0/27 : jump one, 192.0.2.77 : drop }
}
"""
NFT_BASES = (("first", "output", "raw"), ("second", "output", "filter"), ("third", "postrouting", "filter"))
IPTABLES_TESTS = (
    "-d {net}", "! -d {net}", "-p udp -m udp --dport 53", "-p udp -m udp ! --dport 400:500", "-p tcp", "! -p tcp",
    "-p udp -m multiport --dports 80,53", "-p udp -m multiport ! --dports 1:100,443", "-m conntrack --ctstate NEW",
    "-m conntrack --ctstate RELATED,ESTABLISHED", "-o eth+", "! -o eth0", "! -o lo", "-m addrtype --dst-type LOCAL",
    "-m addrtype --dst-type UNICAST", "-m mark --mark 0x1/0xff", "-m mark ! --mark 0x1", "-m comment --comment \"-j DROP\"",
    "-m iprange --dst-range {range}", "-m state --state INVALID", "-m conntrack --ctdir REPLY",
)  # fmt: skip
IPTABLES_ENDS = ("-j ACCEPT", "-j DROP", "-j RETURN", "-j ONE", "-g TWO", "-j REJECT", "", "-j LOG", "-j DROP", "-j ACCEPT")
IPTABLES_NETS = {
    "iptables-restore": {"net": "203.0.113.0/26", "range": "192.0.2.1-198.51.100.250"},
    "ip6tables-restore": {"net": "2001:db8::/64", "range": "2001:db8::1-2001:db8::ffff"},
}


def some_nft(chance: random.Random) -> dict[str, str]:
    def rule() -> str:
        return " ".join([*chance.sample(NFT_TESTS, chance.choice((0, 1, 1, 2))), chance.choice(NFT_ENDS)]) + "\n"

    def chain(name: str, head: str = "") -> str:
        # A chain of the kernel's may be left, and one that is jumped to does not jump on.
        written = [rule() for _unused in range(chance.randint(1, 6))]
        return f"chain {name} {{\n{head}{''.join(one for one in written if head or not re.search('one|two|ways', one))}}}\n"

    heads = [
        (name, f"type filter hook {hook} priority {priority}; policy {chance.choice(('accept', 'drop'))};\n")
        for name, hook, priority in NFT_BASES
    ]
    chains = [chain("one"), chain("two"), *(chain(name, head) for name, head in chance.sample(heads, chance.randint(1, 3)))]
    return {"nft -f -": f"table inet mixed {{\n{NFT_SETS}{''.join(chains)}}}\n"}


def some_iptables(chance: random.Random) -> dict[str, str]:
    def rule(chain: str, program: str) -> str:
        test = chance.choice(("", chance.choice(IPTABLES_TESTS), chance.choice(IPTABLES_TESTS)))
        end = chance.choice(IPTABLES_ENDS[:3] if chain in ("ONE", "TWO") else IPTABLES_ENDS)
        return f"-A {chain} {test.format(**IPTABLES_NETS[program])} {end}\n"

    def rules(program: str) -> str:
        written = [rule(chance.choice(("OUTPUT", "OUTPUT", "ONE", "TWO")), program) for _unused in range(chance.randint(2, 12))]
        return (
            f"*filter\n:OUTPUT {chance.choice(('ACCEPT', 'DROP'))} [0:0]\n:ONE - [0:0]\n:TWO - [0:0]\n{''.join(written)}COMMIT\n"
        )

    return {program: rules(program) for program in IPTABLES_NETS}


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> t.Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.mark.parametrize("make", [some_nft, some_iptables])
def test_the_walk_agrees_with_the_kernel(world: World, make: t.Callable[[random.Random], dict[str, str]]) -> None:
    host = world.bare("debian12")
    chance = random.Random(2026)
    rulesets = [make(chance) for _unused in range(200)]
    host.write("/tmp/send.py", SEND)
    answers = host.run(
        ["python3", "/tmp/send.py"], input=json.dumps({"rulesets": rulesets, "packets": PACKETS})
    ).stdout.splitlines()
    packets = [Packet("output", Endpoint(address, "udp", port), outgoing="eth0") for address, port in PACKETS]
    outcomes = collections.Counter[bool]()
    for ruleset, answer in zip(rulesets, map(json.loads, answers), strict=True):
        if answer is None:
            continue
        passed, nft_items, saved = answer
        texts = {("nft", family): text for family, text in saved.items() if text}
        dropped = {block.packet for block in find_blocks(Snapshot(nft_items, texts), packets)}
        assert [packet not in dropped for packet in packets] == passed, ruleset
        outcomes.update(passed)
    assert min(outcomes.values()) > 250, outcomes
