# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Places to look from: the host, and the networks of its containers, entered without any program in them or beside them."""

from __future__ import annotations

import ctypes
import json
import os
import re
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._host.container_networks import networks
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.resolver import configured_servers
from ansible_collections.bw.selfhost.plugins.module_utils._model import dns
from ansible_collections.bw.selfhost.plugins.module_utils._model.compose import environment
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe import CONTAINERS, HOST

T = t.TypeVar("T")

# The services that read global.override.env, and with it the addresses of the cloud. Source: Setup's DockerCompose.hbs.
SERVICES = ("api", "identity", "sso", "admin", "notifications", "events", "scim")

_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"
_OWN_NETWORK = "/proc/self/ns/net"
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # what update-ca-certificates makes; Debian's and Alpine's images have it
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_UPSTREAMS = re.compile(r"^# ExtServers: \[(.*)\]", re.MULTILINE)  # Docker's note in a container's resolv.conf


@dataclass(frozen=True)
class Vantage:
    """One place to look from.

    Attributes:
        name: C(host), or the name of a container.
        scope: whose traffic leaves there: C(host) or C(containers).
        covers: names of the containers for which it speaks, because they are in the same networks and configured alike.
        servers: name servers, as C(resolver.resolve) takes them.
        upstreams: whom those ask in turn, for people.
        hosts: path of the hosts file.
        variables: the environment, of which the proxy variables count; holds secrets.
        authorities: PEM text of the certificate authorities that are trusted there, beside the system's or in their place.
        system_authorities: whether the system's are trusted.
        network: path of the network namespace, empty for this process's own.
    """

    name: str
    scope: str
    covers: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    upstreams: str = ""
    hosts: str = "/etc/hosts"
    variables: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    authorities: str = ""
    system_authorities: bool = True
    network: str = ""

    def run(self, function: t.Callable[[], T]) -> T:
        """Call a function in this place's network. Threads it starts are there, too; the rest of the process is not."""
        if not self.network:
            return function()
        with open(self.network, "rb") as namespace, ThreadPoolExecutor(1) as thread:
            return thread.submit(_entered, namespace.fileno(), function).result()


def host() -> Vantage:
    """Return the host, seen as its own programs see it."""
    return Vantage("host", HOST, ("host",), tuple(configured_servers()), variables=dict(os.environ))


def containers(tools: Tools, bwdata: Path, project: str = "docker") -> tuple[list[Vantage], dict[str, str]]:
    """Return places for the running containers that talk to the cloud, and why some, or all, cannot be entered, by name."""
    if os.geteuid():
        return [], {"containers": "Only root can enter their networks. Run the task as root (become: true)."}
    if not networks(tools):
        return [], {"containers": "Docker does not run here. Start it, or run the task where it runs."}
    groups: dict[t.Any, list[Vantage]] = {}
    skipped: dict[str, str] = {}
    for document in _documents(tools, project):
        name = document["Name"].lstrip("/")
        try:
            found = _container(name, document, bwdata)
        except SelfhostError as error:
            skipped[name] = str(error)
        except OSError:
            skipped[name] = "It has no process here. Start it, or run the task where Docker runs."
        else:
            connected = frozenset(document["NetworkSettings"].get("Networks") or ())
            groups.setdefault((connected, *_alike(found)), []).append(found)
    if not (groups or skipped):
        skipped["containers"] = "None of them runs. Start the server first."
    return [_one_for_all(group) for group in groups.values()], skipped


def _documents(tools: Tools, project: str) -> list[dict[str, t.Any]]:
    """Return what Docker says about the containers that talk to the cloud."""
    found = tools.run(["docker", "ps", "--quiet", "--no-trunc", "--filter", f"label={_PROJECT}={project}"]).stdout.split()
    # Ends with an error, after all others, when a container has gone since.
    documents = json.loads((tools.run(["docker", "inspect", *found]).stdout if found else "") or "[]")
    return [one for one in documents if (one["Config"].get("Labels") or {}).get(_SERVICE) in SERVICES]


def _container(name: str, document: t.Mapping[str, t.Any], bwdata: Path) -> Vantage:
    pid, variables = document["State"].get("Pid") or 0, environment(document["Config"].get("Env"))
    network = f"/proc/{pid}/ns/net"
    if os.stat(network).st_ino == os.stat(_OWN_NETWORK).st_ino:
        raise SelfhostError("It has no network of its own.", remedy="What holds for the host holds for it.")
    root = Path(f"/proc/{pid}/root")
    resolv_conf = _text(root / "etc/resolv.conf")
    upstreams = _UPSTREAMS.search(resolv_conf)
    # The services trust what is in the container, whatever this host trusts; bwdata/ca-certificates is in there, too.
    bundle = _pem(root / (variables.get("SSL_CERT_FILE") or _BUNDLE).lstrip("/"))
    folders = [root / folder.lstrip("/") for folder in variables.get("SSL_CERT_DIR", "").split(":") if folder]
    more = folders if bundle else [*folders, bwdata / "ca-certificates"]
    return Vantage(
        name=name,
        scope=CONTAINERS,
        covers=(name,),
        servers=tuple(dns.servers_in(resolv_conf)),
        upstreams=upstreams[1] if upstreams else "",
        hosts=str(root / "etc/hosts"),
        variables=variables,
        authorities=bundle + "".join(_pem(path) for folder in more for path in sorted(folder.glob("*.crt"))),
        system_authorities=not bundle,
        network=network,
    )


def _alike(one: Vantage) -> tuple[t.Any, ...]:
    """Return what must be the same for two containers in the same networks to fare the same."""
    proxies = tuple(sorted((key, value) for key, value in one.variables.items() if key.lower().endswith("_proxy")))
    return (one.servers, one.upstreams, proxies, one.authorities)


def _one_for_all(group: list[Vantage]) -> Vantage:
    """Return the place that speaks for its whole group: the api service, where it is among them, because it syncs licenses."""
    group.sort(key=lambda one: (not one.name.endswith("api"), one.name))
    return replace(group[0], covers=tuple(one.name for one in group))


def _entered(namespace: int, function: t.Callable[[], T]) -> T:
    """Move this thread, and no other, into a network namespace, and call a function there."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return function()


def _pem(path: Path) -> str:
    """Return the certificates of a PEM file, without the comments around them."""
    return "".join(_CERTIFICATE.findall(_text(path)))


def _text(path: Path) -> str:
    """Return a file's text, empty when it cannot be read; one in a container may be anything."""
    try:
        file = files.read(path)
    except SelfhostError:
        return ""
    return ((file and file.data) or b"").decode("utf-8", "replace")
