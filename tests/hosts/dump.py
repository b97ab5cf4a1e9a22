"""All that firewalls of a host consist of, as text."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from tests.hosts.host import Host

_SAVE = "{} | sed -e '/^#/d' -e 's/\\[[0-9]*:[0-9]*\\]/[0:0]/'"
_TREE = "[ ! -d {0} ] || find {0} -type f -printf '== %p %m\\n' -exec cat {{}} ';' -o -printf '== %p %m %l\\n'"
# Calling the legacy programs would load their modules, so they are asked only when the kernel has such tables.
_LEGACY = "[ ! -s /proc/net/{}_tables_names ] || {}"
PARTS = {
    "nft": "nft -s list ruleset",
    "iptables": _SAVE.format("iptables-nft-save"),
    "ip6tables": _SAVE.format("ip6tables-nft-save"),
    "iptables-legacy": _LEGACY.format("ip", _SAVE.format("iptables-legacy-save")),
    "ip6tables-legacy": _LEGACY.format("ip6", _SAVE.format("ip6tables-legacy-save")),
    "ufw": "ufw status numbered",
    "/etc/ufw": _TREE.format("/etc/ufw") + " | sort",
    "/etc/firewalld": _TREE.format("/etc/firewalld"),
}
_MARK = "\x01\n"


def dump(host: Host) -> dict[str, str]:
    """Return every part as text; what is not installed is empty."""
    script = f"; printf '{_MARK}'; ".join(f"{{ {command}; }} 2>/dev/null" for command in PARTS.values())
    texts = host.run(["sh", "-c", script], check=False).stdout.split(_MARK)
    return dict(zip(PARTS, texts, strict=True))
