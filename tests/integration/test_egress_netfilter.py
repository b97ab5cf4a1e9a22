# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engines nftables and iptables alone, on real kernels' rules with real packets."""

from __future__ import annotations

import contextlib
import itertools
import re
import subprocess
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hosts import Bare, World
from tests.hosts.waiting import until
from tests.hosts.world import FORBIDDEN
from tests.integration.egress_driver import Driver
from tests.integration.egress_hosts import EVERYWHERE, reached

pytestmark = pytest.mark.network_namespace

API, PUSH = "api.bitwarden.com", "push.bitwarden.com"
# Whose new traffic is dropped: the host's own, that of containers, or both.
WHOSE = (("host",), ("container",), ("host", "container"))
ANSWERS = "ct state established,related accept\n meta l4proto ipv6-icmp accept"
NFT_CHAIN = {
    "host": f"chain output {{\n type filter hook output priority filter; policy drop;\n {ANSWERS}\n counter\n }}\n",
    "container": f"chain forward {{\n type filter hook forward priority filter; policy drop;\n {ANSWERS}\n counter\n }}\n",
}
# Without policies: the drop stands in another chain, and separate tables for both families.
NFT_NESTED = {
    "host": "chain output {{\n type filter hook output priority -5;\n {answers}\n jump rest\n }}\n",
    "container": "chain forward {{\n type filter hook forward priority -5;\n {answers}\n jump rest\n }}\n",
}
NFT_REST = 'chain rest {\n counter drop comment "everything else"\n }\n'
IPTABLES = {
    "host": ":OUTPUT DROP [0:0]\n-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A OUTPUT -p {icmp} -j ACCEPT\n",
    "container": '-I {place} 1 -i br-+ ! -o br-+ -m comment --comment "-j ACCEPT, or not" -j DROP\n',
}


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("netfilter")) as world:
        yield world


def nft(host: Bare, whose: t.Sequence[str]) -> None:
    host.run(["nft", "-f", "-"], input=f"table inet filter {{\n{''.join(NFT_CHAIN[one] for one in whose)}}}\n")


def nft_nested(host: Bare, whose: t.Sequence[str]) -> None:
    for family in ("ip", "ip6"):
        answers = ANSWERS if family == "ip6" else ANSWERS.splitlines()[0]
        chains = NFT_REST + "".join(NFT_NESTED[one].format(answers=answers) for one in whose)
        host.run(["nft", "-f", "-"], input=f"table {family} strict {{\n{chains}}}\n")


def iptables(host: Bare, whose: t.Sequence[str], variant: str, place: str) -> None:
    for program, icmp in (("iptables", "icmp"), ("ip6tables", "ipv6-icmp")):
        rules = "".join(IPTABLES[one].format(icmp=icmp, place=place) for one in whose)
        host.run([f"{program}-{variant}-restore", "--noflush"], input=f"*filter\n{rules}COMMIT\n")


# name -> engine, whether Docker's chains are there, and how the rules are made
def nft_named_like_iptables(host: Bare, whose: t.Sequence[str]) -> None:
    """Tables as C(iptables-restore-translate) would make them, with sets that iptables does not know."""
    for family, address in (("ip", "203.0.113.53"), ("ip6", "2001:db8::53")):
        chains = (
            "".join(NFT_CHAIN[one] for one in whose)
            .replace("chain output", "chain OUTPUT")
            .replace("chain forward", "chain FORWARD")
        )
        rule = f"{family} daddr {{ {address} }} udp dport 53 counter accept\n counter\n }}"
        text = chains.replace("counter\n }", rule)
        host.run(["nft", "-f", "-"], input=f"table {family} filter {{\n{text}}}\n")


FIREWALLS: dict[str, tuple[str, bool, t.Callable[[Bare, t.Sequence[str]], None]]] = {
    "nftables": ("nftables", False, nft),
    "nftables beside Docker": ("nftables", True, nft_nested),
    "nftables with names of iptables": ("nftables", False, nft_named_like_iptables),
    "iptables-nft": ("iptables", False, lambda host, whose: iptables(host, whose, "nft", "FORWARD")),
    "iptables-nft with Docker": ("iptables", True, lambda host, whose: iptables(host, whose, "nft", "DOCKER-USER")),
    "iptables-legacy": ("iptables", False, lambda host, whose: iptables(host, whose, "legacy", "FORWARD")),
}


