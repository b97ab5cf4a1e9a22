# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From destinations and DNS answers to the endpoints that a firewall must let through."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Endpoint

DNS_PORT = 53
# Addresses that a public service never has: a name that resolves to one is a mistake or an attack, unless it was expected.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/3 "
        "::/127 ::ffff:0:0/96 fc00::/7 fe80::/10 ff00::/8"
    ).split()
)
# By name, every address that it has or had, and the second since when it is gone from DNS (None while it is there).
Known = t.Mapping[str, t.Mapping[str, t.Optional[int]]]


@dataclass(frozen=True)
class Spec:
    """What was asked for, complete enough to be applied again without Ansible; it holds no secrets.

    Attributes:
        engine: C(auto), or the only engine that may be changed.
        mode: C(allow) or C(enforce).
        scope: C(host), C(containers) or both.
        destinations: what must be reachable.
        resolvers: addresses of the DNS servers that must be reachable, too.
        allow_private: names that may have private addresses.
        grace_time: seconds that an address stays allowed after DNS has dropped it.
        project: the Compose project of the stack.
    """

    engine: str = "auto"
    mode: str = "allow"
    scope: tuple[str, ...] = ("host", "containers")
    destinations: tuple[Destination, ...] = ()
    resolvers: tuple[str, ...] = ()
    allow_private: tuple[str, ...] = ()
    grace_time: int = 86400
    project: str = "docker"

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: t.Mapping[str, t.Any]) -> Spec:
        """Read what C(as_dict) gave."""
        lists = {name: tuple(data[name]) for name in ("scope", "resolvers", "allow_private")}
        found = tuple(Destination(**one) for one in data["destinations"])
        return cls(**{**data, **lists, "destinations": found})

    @property
    def names(self) -> list[str]:
        """The hosts whose addresses must be known."""
        return sorted({one.host for one in self.destinations})


@dataclass(frozen=True)
class Followed:
    """What is known after a look at DNS: the addresses by name, and what is wrong with which names."""

    known: Known = field(default_factory=dict)
    problems: tuple[SelfhostError, ...] = ()


def follow(spec: Spec, known: Known, answers: t.Mapping[str, t.Collection[str]], now: int) -> Followed:
    """Bring known addresses up to date with DNS: new ones join, missing ones stay for the grace time.

    Args:
        answers: the addresses that DNS has for each name; empty when it could not be asked, then the old ones stay as they are.
        now: seconds since the epoch.
    """
    result: dict[str, dict[str, int | None]] = {}
    problems: list[SelfhostError] = []
    for name in spec.names:
        seen = set(answers.get(name, ()))
        refused = sorted(address for address in seen if is_private(address) and name not in (*spec.allow_private, address))
        if refused:
            problems.append(_private(name, refused))
        seen -= set(refused)
        result[name] = _followed(known.get(name, {}), seen, now, spec.grace_time)
    return Followed(result, tuple(problems))


def wanted(spec: Spec, known: Known) -> frozenset[Endpoint]:
    """Return the endpoints that the firewall must let through: destinations by all their known addresses, and the resolvers."""
    found = {Endpoint(address, one.protocol, one.port) for one in spec.destinations for address in known.get(one.host, ())}
    dns = {Endpoint(address, protocol, DNS_PORT) for address in spec.resolvers for protocol in ("udp", "tcp")}
    return frozenset(found | dns)


def is_private(address: str) -> bool:
    """Say whether an address is not a public one."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in _PRIVATE if network.version == parsed.version)


def explanation(spec: Spec, known: Known) -> list[dict[str, t.Any]]:
    """Return the table that a firewall team asks for."""
    rows = [
        {
            "name": one.host,
            "port": one.port,
            "protocol": one.protocol,
            "why": one.reason,
            "source": one.source,
            "addresses": [address for address, gone in known.get(one.host, {}).items() if gone is None],
        }
        for one in spec.destinations
    ]
    dns = [
        {
            "name": address,
            "port": DNS_PORT,
            "protocol": "udp and tcp",
            "why": "DNS",
            "source": "resolvers",
            "addresses": [address],
        }
        for address in spec.resolvers
    ]
    return rows + dns


def table(rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return an explanation as lines of text."""
    heads = ("name", "port", "protocol", "why", "addresses")
    cells = [tuple(heads), *(tuple(_cell(row[head]) for head in heads) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in cells]


def _cell(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _followed(old: t.Mapping[str, int | None], seen: set[str], now: int, grace_time: int) -> dict[str, int | None]:
    if not seen:
        return dict(old)
    gone = {address: since or now for address, since in old.items() if address not in seen}
    kept = {address: since for address, since in gone.items() if since + grace_time > now}
    return dict(sorted({**dict.fromkeys(seen), **kept}.items()))


def _private(name: str, addresses: list[str]) -> SelfhostError:
    return SelfhostError(
        f"{name} resolves to {', '.join(addresses)}, which is no public address.",
        field="destinations",
        remedy=f"Correct DNS, or list {name} in allow_private when it is meant to be inside.",
    )
