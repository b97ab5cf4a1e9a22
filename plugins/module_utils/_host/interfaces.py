# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The machine's own interfaces: through which it would send, and which bridges may have containers behind them."""

from __future__ import annotations

import ipaddress
import json
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host.container_networks import Network
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools


def outgoing(tools: Tools, addresses: t.Iterable[str]) -> dict[str, str | None]:
    """Return the interface towards each address that has a route, with one call; C(None) where C(ip) is not installed."""
    wanted = sorted(set(addresses))
    if not tools.installed("ip"):
        return dict.fromkeys(wanted)
    asked = "".join(f"route get {address}\n" for address in wanted)
    lines = tools.run(["ip", "-json", "-force", "-batch", "-"], asked).stdout.splitlines()
    return {route["dst"]: route.get("dev") for line in lines if line.strip() for route in json.loads(line)}


def bridges(tools: Tools) -> list[Network]:
    """Return every bridge with its subnets, for container engines that are not Docker."""
    if not tools.installed("ip"):
        return []
    found = json.loads(tools.run(["ip", "-json", "address", "show", "type", "bridge"]).stdout or "[]")
    return [Network(one["ifname"], one["ifname"], _subnets(one), stack=False) for one in found if _subnets(one)]


def _subnets(document: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    configured = [f"{one['local']}/{one['prefixlen']}" for one in document.get("addr_info", ()) if one.get("scope") == "global"]
    return tuple(sorted(str(ipaddress.ip_network(one, strict=False)) for one in configured))