def blocked(world: World, name: str, whose: t.Sequence[str], distribution: str = "debian12") -> tuple[Bare, Driver]:
    engine, docker, block = FIREWALLS[name]
    host = world.bare(distribution, docker_user=docker)
    block(host, whose)
    return host, Driver(host, engine)


def counted(host: Bare) -> list[int]:
    """Return what others' rules have counted, in their order."""
    text = host.run(["sh", "-c", "nft list ruleset; iptables-legacy-save -c; ip6tables-legacy-save -c"]).stdout
    foreign = re.sub(r"chain BW-SELFHOST.*?\}", "", text, flags=re.DOTALL)
    lines = [line for line in foreign.splitlines() if not re.search("bw.selfhost|BW-SELFHOST", line)]
    return [int(found[1]) for line in lines if (found := re.search(r"(?:counter packets |^\[)(\d+)", line))]


def reach(host: Bare, *names: str) -> list[set[tuple[str, int]]]:
    """Return from where each name is reached, all tried at the same time."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda name: reached(host, name), names))


@pytest.mark.parametrize("whose", WHOSE, ids="+".join)
@pytest.mark.parametrize("name", FIREWALLS)
def test_opens_exactly_what_is_blocked(world: World, name: str, whose: tuple[str, ...]) -> None:
    host, driver = blocked(world, name, whose)
    before = host.dump()
    still_open = {place for place in EVERYWHERE if place[0] not in whose}
    assert reach(host, API) == [still_open]

    planned = driver.run(API, apply=False)
    assert planned["error"] is None
    assert planned["changes"]
    assert host.dump() == before

    count = counted(host)
    assert any(count), "nothing to see"
    assert driver.run(API)["changes"] == planned["changes"]
    assert all(old <= new for old, new in zip(count, counted(host), strict=True)), "the counters of others were reset"
    assert reach(host, API, PUSH, FORBIDDEN) == [EVERYWHERE, still_open, still_open]

    allowed = host.dump()
    again = driver.run(API)
    assert (again["changes"], again["commands"]) == ([], [])
    assert host.dump() == allowed

    changed = driver.run(PUSH)
    assert {change["action"] for change in changed["changes"]} == {"update"}
    assert reach(host, API, PUSH) == [still_open, EVERYWHERE]

    driver.run()
    assert host.dump() == before
    assert driver.run()["changes"] == []


@pytest.mark.parametrize("distribution", ["debian13", "ubuntu2404"])
@pytest.mark.parametrize("name", ["nftables", "iptables-nft with Docker"])
def test_other_versions_of_the_programs(world: World, name: str, distribution: str) -> None:
    host, driver = blocked(world, name, ("host", "container"), distribution)
    before = host.dump()
    assert driver.run(API)["error"] is None
    assert reach(host, API) == [EVERYWHERE]
    assert driver.run(API)["commands"] == []
    driver.run()
    assert host.dump() == before


# The administrator's chains accept nothing that is established, so that answers need a permission, too.
STRICT = """
table inet filter {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ip6 nexthdr ipv6-icmp accept
    }
}
"""


def test_answers_to_containers_pass(world: World) -> None:
    host = world.bare("debian12")
    host.run(["nft", "-f", "-"], input=STRICT)
    Driver(host, "nftables").run(API)
    assert reach(host, API, FORBIDDEN) == [EVERYWHERE, {("host", 4), ("host", 6)}]

    host = world.bare("debian12", docker_user=True)
    for program in ("iptables", "ip6tables"):
        host.run([program, "-I", "DOCKER-USER", "-p", "tcp", "-j", "DROP"])
    Driver(host, "iptables").run(API)
    assert reach(host, API, FORBIDDEN) == [EVERYWHERE, {("host", 4), ("host", 6)}]


def test_an_nftables_rule_below_a_block_is_moved_and_nothing_else(world: World) -> None:
    host, driver = blocked(world, "nftables", ("host",))
    driver.run(API)
    good = host.dump()
    host.run(["nft", "insert", "rule", "inet", "filter", "output", 'tcp dport 443 drop comment "late"'])
    late = '\t\ttcp dport 443 drop comment "late"\n'
    assert reach(host, API) == [{("container", 4), ("container", 6)}]
    assert [change["name"] for change in driver.run(API)["changes"]] == ["inet filter output"]
    assert reach(host, API) == [EVERYWHERE]
    assert late in host.dump()["nft"]
    assert host.dump()["nft"].replace(late, "") == good["nft"]


def test_an_iptables_jump_below_a_block_is_moved_and_nothing_else(world: World) -> None:
    host, driver = blocked(world, "iptables-nft", ("host",))
    driver.run(API)
    good = host.dump()
    host.run(["iptables", "-I", "OUTPUT", "-p", "tcp", "--dport", "443", "-j", "DROP"])
    late = "-A OUTPUT -p tcp -m tcp --dport 443 -j DROP\n"
    assert [change["name"] for change in driver.run(API)["changes"]] == ["iptables OUTPUT"]
    assert reach(host, API) == [EVERYWHERE]
    assert host.dump()["iptables"].replace(late, "") == good["iptables"]


def test_rules_that_are_gone_need_no_removal(world: World) -> None:
    host, driver = blocked(world, "nftables", ("host", "container"))
    driver.run(API)
    host.run(["nft", "flush", "ruleset"])
    empty = host.dump()
    assert driver.run()["changes"] == []
    assert host.dump() == empty


def test_a_set_that_somebody_uses_is_not_torn_away(world: World) -> None:
    host, driver = blocked(world, "nftables", ("host",))
    driver.run(API)
    host.run(["nft", "add", "rule", "inet", "filter", "output", "ip daddr . meta l4proto . th dport @bw_selfhost_4 log"])
    before = host.dump()
    refused = driver.run()
    assert "busy" in refused["error"]
    assert refused["error"].startswith("nft: ")
    assert host.dump() == before


# Stands in for a program until somebody lets it go on: the moment at which the caller is killed.
WAITING = """#!/bin/sh
case " $* " in
*" -c "*|*" --test "*|*" list "*) ;;
*) echo > /run/applying; until [ -e /run/go ]; do sleep 0.01; done ;;
esac
exec /usr/sbin/{program} "$@"
"""


@pytest.mark.parametrize(("name", "program"), [("nftables", "nft"), ("iptables-nft", "iptables-nft-restore")])
def test_a_kill_while_rules_are_applied_does_not_tear_them(world: World, name: str, program: str) -> None:
    host, driver = blocked(world, name, ("host", "container"))
    before = host.dump()
    host.write(f"/usr/local/sbin/{program}", WAITING.format(program=program), 0o755)
    running = driver.start(API)
    until(lambda: host.run(["test", "-e", "/run/applying"], check=False).returncode == 0, "the moment")
    running.kill()
    running.wait()
    assert host.dump() == before
    host.write("/run/go", "")
    until(lambda: driver.run(API, apply=False)["changes"] == [], "the rest of the work")
    assert reach(host, API) == [EVERYWHERE]


@pytest.mark.parametrize("name", ["nftables", "iptables-nft", "iptables-legacy"])
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_rules(world: World, name: str) -> None:
    host, driver = blocked(world, name, ("host", "container"))
    driver.run(PUSH)
    old = rules(host)
    start = time.monotonic()
    driver.run(API)
    whole = time.monotonic() - start
    states = {API: rules(host), PUSH: old}
    goals = itertools.cycle((PUSH, API))
    for moment in range(16):
        running = driver.start(next(goals))
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(whole * (moment + 1) / 16)
        running.kill()
        running.wait()
        until(lambda: host.run(["pgrep", "-f", "^sh /proc/self/fd"], check=False).returncode == 1, "the end of what was begun")
        # What was killed between fork and exec had no name to be found by, and may begin only now.
        until(lambda: rules(host) in states.values(), "the old or the new state")


def rules(host: Bare) -> dict[str, t.Any]:
    """Return all rules; sets and our own chain have no order."""
    return {part: sorted(re.split(r"[,\n]\s*", text)) for part, text in host.dump().items() if "tables" in part or part == "nft"}
