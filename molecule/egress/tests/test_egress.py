"""What passes after the role has run twice, and what becomes of it in the life of a server."""

from __future__ import annotations

import typing as t

import pytest
from testinfra.host import Host

from tests.hosts import Booted, World
from tests.hosts.waiting import until
from tests.hosts.world import FORBIDDEN
from tests.integration.egress_hosts import EVERYWHERE, reached

OnAll = t.Callable[[t.Callable[[str, Booted], t.Any]], None]
CLOUD = ("api.bitwarden.eu", "identity.bitwarden.eu", "push.bitwarden.eu")
# Addresses of the name that every host has for itself.
OLD, NEW = ["203.0.113.40", "2001:db8::40"], ["203.0.113.41", "2001:db8::41"]
PATIENCE = 60  # seconds, for eight hosts on two cores
# What an administrator of each engine does to load the rules again.
RELOAD = {
    # Debian's file begins with "flush ruleset", which takes Docker's rules along.
    "nftables": ["sh", "-c", "systemctl reload nftables && systemctl restart docker"],
    "iptables": ["systemctl", "restart", "firewall"],
    "ufw": ["ufw", "reload"],
    "firewalld": ["firewall-cmd", "--reload"],
}
EVENTS: dict[str, t.Callable[[str, Booted], t.Any]] = {
    "new networks": lambda _name, there: there.recreate_networks(),
    "docker restart": lambda _name, there: there.run(["systemctl", "restart", "docker"]),
    "reload": lambda name, there: there.run(RELOAD[name.rpartition("-")[2]]),
    "reboot": lambda _name, there: there.reboot(),
}


def passes(there: Booted) -> bool:
    """Whether the cloud is reached from everywhere, and nothing else from anywhere."""
    return all(reached(there, name) == EVERYWHERE for name in CLOUD) and not reached(there, FORBIDDEN)


def test_units_are_enabled(host: Host) -> None:
    assert host.service("bw-selfhost-egress-refresh.timer").is_running
    assert host.service("bw-selfhost-egress.service").is_enabled
    assert host.file("/var/lib/bw-selfhost/egress.json").mode == 0o600


def test_cloud_passes_and_nothing_else(on_all: OnAll) -> None:
    on_all(lambda _name, there: until(lambda: passes(there), "the cloud", PATIENCE))


@pytest.mark.parametrize("event", EVENTS)
def test_it_stays(event: str, on_all: OnAll) -> None:
    def happens(name: str, there: Booted) -> None:
        EVENTS[event](name, there)
        there.wait_until_running()
        until(lambda: passes(there), f"the permission after {event}", PATIENCE)

    on_all(happens)


def test_it_follows_dns(world: World, on_all: OnAll) -> None:
    def moves(name: str, there: Booted) -> None:
        world.resolve(f"{name}.example", NEW)
        until(lambda: reached(there, f"{name}.example") == EVERYWHERE, "the timer", PATIENCE)
        world.resolve(f"{name}.example", OLD)
        until(lambda: reached(there, f"{name}.example") == EVERYWHERE, "the old addresses within the grace time", PATIENCE)

    on_all(moves)


def test_absent_leaves_no_trace(on_all: OnAll) -> None:
    def goes(_name: str, there: Booted) -> None:
        there.module("egress", {"state": "absent"})
        before = there.dump()
        assert not any(reached(there, name) for name in (*CLOUD, FORBIDDEN))
        applied = there.module("egress", {"region": "eu"})
        assert not applied["failed"], applied
        until(lambda: passes(there), "the permission", PATIENCE)
        there.module("egress", {"state": "absent"})
        assert there.dump() == before
        assert not there.run(["systemctl", "list-unit-files", "--no-legend", "bw-selfhost*"], check=False).stdout

    on_all(goes)
