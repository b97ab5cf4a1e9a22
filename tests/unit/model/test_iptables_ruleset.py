# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How iptables' rules are read, and how our permission is written in them."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import iptables_permission
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Endpoint, Packet
from ansible_collections.bw.selfhost.plugins.module_utils._model.iptables_permission import Permission
from ansible_collections.bw.selfhost.plugins.module_utils._model.iptables_ruleset import options, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.ruleset import Answer, Chain, every, facts, tracking
from hypothesis import given, settings, strategies as st

API = Endpoint("203.0.113.10", "tcp", 443)
CONTAINER = Packet("forward", API, "172.31.0.2", "br-one", "eth0")
JUMP = '-m comment --comment "bw.selfhost:egress" -j BW-SELFHOST-EGRESS'


def holds(rule: str, packet: Packet = CONTAINER, family: str = "4") -> Answer:
    """Say whether a packet matches the words of a rule."""
    (table,) = parse(f"*filter\n:X - [0:0]\n-A X {rule} -j ACCEPT\nCOMMIT\n", "nft", family)
    (read,) = table.chains["X"].rules
    assert read.verdict == "accept"
    return every(test({**facts(packet), **tracking(Chain("X"))}) for test in read.tests)


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("", True),
        ("-d 203.0.113.0/24", True),
        ("-d 203.0.113.0/255.255.255.0", True),
        ("-d 203.0.113.10/255.0.255.255", None),
        ("! -d 203.0.113.0/24", False),
        ("-s 172.31.0.2/32", True),
        ("! -s 172.30.0.0/24", True),
        ("-i br-+", True),
        ("-i br-one ! -o br-one", True),
        ("-o br-+", False),
        ("-p tcp -m tcp --dport 443", True),
        ("-p tcp -m tcp ! --dport 443", False),
        ("-p tcp -m tcp --dport 400:500", True),
        ("-p tcp -m tcp --dport 1024:65535", False),
        ("-p tcp -m tcp --sport 1024:65535", None),
        ("-p tcp -m multiport --dports 1:100,50,443", True),
        ("-p tcp -m multiport --dports 80,8000:9000", False),
        ("-p tcp -m multiport ! --dports 80,443", False),
        ("-p tcp -m multiport --ports 80,443", None),
        ("-p udp -m udp --dport 443", False),
        ("! -p udp", True),
        ("-p icmp -m icmp --icmp-type 8", False),
        ("-m conntrack --ctstate RELATED,ESTABLISHED", False),
        ("-m conntrack --ctstate NEW,INVALID", True),
        ("-m state ! --state NEW", False),
        ("-m conntrack --ctstate NEW --ctdir REPLY", False),
        ("-m addrtype --dst-type LOCAL", False),
        ("-m addrtype ! --dst-type LOCAL --limit-iface-in", True),
        ("-m addrtype --dst-type BROADCAST,UNICAST", True),
        ("-m iprange --dst-range 203.0.113.1-203.0.113.20", True),
        ("-m iprange ! --dst-range 203.0.113.1-203.0.113.20", False),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", True),
        ("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", False),
        ("-p tcp -m tcp --tcp-flags ALL NONE", False),
        ("-m mark --mark 0x1/0xff", False),
        ("-m mark ! --mark 0x1", True),
        ("-f", False),
        ("! -f", True),
        ("-m rpfilter --validmark --invert", False),
        ("-m rpfilter --loose", True),
        ('-m comment --comment "-d 10.0.0.0/8 \\"! no\\""', True),
        ("-m comment --comment -x", True),
        ("-m limit --limit 3/min --limit-burst 10", None),
        ("-m owner --uid-owner 1000", None),
        ("-m set --match-set blocked dst", None),
        ("-m physdev --physdev-is-bridged", None),
        ("-m rt --rt-type 0", False),
        ("-m socket", None),
        ("--what-is-this 1 2", None),
        ("-m limit --limit 3/min -d 10.0.0.0/8", False),
    ],
)
def test_what_a_rule_asks(rule: str, answer: Answer) -> None:
    assert holds(rule) is answer


def test_ipv6_addresses() -> None:
    packet = Packet("output", Endpoint("2001:db8::10", "tcp", 443), outgoing="eth0")
    assert holds("-d 2001:db8::/32 -m addrtype --src-type LOCAL", packet, "6") is True
    assert holds("-d 2001:db8::11/128", packet, "6") is False
    assert holds("-i eth0", packet, "6") is False


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        ("-j REJECT --reject-with tcp-reset", "drop"),
        ('-j LOG --log-prefix "-j DROP "', "continue"),
        ("-j MARK --set-xmark 0x1/0xffffffff", "mark"),
        ("-j NFQUEUE --queue-num 0", "unknown"),
        ("-j OTHER", "jump"),
        ("-g OTHER", "goto"),
        ("-j RETURN", "return"),
        ("", "continue"),
    ],
)
def test_targets(target: str, verdict: str) -> None:
    (table,) = parse(f"*filter\n:X - [0:0]\n:OTHER - [0:0]\n-A X -p tcp {target}\nCOMMIT\n", "nft", "4")
    assert [rule.verdict for rule in table.chains["X"].rules] == [verdict]


def test_words_with_quotes() -> None:
    assert options('! -s 10.0.0.1/32 -m comment --comment "a \\"b\\" -j c" -j DROP') == [
        (True, "-s", ["10.0.0.1/32"]),
        (False, "-m", ["comment"]),
        (False, "--comment", ['a "b" -j c']),
        (False, "-j", ["DROP"]),
    ]


