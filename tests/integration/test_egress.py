# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every engine, with real rules and real packets, through the module as Ansible runs it."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.hosts import Bare, World
from tests.hosts.world import FORBIDDEN
from tests.integration.egress_hosts import CLOUD, EVERYWHERE, FIREWALLS, NFTABLES, reached

pytestmark = pytest.mark.network_namespace
STATE = "/var/lib/bw-selfhost/egress.json"
REFUSING_NFT = """#!/bin/sh
case " $* " in *" list "*) exec /usr/sbin/nft "$@";; esac
echo "Error: Could not process rule: Operation not supported" >&2
exit 1
"""
PROGRAM = "/usr/local/lib/bw-selfhost/egress.pyz"


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("egress")) as world:
        yield world


@pytest.fixture(name="blocked", scope="module", params=FIREWALLS)
def _blocked(request: pytest.FixtureRequest, world: World) -> Bare:
    """A host behind one of the firewalls."""
    host: Bare = FIREWALLS[request.param](world)
    host.engine = request.param  # type: ignore[attr-defined]
    return host


@pytest.fixture(name="open_host", scope="module")
def _open_host(world: World) -> Bare:
    return world.bare("debian12")


def tree_of(host: Bare) -> list[str]:
    """All paths where anything of ours could be."""
    return sorted(host.run(["find", "/etc", "/usr/local", "/var/lib", "/run", "-printf", "%p %m\n"]).stdout.splitlines())


def test_blocked_then_allowed_then_as_before(blocked: Bare) -> None:
    engine = blocked.engine  # type: ignore[attr-defined]
    before = blocked.dump()
    files = tree_of(blocked)
    assert not any(reached(blocked, name) for name in (*CLOUD, FORBIDDEN))

    planned = blocked.module("egress", {"region": "us"}, check=True)
    assert not planned["failed"], planned
    assert (planned["failed"], planned["changed"], planned["engines"]) == (False, True, [engine]), planned
    assert blocked.dump() == before

    applied = blocked.module("egress", {"region": "us"})
    assert applied["changes"] == planned["changes"]
    assert applied["diff"] == planned["diff"]
    assert applied["reason"] == "blocked"
    for name in CLOUD:
        assert reached(blocked, name) == EVERYWHERE, blocked.dump()
    assert not reached(blocked, FORBIDDEN)

    allowed = blocked.dump()
    again = blocked.module("egress", {"region": "us"})
    assert (again["changed"], again["changes"], again["engines"]) == (False, [], [engine])
    assert blocked.dump() == allowed

    gone = blocked.module("egress", {"state": "absent"})
    assert gone["changed"]
    assert blocked.dump() == before
    assert not reached(blocked, CLOUD[0])
    assert tree_of(blocked) == files
    assert not blocked.module("egress", {"state": "absent"})["changed"]


@pytest.mark.parametrize("scope", ["host", "containers"])
def test_only_the_asked_scope_is_opened(blocked: Bare, scope: str) -> None:
    origin = {"host": "host", "containers": "container"}[scope]
    try:
        blocked.module("egress", {"region": "us", "scope": [scope]})
        assert reached(blocked, CLOUD[0]) == {place for place in EVERYWHERE if place[0] == origin}
    finally:
        blocked.module("egress", {"state": "absent"})


def refresh(host: Bare, arguments: str = "refresh") -> int:
    return host.run(["python3", "-I", PROGRAM, arguments], check=False).returncode


def test_dns_moves_and_the_old_address_stays_for_the_grace_time(world: World, blocked: Bare) -> None:
    name, old, new = CLOUD[0], world.dns[CLOUD[0]], ["203.0.113.99", "2001:db8::99"]
    blocked.module("egress", {"region": "us", "grace_time": 3600})
    try:
        world.dns[name] = new
        assert refresh(blocked) == 0
        assert reached(blocked, name) == EVERYWHERE
        world.dns[name] = old
        assert reached(blocked, name) == EVERYWHERE, "within the grace time"
        world.dns[name] = new
        state = json.loads(blocked.run(["cat", STATE]).stdout)
        known = state["state"]["known"][name]
        assert {address for address, gone in known.items() if gone} == set(old)
        for address in old:
            known[address] -= 3601  # an hour later
        blocked.write(STATE, json.dumps(state), 0o600)
        assert refresh(blocked) == 0
        assert reached(blocked, name) == EVERYWHERE
        world.dns[name] = old
        assert not reached(blocked, name)
    finally:
        world.dns[name] = old
        blocked.module("egress", {"state": "absent"})


