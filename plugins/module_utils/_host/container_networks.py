# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Docker's networks: from which subnets and bridges containers send to the outside."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_PROJECT = "com.docker.compose.project"
_BRIDGE = "com.docker.network.bridge.name"
_AGAIN = 20  # times; a restart of the stack changes networks for some seconds
_DATABASE = "network/files/local-kv.db"


@dataclass(frozen=True)
class Network:
    """A bridge network with a way out.

    Attributes:
        name: as Docker calls it.
        bridge: the interface of the host that is its bridge; made anew with another name when the network is.
        subnets: canonical texts, IPv4 and IPv6.
        stack: Compose made it for the installation.
    """

    name: str
    bridge: str
    subnets: tuple[str, ...]
    stack: bool


def networks(tools: Tools, project: str = "docker") -> list[Network]:
    """Return every bridge network that is not internal, Docker's default one included; none when Docker does not run.

    Others (host, macvlan, ipvlan, overlay) do not send through the host's forward hook, or not with their own addresses.
    """
    listed = _ask(tools, "network", "ls", "--quiet", "--filter", "driver=bridge").split()
    # Ends with an error, after all others, when a network has gone since.
    return parse(_ask(tools, "network", "inspect", *listed), project) if listed else []


def parse(text: str, project: str) -> list[Network]:
    """Read the output of C(docker network inspect)."""
    return [_network(one, project) for one in json.loads(text or "[]") if one.get("Driver") == "bridge" and not one["Internal"]]


def settled(database: str, work: t.Callable[[], None]) -> None:
    """Do C(work), and again as long as Docker's networks changed meanwhile: systemd does not notice that while its unit runs."""
    for _again in range(_AGAIN):
        before = _written(database)
        work()
        if _written(database) == before:
            return


def elsewhere(found: t.Iterable[Network]) -> list[Network]:
    """Return those that no rule here sees: their bridge is elsewhere, as with rootless Docker, or when we are in a container."""
    here = {name for _number, name in socket.if_nameindex()}
    return [network for network in found if network.bridge not in here]


def database(tools: Tools) -> str:
    """Return the path of the file that Docker writes whenever a network appears or goes.

    Raises:
        SelfhostError: Docker does not say where its data is.
    """
    root = _ask(tools, "info", "--format", "{{.DockerRootDir}}").strip()
    if not root.startswith("/"):
        raise SelfhostError("Docker does not answer.", field="docker", remedy="Start the Docker daemon on the host itself.")
    return f"{root}/{_DATABASE}"


def _ask(tools: Tools, *words: str) -> str:
    """Return what Docker prints; nothing when it cannot be asked, looked at each time: it may be stopped meanwhile."""
    return tools.run(["docker", *words]).stdout if _answers(tools) else ""


def _answers(tools: Tools) -> bool:
    """Say whether Docker can be asked: if systemd listens for it, that would start it, or wait for a start that waits for us."""
    if not tools.installed("docker"):
        return False
    if not Path("/run/systemd/system").is_dir():
        return True
    asked = ["systemctl", "show", "--property=ActiveState", "docker.service", "docker.socket"]
    service, socket_unit = tools.read(asked).split()
    return service in ("ActiveState=active", "ActiveState=reloading") or socket_unit != "ActiveState=active"


def _written(path: str) -> int | None:
    """Return when a file was last written, in nanoseconds; C(None) without a file."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _network(document: t.Mapping[str, t.Any], project: str) -> Network:
    configured = (document.get("IPAM") or {}).get("Config") or []
    subnets = sorted(str(ipaddress.ip_network(one["Subnet"], strict=False)) for one in configured if one.get("Subnet"))
    bridge = (document.get("Options") or {}).get(_BRIDGE) or f"br-{document['Id'][:12]}"
    return Network(document["Name"], bridge, tuple(subnets), (document.get("Labels") or {}).get(_PROJECT) == project)
