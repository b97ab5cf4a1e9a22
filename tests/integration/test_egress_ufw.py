# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ufw with default deny outgoing, and real packets."""

from __future__ import annotations

import typing as t

import pytest

from tests.hosts import Bare, World
from tests.hosts.world import FORBIDDEN
from tests.integration.egress_driver import Driver, moments
from tests.integration.egress_hosts import CLOUD, EVERYWHERE, reached

pytestmark = pytest.mark.network_namespace
API, IDENTITY, PUSH = CLOUD
SCOPES = {"host": ["host"], "containers": ["container"]}
FILES = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("ufw")) as world:
        yield world


def blocked(world: World, distribution: str = "debian12", variant: str = "nft") -> Bare:
    """A host that lets nothing out, and containers neither: with Docker's rules or, for the legacy variant, without."""
    host = world.bare(distribution, docker_user=variant == "nft")
    for program in ("iptables", "ip6tables"):
        host.run(["update-alternatives", "--set", program, f"/usr/sbin/{program}-{variant}"])
    host.enable_ufw(docker_user=variant == "nft")
    return host


@pytest.fixture(name="host", scope="module")
def _host(world: World) -> Bare:
    return blocked(world)


@pytest.fixture(name="ufw")
def _ufw(host: Bare) -> t.Iterator[Driver]:
    """The engine on a host that is as before afterwards."""
    before = host.dump()
    ufw = Driver(host, "ufw")
    yield ufw
    ufw.run()
    assert host.dump() == before
    assert ufw.run()["commands"] == []


@pytest.mark.parametrize("scopes", [["host"], ["containers"], ["host", "containers"]], ids=" and ".join)
def test_opens_what_was_asked_for_and_nothing_else(ufw: Driver, scopes: list[str]) -> None:
    host, before = ufw.host, ufw.host.dump()
    assert not reached(host, API)
    planned = ufw.run(API, PUSH, scopes=scopes, apply=False)
    assert host.dump() == before

    applied = ufw.run(API, PUSH, scopes=scopes)
    assert applied["changes"] == planned["changes"]
    assert [change["name"] for change in applied["changes"]] == scopes
    opened = {place for place in EVERYWHERE for scope in scopes if place[0] in SCOPES[scope]}
    assert reached(host, API) == reached(host, PUSH) == opened
    assert not reached(host, IDENTITY) | reached(host, FORBIDDEN)
    again = ufw.run(API, PUSH, scopes=scopes)
    assert (again["changes"], again["commands"]) == ([], [])


@pytest.mark.parametrize(
    ("distribution", "variant"), [("debian12", "legacy"), ("debian13", "nft"), ("ubuntu2404", "nft")]
)  # fmt: skip
def test_other_variants_and_versions(world: World, distribution: str, variant: str) -> None:
    host = blocked(world, distribution, variant)
    before, ufw = host.dump(), Driver(host, "ufw")
    ufw.run(API)
    assert reached(host, API) == EVERYWHERE
    assert not reached(host, PUSH)
    assert ufw.run(API)["commands"] == []
    ufw.run()
    assert host.dump() == before


def test_entries_follow_the_wanted_addresses(ufw: Driver) -> None:
    ufw.run(API)
    changed = ufw.run(PUSH)
    assert {change["action"] for change in changed["changes"]} == {"update"}
    assert (reached(ufw.host, API), reached(ufw.host, PUSH)) == (set(), EVERYWHERE)


def test_stands_above_rules_that_deny_also_when_they_come_later(ufw: Driver) -> None:
    host = ufw.host
    host.run(["ufw", "deny", "out", "to", "203.0.113.0/24"])
    ufw.run(API)
    assert ("host", 4) in reached(host, API)
    host.run(["ufw", "prepend", "deny", "out", "to", "203.0.113.0/25"])
    assert ("host", 4) not in reached(host, API)
    moved = ufw.run(API)
    assert [(change["action"], change["name"]) for change in moved["changes"]] == [("update", "order")]
    assert reached(host, API) == EVERYWHERE
    assert ufw.run(API)["commands"] == []
    host.run(["ufw", "--force", "delete", "deny", "out", "to", "203.0.113.0/25"])
    host.run(["ufw", "--force", "delete", "deny", "out", "to", "203.0.113.0/24"])