WORDS = st.sampled_from(
    '-A -j -g ! -d -s -i -p -m --dport --tcp-flags --mark --comment " *filter :X COMMIT X 10.0.0.1/33 / - tcp'.split()
)


@settings(max_examples=300)
@given(st.lists(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=8).map(" ".join), max_size=8).map("\n".join))
def test_nothing_makes_it_fail(text: str) -> None:
    for table in parse(f"*filter\n:X - [0:0]\n{text}\n", "legacy", "4"):
        for chain in table.chains.values():
            for rule in chain.rules:
                every(test({**facts(CONTAINER), **tracking(Chain("X"))}) for test in rule.tests)
    iptables_permission.current(text)


def block(hook: str, chain: str) -> Block:
    return Block("iptables", Packet(hook, API), ("nft", "4", chain), "")


def test_permission_from_nothing_and_back() -> None:
    desired = iptables_permission.desired([API], [block("output", "OUTPUT"), block("forward", "DOCKER-USER")], 4)
    rules = [
        "-d 203.0.113.10/32 -p tcp -m tcp --dport 443 -j ACCEPT",
        "-s 203.0.113.10/32 -p tcp -m tcp --sport 443 -m conntrack --ctstate ESTABLISHED -j ACCEPT",
    ]
    assert desired == Permission(rules, {"OUTPUT": [JUMP], "DOCKER-USER": [JUMP]})
    text = iptables_permission.script(Permission(), desired)
    assert text.splitlines() == [
        "*filter",
        ":BW-SELFHOST-EGRESS - [0:0]",
        *(f"-A BW-SELFHOST-EGRESS {rule}" for rule in rules),
        f"-I OUTPUT 1 {JUMP}",
        f"-I DOCKER-USER 1 {JUMP}",
        "COMMIT",
    ]
    assert iptables_permission.script(desired, desired) == ""
    assert iptables_permission.script(desired, Permission()).splitlines() == [
        "*filter",
        f"-D OUTPUT {JUMP}",
        f"-D DOCKER-USER {JUMP}",
        "-F BW-SELFHOST-EGRESS",
        "-X BW-SELFHOST-EGRESS",
        "COMMIT",
    ]


def test_no_answers_are_let_through_where_only_the_host_is_blocked() -> None:
    assert len(iptables_permission.desired([API], [block("output", "OUTPUT")], 4).rules or ()) == 1


def test_no_chain_for_a_family_without_addresses() -> None:
    assert iptables_permission.desired([API], [block("output", "OUTPUT")], 6) == Permission()


def test_only_what_differs_is_written() -> None:
    before = Permission(["-d 203.0.113.9/32 -p tcp -m tcp --dport 443 -j ACCEPT"], {"OUTPUT": [JUMP, JUMP], "FORWARD": [JUMP]})
    after = Permission(["-d 203.0.113.10/32 -p tcp -m tcp --dport 443 -j ACCEPT"], {"OUTPUT": [JUMP], "FORWARD": [JUMP]})
    assert iptables_permission.script(before, after).splitlines()[1:-1] == [
        f"-D BW-SELFHOST-EGRESS {(before.rules or [''])[0]}",
        f"-A BW-SELFHOST-EGRESS {(after.rules or [''])[0]}",
        f"-D OUTPUT {JUMP}",
        f"-D OUTPUT {JUMP}",
        f"-I OUTPUT 1 {JUMP}",
    ]
    assert [(change.name, change.action) for change in iptables_permission.plan("iptables", before, after).changes] == [
        ("iptables BW-SELFHOST-EGRESS", "update"),
        ("iptables OUTPUT", "update"),
    ]


def test_the_same_rule_in_other_words_is_the_same() -> None:
    before = Permission(
        ["-d 203.0.113.10 -p tcp --dport 443 -j ACCEPT"], {"OUTPUT": ["-m comment --comment x -j BW-SELFHOST-EGRESS"]}
    )
    after = iptables_permission.desired([API], [block("output", "OUTPUT")], 4)
    assert iptables_permission.script(before, after) == ""
    assert not iptables_permission.plan("iptables", before, after).changed


def test_a_jump_below_a_block_is_moved() -> None:
    now = iptables_permission.desired([API], [block("output", "OUTPUT")], 4)
    assert iptables_permission.script(now, now, {"OUTPUT"}).splitlines()[1:-1] == [f"-D OUTPUT {JUMP}", f"-I OUTPUT 1 {JUMP}"]
    (change,) = iptables_permission.plan("iptables", now, now, {"OUTPUT"}).changes
    assert (change.before, change.after) == ({"place": "below a rule that blocks"}, {"place": "top"})


def test_what_is_there_is_read_back() -> None:
    table = f":OUTPUT DROP [1:2]\n:BW-SELFHOST-EGRESS - [0:0]\n-A OUTPUT {JUMP}\nCOMMIT\n"
    text = f"*raw\n:BW-SELFHOST-EGRESS - [0:0]\nCOMMIT\n*filter\n{table}"
    assert iptables_permission.current(text) == Permission([], {"OUTPUT": [JUMP]})
    assert iptables_permission.current(text).as_dict() == {"chain": "BW-SELFHOST-EGRESS", "rules": [], "jumps": ["OUTPUT"]}
    assert iptables_permission.current("*filter\n:OUTPUT DROP [1:2]\nCOMMIT\n").as_dict() == {}
