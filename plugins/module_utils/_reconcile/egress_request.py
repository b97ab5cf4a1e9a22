# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a task's options and the installation's settings to what must be reachable, names resolved."""

from __future__ import annotations

import ipaddress
import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import resolver
from ansible_collections.bw.selfhost.plugins.module_utils._host.bwdata import Bwdata
from ansible_collections.bw.selfhost.plugins.module_utils._model import destinations as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress import Spec
from ansible_collections.bw.selfhost.plugins.module_utils._model.env_file import EnvFile
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.proxy import parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS

Params = t.Mapping[str, t.Any]
_ENV_FILES = ("docker/global.env", "env/global.override.env")


@dataclass(frozen=True)
class Request:
    """What a task asks for.

    Attributes:
        services: what the server must reach in the end, whether through a proxy or not: what the probe tries.
        proxy, no_proxy: how it gets there; the URL may hold a password.
        spec: what the firewall must let through for that.
        warnings: what looks wrong in the settings.
    """

    services: tuple[Destination, ...]
    proxy: str
    no_proxy: str
    spec: Spec
    warnings: tuple[str, ...]


def request(params: Params) -> Request:
    """Read the options that the modules of the egress family share.

    Raises:
        SelfhostError: a setting or declared destination is no address.
    """
    settings = effective_settings(params["bwdata"], params["region"], params["settings"])
    services = model.destinations(settings, params["purposes"], params["destinations"])
    proxy = params["proxy"] if params["proxy"] is not None else _variable(settings, "HTTPS_PROXY")
    no_proxy = params["no_proxy"] if params["no_proxy"] is not None else _variable(settings, "NO_PROXY")
    warning = model.mismatch(settings)
    allowed = {model.host_name(name, "allow_private") for name in params["allow_private"]}
    allowed |= {model.host_name(parse(proxy).host, "proxy")} if proxy else set()  # proxies are inside by their nature
    spec = Spec(
        engine=params.get("engine", "auto"),
        mode=params.get("mode", "allow"),
        scope=tuple(sorted(params["scope"], reverse=True)),
        destinations=model.through_proxy(services, proxy, no_proxy),
        resolvers=tuple(_resolvers(params["resolvers"])),
        allow_private=tuple(sorted(allowed)),
        grace_time=params.get("grace_time", 0),
    )
    return Request(services, proxy, no_proxy, spec, (warning,) if warning else ())


def effective_settings(bwdata: str, region: str | None, settings: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return what the services get told: the env files, over them the region, over that the given settings."""
    installation = Bwdata(Path(bwdata))
    values: dict[str, str] = {}
    for name in _ENV_FILES:
        values.update(EnvFile.parse(installation.content(name)).effective(values))
    planned = {name: "" if value is None else str(value) for name, value in settings.items()}
    return {**values, **(REGIONS[region].settings if region else {}), **planned}


def answers(spec: Spec, timeout: float = 6) -> dict[str, resolver.Answer]:
    """Ask DNS for every name of a spec, as the containers would, and the hosts file, as the host would."""
    servers = resolver.system_servers() if not spec.resolvers else list(spec.resolvers)
    inside = resolver.resolve(spec.names, servers, timeout, hosts=None)
    outside = resolver.resolve(spec.names, ())
    return {
        name: resolver.Answer(answer.addresses | outside[name].addresses) if outside[name].addresses else answer
        for name, answer in inside.items()
    }


def unresolved(found: t.Mapping[str, resolver.Answer], spec: Spec) -> list[SelfhostError]:
    """Return one problem for every name without an address."""
    return [
        SelfhostError(
            f"{name} (for {', '.join(one.reason for one in spec.destinations if one.host == name)}) cannot be resolved: "
            f"{answer.failure}{f' from {answer.server}' if answer.server else ''}.",
            field="destinations",
            remedy="Correct the name, or what the machine's resolver (/etc/resolv.conf) knows; DNS itself must be reachable.",
        )
        for name, answer in sorted(found.items())
        if not answer.addresses
    ]


def _resolvers(given: list[str] | None) -> list[str]:
    servers = resolver.system_servers() if given is None else given
    # One on this machine itself is reached without any firewall; what it asks in turn is its own business.
    return sorted({server for server in servers if not ipaddress.ip_address(server.partition("%")[0]).is_loopback})


def _variable(settings: t.Mapping[str, str], name: str) -> str:
    """Return a proxy variable as the services have it, else as this process has it."""
    for source in (settings, os.environ):
        for key in (name, name.lower()):
            if source.get(key):
                return source[key]
    return ""
