# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""firewalld with policies that reject, and real packets."""

from __future__ import annotations

import typing as t

import pytest

from tests.hosts import Bare, World
from tests.hosts.waiting import until
from tests.hosts.world import FORBIDDEN
from tests.integration.egress_driver import Driver, moments
from tests.integration.egress_hosts import CLOUD, EVERYWHERE, firewalld as blocked, reached

pytestmark = pytest.mark.network_namespace
API, IDENTITY, PUSH = CLOUD
POLICIES = {"host": "bw-selfhost-host", "containers": "bw-selfhost-fwd"}
ORIGINS = {"host": "host", "containers": "container"}
SETS = ["bw-selfhost-4", "bw-selfhost-6"]


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    with World(tmp_path_factory.mktemp("firewalld")) as world:
        yield world


@pytest.fixture(name="host", scope="module")
def _host(world: World) -> Bare:
    return blocked(world)


@pytest.fixture(name="firewalld")
def _firewalld(host: Bare) -> t.Iterator[Driver]:
    """The engine on a host that is as before afterwards."""
    before = host.dump()
    firewalld = Driver(host, "firewalld")
    yield firewalld
    firewalld.run()
    assert host.dump() == before
    assert firewalld.run()["commands"] == []


def names(done: dict[str, t.Any]) -> list[str]:
    return [change["name"] for change in done["changes"]]


@pytest.mark.parametrize("scopes", [["host"], ["containers"], ["host", "containers"]], ids=" and ".join)
def test_opens_what_was_asked_for_and_nothing_else(firewalld: Driver, scopes: list[str]) -> None:
    host, before = firewalld.host, firewalld.host.dump()
    assert not reached(host, API)
    planned = firewalld.run(API, PUSH, scopes=scopes, apply=False)
    assert host.dump() == before

    applied = firewalld.run(API, PUSH, scopes=scopes)
    assert applied["changes"] == planned["changes"]
    assert names(applied) == [*SETS, *(POLICIES[scope] for scope in scopes), "reload"]
    opened = {(ORIGINS[scope], family) for scope in scopes for family in (4, 6)}
    assert reached(host, API) == reached(host, PUSH) == opened
    assert not reached(host, IDENTITY) | reached(host, FORBIDDEN)
    again = firewalld.run(API, PUSH, scopes=scopes)
    assert (again["changes"], again["commands"]) == ([], [])


def test_addresses_change_without_a_reload(firewalld: Driver) -> None:
    host = firewalld.host
    firewalld.run(API)
    host.run(["firewall-cmd", "--zone=public", "--add-port=8080/tcp"])  # what a reload would lose
    changed = firewalld.run(PUSH)
    assert names(changed) == SETS
    assert "--reload" not in str(changed["commands"])
    assert (reached(host, API), reached(host, PUSH)) == (set(), EVERYWHERE)
    assert firewalld.run(PUSH)["commands"] == []
    assert host.run(["firewall-cmd", "--zone=public", "--query-port=8080/tcp"]).stdout == "yes\n"
    host.run(["firewall-cmd", "--reload"])
    assert reached(host, PUSH) == EVERYWHERE
    assert firewalld.run(PUSH)["commands"] == []


def test_entries_that_somebody_changed_are_put_right(firewalld: Driver) -> None:
    host = firewalld.host
    firewalld.run(API)
    host.run(["firewall-cmd", "--ipset=bw-selfhost-4", "--remove-entry=203.0.113.10,tcp:443"])
    host.run(["firewall-cmd", "--permanent", "--ipset=bw-selfhost-6", "--add-entry=2001:db8::66,tcp:443"])
    done = firewalld.run(API)
    assert [(change["name"], [*change["after"]]) for change in done["changes"]] == [
        ("bw-selfhost-4", ["runtime"]),
        ("bw-selfhost-6", ["permanent"]),
    ]
    host.run(["firewall-cmd", "--reload"])
    assert reached(host, API) == EVERYWHERE
    assert not reached(host, FORBIDDEN)
    # firewalld kept a copy of the file that it has rewritten; the fixture sees that it is gone in the end


def test_comes_before_policies_of_a_very_low_priority(firewalld: Driver) -> None:
    host = firewalld.host
    early = "--policy=early"
    host.run(["firewall-cmd", "--permanent", "--new-policy=early"])
    for option in ("--add-ingress-zone=HOST", "--add-egress-zone=ANY", "--set-priority=-32000", "--set-target=DROP"):
        host.run(["firewall-cmd", "--permanent", early, option])
    host.run(["firewall-cmd", "--permanent", early, "--add-protocol=ipv6-icmp"])
    firewalld.run(API)
    assert reached(host, API) == EVERYWHERE
    assert not reached(host, FORBIDDEN)
    host.run(["firewall-cmd", "--permanent", "--delete-policy=early"])
    host.run(["rm", "/etc/firewalld/policies/early.xml.old"])


def test_a_reload_leaves_the_rules_of_iptables_as_they_were(world: World) -> None:
    host = blocked(world)
    rules = "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER {} -j DROP\nCOMMIT\n"
    host.run(["iptables-restore", "--noflush"], input=rules.format("-d 203.0.113.66/32"))
    host.run(["ip6tables-restore", "--noflush"], input=rules.format("-d 2001:db8::66/128"))
    before, firewalld = host.dump(), Driver(host, "firewalld")
    for names_ in ([API], []):
        assert names(firewalld.run(*names_))[-1] == "reload"
        assert {part: host.dump()[part] for part in ("iptables", "ip6tables")} == {
            part: before[part] for part in ("iptables", "ip6tables")
        }


def test_panic_is_named(firewalld: Driver) -> None:
    host = firewalld.host
    before = host.dump()
    host.run(["firewall-cmd", "--panic-on"])
    error = firewalld.run(API)["error"]
    host.run(["firewall-cmd", "--panic-off"])
    assert "panic" in error
    assert host.dump() == before


def test_killed_at_any_moment_everything_or_nothing(firewalld: Driver) -> None:
    host = firewalld.host
    old = host.dump()
    firewalld.run(*CLOUD)
    new = host.dump()
    firewalld.run()
    seen: set[bool] = set()
    for tenth in moments(range(6), seen):
        firewalld.killed(tenth / 10, *CLOUD)
        found = host.dump()
        assert found in (old, new)
        seen.add(found == new)
        firewalld.run()
    assert seen == {False, True}


def test_stopped_the_files_are_cleaned_all_the_same(world: World) -> None:
    host = blocked(world)
    before, firewalld = host.dump(), Driver(host, "firewalld")
    firewalld.run(API)
    host.run(["pkill", "-x", "firewalld"])
    until(lambda: not firewalld.run(apply=False)["active"], "the end of firewalld")
    done = firewalld.run()
    assert names(done) == [*SETS, *POLICIES.values()]
    assert host.dump()["/etc/firewalld"] == before["/etc/firewalld"]
    assert firewalld.run()["commands"] == []
