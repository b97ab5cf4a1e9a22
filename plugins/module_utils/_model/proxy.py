# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A forward proxy's URL, and which hosts are reached without it."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxy:
    """Where a proxy listens, and who we are there."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """Its address without credentials."""
        return f"{self.host}:{self.port}"


def parse(url: str) -> Proxy:
    """Read a proxy's URL, such as C(http://user:password@proxy.example.com:3128); without a scheme it is http.

    Raises:
        SelfhostError: it is none; the message never repeats it, because it may hold a password.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _DEFAULT_PORTS:
        raise SelfhostError("It is not the URL of a proxy.", field="proxy", remedy="Write it like http://proxy.example.com:3128.")
    return Proxy(
        host,
        port or _DEFAULT_PORTS[parts.scheme],
        parts.scheme == "https",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def bypassed(host: str, no_proxy: str) -> bool:
    """Say whether C(NO_PROXY) keeps a host away from the proxy: names, their subdomains, addresses, networks, or C(*)."""
    return any(_covers(entry.strip().lower(), host.lower()) for entry in no_proxy.split(",") if entry.strip())


def _covers(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    address, network = _network(host), _network(entry)
    if address and network:
        return address.version == network.version and address.subnet_of(t.cast(t.Any, network))
    name = entry.lstrip("*").lstrip(".")
    return host == name or host.endswith(f".{name}")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None
