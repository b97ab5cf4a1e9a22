# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One installed server as it is now: what its files say, what runs, and where the two differ."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.bitwarden_sh import BitwardenSh, Versions
from ansible_collections.bw.selfhost.plugins.module_utils._host.bwdata import Bwdata
from ansible_collections.bw.selfhost.plugins.module_utils._host.containers import Docker
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account
from ansible_collections.bw.selfhost.plugins.module_utils._model.compose import Container, Service, tag
from ansible_collections.bw.selfhost.plugins.module_utils._model.config_effects import Generated, config_drift
from ansible_collections.bw.selfhost.plugins.module_utils._model.config_yml import KEYS, ConfigFile
from ansible_collections.bw.selfhost.plugins.module_utils._model.drift import (
    Drift,
    image_drift,
    setting_changes,
    setting_drift,
    unexplained,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change
from ansible_collections.bw.selfhost.plugins.module_utils._model.redact import redact, secret_values
from ansible_collections.bw.selfhost.plugins.module_utils._model.settings import find, is_secret

_VAULT = "globalSettings__baseServiceUri__vault"


@dataclass(frozen=True)
class Observation:
    """What one look found; holds secrets.

    Attributes:
        services: what the compose and env files describe.
        containers: what exists, by service.
        drifts: settings that containers have otherwise than the files.
        config: keys of config.yml that the generated files do not reflect.
        versions: what bitwarden.sh would install; C(None) when that cannot be read.
    """

    services: t.Mapping[str, Service]
    containers: t.Mapping[str, Container]
    drifts: tuple[Drift, ...]
    config: tuple[str, ...]
    versions: Versions | None

    @property
    def down(self) -> list[str]:
        """Services that do not run, whether their container exists or not."""
        return [name for name in self.services if name not in self.containers or not self.containers[name].up]

    @property
    def running(self) -> list[str]:
        """Services that run, healthy or not."""
        return [name for name in self.services if name not in self.down]

    @property
    def not_ready(self) -> list[str]:
        """Services that do not run or are not healthy."""
        return [name for name in self.services if name not in self.containers or not self.containers[name].ready]

    @property
    def images(self) -> list[Change]:
        """Containers of another version than the compose file names."""
        return image_drift(self.services, self.containers)

    @property
    def settings(self) -> list[Change]:
        """The drifts for people, secrets masked."""
        return setting_changes(self.drifts, _is_hidden)

    def condition(self, service: str) -> str:
        """How one service is, in a few words."""
        return self.containers[service].condition if service in self.containers else "no container"

    @property
    def outdated(self) -> dict[str, tuple[str, str]]:
        """By service, the version in the compose file and the one that a rebuild with this script would write."""
        if self.versions is None:
            return {}
        tags = {name: tag(service.image) for name, service in self.services.items() if "/bitwarden/" in f"/{service.image}"}
        return {name: (old, self.versions.of(name)) for name, old in tags.items() if old != self.versions.of(name)}

    def summary(self) -> str:
        """The state of the whole stack in one sentence."""
        if not self.running:
            return "The stack is down."
        if not self.not_ready:
            return f"The stack is up: all {len(self.services)} services are healthy."
        faults = ", ".join(f"{name} ({self.condition(name)})" for name in self.not_ready)
        return f"{len(self.running)} of {len(self.services)} services run; not healthy: {faults}."


class Installation:
    """The doors to one installation, opened on the same paths."""

    def __init__(self, bwdata: str, script: str | None) -> None:
        self.bwdata = Bwdata(Path(bwdata))
        self.script = BitwardenSh(Path(script) if script else self.bwdata.path.parent / "bitwarden.sh", self.bwdata.path)

    @property
    def docker(self) -> Docker:
        """Docker as the installation's owner uses it; the override file may have come or gone since the last call."""
        owner = self.script.path if self.script.path.exists() else self.bwdata.path
        return Docker(Account.running_for(owner), self.bwdata.compose_files)

    def check(self) -> None:
        """Refuse an incomplete installation before anything is changed."""
        self.bwdata.check()
        self.script.check()

    def config(self) -> dict[str, t.Any]:
        """The effective values of config.yml."""
        document = ConfigFile.parse(self.bwdata.content("config.yml"))
        return {key: document.get(key) for key in KEYS}

    def observe(self) -> Observation:
        """Look at files and containers; two calls of docker, a third one when a removed setting is suspected."""
        docker = self.docker
        services = docker.services()
        containers = docker.containers(services)
        suspects = {c.image for name, c in containers.items() if unexplained(services[name], c)}
        api = services.get("api")
        generated = Generated(
            nginx=self.bwdata.text("nginx/default.conf"),
            compose=self.bwdata.text("docker/docker-compose.yml"),
            vault=api.environment.get(_VAULT) if api else None,
        )
        drifts = setting_drift(services, containers, docker.image_environments(suspects))
        config = config_drift(self.config(), generated)
        return Observation(services, containers, tuple(drifts), tuple(config), self._versions())

    def look_again(self, before: Observation) -> Observation:
        """Look at the containers alone, with one call of docker."""
        return replace(before, containers=self.docker.containers(before.services), drifts=(), config=())

    def _versions(self) -> Versions | None:
        try:
            return self.script.versions()
        except SelfhostError:
            return None

    def safe(self, text: str) -> str:
        """Mask the installation's secrets, those of now, in a text that another program wrote."""
        return redact(text, secret_values(self.bwdata.raw_settings(), is_secret))

    def symptoms(self, now: Observation) -> list[str]:
        """Say what each service that is not healthy left in its health check, its log file and its output."""
        lines = [line for name in now.not_ready for line in self._symptoms(name, now.containers.get(name))]
        return self.safe("\n".join(lines)).splitlines()

    def _symptoms(self, name: str, container: Container | None) -> list[str]:
        tail = self.bwdata.log_tail(name)
        sources = {
            "health check": container.health_output.splitlines()[-1:] if container else [],
            tail[0] if tail else "": tail[1] if tail else [],
            "container output": self.docker.last_words(container) if container else [],
        }
        return [f"  {name}, {where}: {line.strip()}" for where, lines in sources.items() for line in dict.fromkeys(lines)]


def _is_hidden(key: str) -> bool:
    """Only values that are known to be harmless are shown."""
    return is_secret(key) or find(key) is None