def test_without_dns_nothing_is_lost(world: World, blocked: Bare) -> None:
    blocked.module("egress", {"region": "us"})
    allowed = blocked.dump()
    try:
        world.dns_stop()
        assert refresh(blocked) == 1
        assert blocked.dump() == allowed
        refused = blocked.module("egress", {"region": "us"})
        assert refused["failed"]
        assert "timeout" in refused["msg"]
        assert blocked.dump() == allowed
    finally:
        world.dns_start()
    assert refresh(blocked) == 0
    assert blocked.dump() == allowed
    blocked.module("egress", {"state": "absent"})


def test_nothing_blocks_then_nothing_changes(open_host: Bare) -> None:
    before = open_host.dump()
    result = open_host.module("egress", {"region": "us", "explain": True})
    assert (result["changed"], result["reason"], result["engines"]) == (False, "not_blocked", [])
    assert open_host.dump() == before
    assert any("api.bitwarden.com" in line and "203.0.113.10" in line for line in result["explanation_text"])


def test_european_region_and_declared_destination(world: World, open_host: Bare) -> None:
    open_host.run(["nft", "-f", "-"], input=NFTABLES)
    try:
        extra = [{"host": FORBIDDEN, "port": 8443, "reason": "declared"}]
        world.serve(8443)
        open_host.module("egress", {"region": "eu", "destinations": extra})
        assert reached(open_host, "api.bitwarden.eu") == EVERYWHERE
        assert not reached(open_host, "api.bitwarden.com")
        assert open_host.reaches(FORBIDDEN, port=8443) == "ok"
        assert open_host.reaches(FORBIDDEN) == "timeout"
        open_host.module("egress", {"region": "us"})
        assert reached(open_host, "api.bitwarden.com") == EVERYWHERE
        assert open_host.reaches(FORBIDDEN, port=8443) == "timeout"
    finally:
        open_host.module("egress", {"state": "absent"})
        open_host.run(["nft", "delete", "table", "inet", "filter"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"region": "us", "destinations": [{"host": "nowhere.example"}]}, ("nowhere.example", "nxdomain")),
        ({"region": "us", "destinations": [{"host": "inside.example"}]}, ("inside.example", "10.1.2.3", "allow_private")),
        ({"region": "us", "destinations": [{"host": "loop.example"}]}, ("loop.example", "127.0.0.1", "allow_private")),
        ({"region": "us", "destinations": [{"host": "https://x.example"}]}, ("host name",)),
        ({"region": "mars"}, ("region", "us, eu")),
        ({"region": "us", "engine": "ufw"}, ("ufw is not running", "engine: auto")),
        ({"region": "us", "engine": "firewalld"}, ("firewalld is not running",)),
        ({"region": "us", "engine": "iptables"}, ("nftables blocks", "policy drop", "engine: auto")),
        ({"region": "us", "proxy": "ftp://x"}, ("proxy",)),
    ],
    ids=lambda value: "",
)
def test_bad_input_is_refused_before_anything_is_changed(
    world: World, open_host: Bare, options: dict[str, t.Any], words: tuple[str, ...]
) -> None:
    world.dns.update({"inside.example": ["10.1.2.3"], "loop.example": ["127.0.0.1"]})
    open_host.run(["nft", "-f", "-"], input=NFTABLES)
    before = open_host.dump()
    try:
        result = open_host.module("egress", options)
        assert result["failed"]
        assert all(word in result["msg"] for word in words), result["msg"]
        assert open_host.dump() == before
    finally:
        open_host.run(["nft", "delete", "table", "inet", "filter"])


