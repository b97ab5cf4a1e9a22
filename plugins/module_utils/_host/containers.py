# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Docker and Compose: what the files describe, what runs, and how a service that fails explains itself.

Every call runs as the installation's owner with the same small environment as the script, so Compose resolves the files
exactly as it does when it creates the containers: no second parser that could disagree.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account, Finished, execute
from ansible_collections.bw.selfhost.plugins.module_utils._model.compose import (
    Container,
    Service,
    environment,
    parse_config,
    parse_inspect,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_TIMEOUT = 120
_NO_PLUGIN = re.compile(r"is not a docker command|unknown (shorthand )?flag|unknown command", re.IGNORECASE)
_BAD_LINE = re.compile(r"failed to read (?P<file>\S+?): line (?P<line>\d+)")
_TOO_OLD = re.compile(r"^Usage:|no such option|unknown flag: --format", re.IGNORECASE | re.MULTILINE)
_UNKNOWN = re.compile(r"no such (object|container|image)", re.IGNORECASE)


class Docker:
    """The docker command, for one installation."""

    def __init__(self, account: Account, compose_files: t.Sequence[Path]) -> None:
        self._account = account
        self._files = compose_files

    def services(self) -> dict[str, Service]:
        """Return what the compose and env files describe, by service.

        Raises:
            SelfhostError: Compose does not accept a file; a restart would take the installation down.
        """
        finished = self._compose("config", "--format", "json")
        if finished.code == 0:
            return parse_config(finished.stdout)
        if _TOO_OLD.search(finished.stderr):
            raise SelfhostError("Compose is too old.", field="docker compose", remedy="Install version 2 or later of its plugin.")
        # The rest of Compose's message may quote the line, and with it a secret.
        bad = _BAD_LINE.search(finished.stderr)
        where = f"line {bad['line']} of {bad['file']} is wrong" if bad else "a compose or env file is wrong"
        raise SelfhostError(
            f"Compose refuses the files: {where}. A restart now would leave the installation down.",
            field=bad["file"] if bad else str(self._files[0]),
            remedy=f"Correct it; docker compose -f {self._files[0]} config --quiet names the fault.",
        )

    def containers(self, services: t.Mapping[str, Service]) -> dict[str, Container]:
        """Return the existing containers by service, with one call."""
        found = parse_inspect(self._inspect(["docker", "inspect"], [service.container for service in services.values()]))
        return {name: found[service.container] for name, service in services.items() if service.container in found}

    def image_environments(self, images: t.Collection[str]) -> dict[str, dict[str, str]]:
        """Return the environment that each image brings itself, by image. An image that is gone brings none."""
        if not images:
            return {}
        documents = json.loads(self._inspect(["docker", "image", "inspect"], sorted(images)) or "[]")
        return {
            name: environment(document["Config"].get("Env"))
            for document in documents
            for name in (*(document.get("RepoTags") or ()), *(document.get("RepoDigests") or ()))
        }

    def up(self) -> Finished:
        """Create and start what the files describe from the images that are already here."""
        return self._compose("up", "-d", timeout=600)

    def down(self) -> Finished:
        """Remove what runs."""
        return self._compose("down", timeout=300)

    def last_words(self, container: Container) -> list[str]:
        """Return the last lines that a container printed."""
        finished = self._run(["docker", "logs", "--tail", "3", container.name])
        return [line for line in (finished.stdout + finished.stderr).splitlines() if line.strip()] if finished.code == 0 else []

    def _inspect(self, command: t.Sequence[str], names: t.Sequence[str]) -> str:
        finished = self._run([*command, *names])
        if finished.code == 0 or _UNKNOWN.search(finished.stderr):
            return finished.stdout
        raise SelfhostError(
            f"Docker does not answer: {finished.stderr.strip() or f'docker inspect ended with code {finished.code}'}",
            field="docker",
            remedy="Start the Docker daemon, and run the task as a user who may use it.",
        )

    def _compose(self, *arguments: str, timeout: float = _TIMEOUT) -> Finished:
        """Use C(docker compose) where it works, else C(docker-compose), as run.sh does."""
        finished = self._run(["docker", "compose", *arguments], timeout)
        if finished.code and _NO_PLUGIN.search(finished.stderr):
            return self._run(["docker-compose", *arguments], timeout)
        return finished

    def _run(self, argv: t.Sequence[str], timeout: float = _TIMEOUT) -> Finished:
        variables = {"COMPOSE_FILE": ":".join(map(str, self._files))}
        return execute(argv, self._account, timeout=timeout, directory=self._files[0].parent, variables=variables)
