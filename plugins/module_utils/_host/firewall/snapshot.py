# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the rules of all engines, and change nothing by looking."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Item, Snapshot
from ansible_collections.bw.selfhost.plugins.module_utils._model.ruleset import PROGRAMS

_FAMILIES = {"4": "ip", "6": "ip6"}
_TABLES = {"filter", "nat", "mangle", "raw", "security"}
# Names of the tables in use; to call the legacy programs without any would load their kernel modules.
_LEGACY = {"4": Path("/proc/net/ip_tables_names"), "6": Path("/proc/net/ip6_tables_names")}
_UFW = (Path("/etc/ufw/user.rules"), Path("/etc/ufw/user6.rules"))


def take(tools: Tools) -> Snapshot:
    """Return the rules as they are now.

    Raises:
        SelfhostError: a program that is here fails, most likely for want of rights.
    """
    nft = _nft(tools)
    iptables = {key: text for key in _sources(tools, nft) if (text := tools.read([_saver(*key)]))}
    return Snapshot(nft, iptables, "".join(path.read_text(encoding="utf-8") for path in _UFW if path.exists()))


def _nft(tools: Tools) -> list[Item]:
    if not tools.installed("nft"):
        return []
    items: list[Item] = json.loads(tools.read(["nft", "-j", "list", "ruleset"]))["nftables"]
    return items


def _sources(tools: Tools, nft: list[Item]) -> list[tuple[str, str]]:
    """Return the variants and families of iptables that may hold rules."""
    tables = {(item["table"]["family"], item["table"]["name"]) for item in nft if "table" in item}
    used = {family for family, name in tables if name in _TABLES} if tools.installed("nft") else set(_FAMILIES.values())
    sources = [("nft", key) for key in PROGRAMS if _FAMILIES[key] in used]
    sources += [("legacy", key) for key, path in _LEGACY.items() if path.exists() and path.read_text(encoding="ascii").strip()]
    return [key for key in sources if tools.installed(_saver(*key))]


def _saver(variant: str, family: str) -> str:
    return f"{PROGRAMS[family]}-{variant}-save"
