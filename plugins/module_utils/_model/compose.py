# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Compose would run and what Docker runs, as plain values.

Source: bitwarden/server util/Setup/Templates/DockerCompose.hbs; docker/compose cmd/compose/config.go; Docker's inspect documents.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One service as the files describe it; C(environment) holds secrets."""

    name: str
    container: str
    image: str
    environment: t.Mapping[str, str]


@dataclass(frozen=True)
class Container:
    """One container as Docker knows it; C(environment) holds secrets, times are RFC 3339 texts."""

    name: str
    image: str
    environment: t.Mapping[str, str]
    status: str
    health: str | None
    exit_code: int
    created: str
    started: str
    health_output: str

    @property
    def up(self) -> bool:
        """Started, and restarted by Docker if it ends; a container in a restart loop counts."""
        return self.status in ("running", "restarting")

    @property
    def ready(self) -> bool:
        """Running, and healthy where the image has a health check."""
        return self.status == "running" and self.health in (None, "healthy")

    @property
    def condition(self) -> str:
        """A few words for people."""
        if self.status == "running":
            return self.health or "running"
        return f"{self.status}, exit code {self.exit_code}"


def tag(image: str) -> str:
    """Return the version of an image reference: C(ghcr.io/bitwarden/api:2026.8.0) gives C(2026.8.0)."""
    name, colon, version = image.partition("@")[0].rpartition(":")
    return version if colon and name and "/" not in version else "latest"


def parse_config(text: str) -> dict[str, Service]:
    """Read the output of C(docker compose config --format json), which doubles every dollar sign."""
    document = json.loads(text)
    project = document.get("name", "docker")
    return {
        name: Service(
            name,
            fields.get("container_name", f"{project}-{name}-1"),
            fields.get("image", ""),
            {key: _undouble(value) for key, value in (fields.get("environment") or {}).items() if value is not None},
        )
        for name, fields in document.get("services", {}).items()
    }


def parse_inspect(text: str) -> dict[str, Container]:
    """Read the output of C(docker inspect) for containers, by container name."""
    containers = [_container(document) for document in json.loads(text or "[]")]
    return {container.name: container for container in containers}


def environment(pairs: t.Iterable[str] | None) -> dict[str, str]:
    """Turn Docker's C(KEY=value) list into a mapping."""
    return dict(pair.partition("=")[::2] for pair in pairs or ())


def _container(document: dict[str, t.Any]) -> Container:
    state, config = document["State"], document["Config"]
    health = state.get("Health") or {}
    log = health.get("Log") or [{}]
    return Container(
        name=document["Name"].lstrip("/"),
        image=config["Image"],
        environment=environment(config.get("Env")),
        status=state["Status"],
        health=health.get("Status"),
        exit_code=state.get("ExitCode", 0),
        created=document.get("Created", ""),
        started=state.get("StartedAt", ""),
        health_output=str(log[-1].get("Output", "")).strip(),
    )


def _undouble(value: object) -> str:
    return str(value).replace("$$", "$")