def test_only_root_may(world: World, open_host: Bare) -> None:
    payload = world.builder.build("egress", {"region": "us"})
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    result = json.loads(open_host.run([*nobody, "python3", "-"], input=payload, check=False).stdout)
    assert result["failed"]
    assert "Only root" in result["msg"]
    assert "become: true" in result["msg"]


def test_an_engine_that_is_not_installed(world: World) -> None:
    result = world.bare("debian13").module("egress", {"region": "us", "engine": "firewalld"})
    assert result["failed"]
    assert "firewalld is not installed" in result["msg"]


def test_a_rule_where_no_permission_may_go_is_named(open_host: Bare) -> None:
    rule = ["OUTPUT", "-d", "203.0.113.0/24", "-j", "DROP"]
    open_host.run(["iptables", "-t", "raw", "-A", *rule])
    try:
        before = open_host.dump()
        result = open_host.module("egress", {"region": "us"})
        assert result["failed"]
        assert "-A OUTPUT -d 203.0.113.0/24 -j DROP" in result["msg"]
        assert "Open it where it was made" in result["msg"]
        assert open_host.dump() == before
    finally:
        open_host.run(["iptables", "-t", "raw", "-D", *rule])


def test_dns_that_is_blocked_is_opened_first(world: World) -> None:
    host = world.bare("debian12")
    host.run(["nft", "-f", "-"], input=NFTABLES.replace("th dport 53", "th dport 54"))
    before = host.dump()
    planned = host.module("egress", {"region": "us"}, check=True)
    assert planned["changed"]
    assert "DNS is blocked" in str(planned["warnings"])
    assert host.dump() == before
    assert not host.module("egress", {"region": "us"})["failed"]
    assert reached(host, CLOUD[0]) == EVERYWHERE
    assert not host.module("egress", {"region": "us"})["changed"]
    host.module("egress", {"state": "absent"})
    assert host.dump() == before
    refused = host.module("egress", {"region": "us", "destinations": [{"host": "nowhere.example"}]})
    assert refused["failed"]
    assert host.dump() == before


def test_a_private_address_that_is_allowed(world: World, open_host: Bare) -> None:
    world.dns["inside.example"] = ["10.1.2.3"]
    options = {"region": "us", "destinations": [{"host": "inside.example"}], "allow_private": ["inside.example"]}
    assert not open_host.module("egress", options)["failed"]


def test_two_firewalls_at_once_are_explained(world: World) -> None:
    host = FIREWALLS["firewalld"](world)
    host.enable_ufw()
    result = host.module("egress", {"region": "us"})
    assert result["failed"]
    assert "ufw and firewalld are both active" in result["msg"]
    assert "Disable one" in result["msg"]


def test_syntax_that_the_kernel_does_not_know_is_named(world: World, open_host: Bare) -> None:
    """An older kernel without concatenated sets, as nft reports it."""
    open_host.run(["nft", "-f", "-"], input=NFTABLES)
    open_host.write("/usr/local/sbin/nft", REFUSING_NFT, 0o755)
    before = open_host.dump()
    try:
        for check in (True, False):
            result = open_host.module("egress", {"region": "us"}, check=check)
            assert result["failed"]
            assert "Operation not supported" in result["msg"]
            assert "kernel" in result["msg"]
            assert open_host.dump() == before
    finally:
        open_host.run(["rm", "/usr/local/sbin/nft"])
        open_host.run(["nft", "delete", "table", "inet", "filter"])


def test_info_names_the_rule_that_blocks(blocked: Bare) -> None:
    engine = blocked.engine  # type: ignore[attr-defined]
    info = blocked.module("egress_info", {"region": "us"})
    assert {block["engine"] for block in info["blocks"]} == {engine}
    assert {block["scope"] for block in info["blocks"]} == {"host", "containers"}
    assert all(block["rule"] and block["to"] for block in info["blocks"])
    assert {chain["hook"] for chain in info["chains"]} == {"output", "forward"}
    assert bool(info["docker_user"]) == (engine in ("iptables", "ufw"))
    mine = next(one for one in info["engines"] if one["name"] == engine)
    assert (mine["installed"], mine["active"], mine["blocks"], mine["present"]) == (True, True, True, {})