# What administrators do; ufw writes its files and rules anew for each.
DAILY = (
    ["reload"],
    ["allow", "8080/tcp"],
    ["--force", "delete", "allow", "8080/tcp"],
    ["logging", "medium"],
    ["logging", "low"],
    ["disable"],
    ["--force", "enable"],
)


def test_survives_ufws_own_commands(world: World) -> None:
    host = blocked(world)
    for command in DAILY:
        host.run(["ufw", *command])
    before, ufw = host.dump(), Driver(host, "ufw")
    ufw.run(API)
    for command in DAILY:
        host.run(["ufw", *command])
        if command != ["disable"]:
            assert reached(host, API) == EVERYWHERE
            assert ufw.run(API)["commands"] == []
    shown = host.run(["ufw", "status", "numbered"]).stdout
    assert shown.count("# bw.selfhost:egress") == 8, shown
    ufw.run()
    assert host.dump() == before


def test_ufws_own_delete_takes_ours_away(ufw: Driver) -> None:
    ufw.run(API, scopes=["host"])
    for address in ufw.host.world.dns[API]:
        ufw.host.run(["ufw", "--force", "delete", "allow", "out", "proto", "tcp", "to", address, "port", "443"])
    assert not reached(ufw.host, API)


def test_rules_that_are_not_loaded_are_loaded(ufw: Driver) -> None:
    ufw.run(API)
    ufw.host.run(["iptables", "-F", "ufw-user-output"])
    assert ("host", 4) not in reached(ufw.host, API)
    assert [change["name"] for change in ufw.run(API)["changes"]] == ["order"]
    assert reached(ufw.host, API) == EVERYWHERE


def test_the_administrators_own_rule_stays_his(ufw: Driver) -> None:
    host = ufw.host
    rule = ["allow", "out", "proto", "tcp", "to", "203.0.113.10", "port", "443"]
    host.run(["ufw", *rule])
    before = host.dump()
    assert "203.0.113.10:443/tcp" not in ufw.run(API)["present"]["host"]
    assert reached(host, API) == EVERYWHERE
    ufw.run()
    assert host.dump() == before
    host.run(["ufw", "--force", "delete", *rule])


def test_other_rules_keep_their_counters(ufw: Driver) -> None:
    def counted() -> list[str]:
        saved = ufw.host.run(["iptables-save", "-c"]).stdout
        return [line for line in saved.splitlines() if "ufw-user-input -p tcp -m tcp --dport 22 " in line]

    management = ufw.host.world.management(ufw.host)
    assert management.alive()
    before = counted()
    assert before
    assert "[0:0]" not in before[0]
    ufw.run(API)
    ufw.run()
    assert counted() == before


def test_a_change_in_the_meantime_is_not_overwritten(ufw: Driver) -> None:
    host = ufw.host
    text = host.run(["cat", FILES[4]]).stdout
    before = host.dump()
    error = ufw.run(API, meddle=True)["error"]
    assert "checksum" in error
    assert host.run(["cat", FILES[4]]).stdout == f"{text}# a note\n"
    host.run(["tee", FILES[4]], input=text)
    assert host.dump() == before
    assert not reached(host, API)


def test_killed_at_any_moment_everything_or_nothing(ufw: Driver) -> None:
    host = ufw.host
    old = host.dump()
    ufw.run(*CLOUD)
    new = host.dump()
    ufw.run()
    seen: set[bool] = set()
    for hundredth in moments(range(0, 36, 3), seen):
        ufw.killed(hundredth / 100, *CLOUD)
        found = host.dump()
        assert found in (old, new)
        seen.add(found == new)
        ufw.run()
    assert seen == {False, True}


def test_switched_off_the_files_are_cleaned_all_the_same(world: World) -> None:
    host = blocked(world)
    before, ufw = host.dump(), Driver(host, "ufw")
    ufw.run(API)
    host.run(["ufw", "disable"])
    done = ufw.run()
    assert (done["active"], done["present"]) == (False, {})
    host.run(["ufw", "--force", "enable"])
    assert host.dump()["/etc/ufw"] == before["/etc/ufw"]
    assert not reached(host, API)
