"""The `docker compose` of the stand-in: project files, resolved environments, up, down, ps, config."""

from __future__ import annotations

import json
import os
import sys
import time

from . import container, dotenv, miniyaml, state as _state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Json = dict[str, t.Any]


class ComposeError(Exception):
    """Compose prints the text on stderr and ends with code 1."""


class Project:
    """The merged compose files. C(services[name]) is the raw service, C(environment(name)) what its container gets."""

    def __init__(self, files: list[str], directory: str, name: str | None = None) -> None:
        self.files = files
        self.directory = directory
        self.warnings: list[str] = []
        dot_env = os.path.join(directory, ".env")
        self.variables = dict(os.environ)
        if os.path.isfile(dot_env):
            self.variables = {**self.read_env(dot_env, os.environ.get), **self.variables}
        self.name = name or self.variables.get("COMPOSE_PROJECT_NAME") or os.path.basename(directory)
        model: Json = {}
        for path in files:
            model = merge(model, load(path))
        self.services: dict[str, Json] = model.get("services") or {}

    def read_env(self, path: str, lookup: dotenv.Lookup) -> dict[str, str]:
        try:
            with open(path, "rb") as file:
                return dotenv.parse(file.read(), lookup, self.warn)
        except FileNotFoundError:
            raise ComposeError(f"env file {path} not found: stat {path}: no such file or directory") from None
        except PermissionError:
            raise ComposeError(f"open {path}: permission denied") from None
        except dotenv.EnvError as error:
            raise ComposeError(f"failed to read {path}: {error}") from None

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def text(self, value: t.Any) -> str:
        try:
            return dotenv.substitute("" if value is None else str(value), self.variables.get, self.warn)
        except dotenv.EnvError as error:
            raise ComposeError(f"invalid interpolation format for services: {error}") from None

    def environment(self, name: str) -> dict[str, str]:
        service = self.services[name]
        given = _environment(service).items()
        own = {key: self.variables.get(key) if value is None else self.text(value) for key, value in given}
        merged: dict[str, str] = {}

        def lookup(key: str) -> str | None:
            for source in (self.variables, own, merged):
                value = source.get(key)
                if value is not None:
                    return value
            return None

        for entry in _list(service.get("env_file")):
            path = os.path.join(self.directory, str(entry["path"] if isinstance(entry, dict) else entry))
            merged.update(self.read_env(os.path.normpath(path), lookup))
        merged.update({key: value for key, value in own.items() if value is not None})
        return merged

    def image(self, name: str) -> str:
        return self.text(self.services[name].get("image"))

    def container_name(self, name: str) -> str:
        return str(self.services[name].get("container_name") or f"{self.name}-{name}-1")

    def networks(self, name: str) -> list[str]:
        return list(self.services[name].get("networks") or ["default"])


def load(path: str) -> Json:
    try:
        with open(path, encoding="utf-8") as file:
            model = miniyaml.load(file.read())
    except FileNotFoundError:
        raise ComposeError(f"stat {path}: no such file or directory") from None
    except miniyaml.YamlError as error:
        raise ComposeError(f"yaml: {path}: {error}") from None
    if not isinstance(model, dict):
        raise ComposeError(f"{path}: top-level object must be a mapping")
    return model


def merge(base: t.Any, override: t.Any, key: str = "") -> t.Any:
    """Later files win: maps are merged, lists joined, everything else replaced."""
    if key == "environment":
        return {**_environment({key: base}), **_environment({key: override})}
    if isinstance(base, dict) and isinstance(override, dict):
        merged = dict(base)
        for name, value in override.items():
            merged[name] = merge(base[name], value, name) if name in base else value
        return merged
    if key != "command" and (isinstance(base, list) or isinstance(override, list)):
        return _list(base) + [item for item in _list(override) if item not in _list(base)]
    return override


def _environment(service: Json) -> dict[str, str | None]:
    given = service.get("environment") or {}
    if isinstance(given, dict):
        return dict(given)
    pairs = (item.partition("=") for item in given)
    return {key: value if equals else None for key, equals, value in pairs}


def _list(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


class Engine:
    """A project and the containers it has."""

    def __init__(self, state: _state.State, project: Project) -> None:
        self.state = state
        self.project = project

    def check(self, late: bool) -> None:
        """Read everything, as each compose command does; with the switch lazy_env only the `late` ones, `up` and `config`."""
        if late or not self.state.switches().get("lazy_env"):
            for name in self.project.services:
                self.project.image(name)
                self.project.environment(name)

    def own(self, records: Json) -> Json:
        return {name: record for name, record in records.items() if record["project"] == self.project.name}

    def record(self, service: str, switches: Json) -> Json:
        project, image = self.project, self.project.image(service)
        wanted = project.environment(service)
        environment = {**container.image_environment(image, switches), **wanted}
        fingerprint = container.digest(json.dumps([project.services[service], wanted, image]))
        name, now = project.container_name(service), time.time()
        return {
            "service": service,
            "name": name,
            "id": container.digest(f"{name} {now}"),
            "image": image,
            "environment": environment,
            "project": project.name,
            "directory": project.directory,
            "files": project.files,
            "networks": project.networks(service),
            "hash": fingerprint,
            "created": now,
            "started": now,
            "delay": float(switches.get("readiness_delay") or 0),
            "stopped": False,
            "resolved": False,
            "fault": container.startup_fault(service, environment),
        }

    def up(self, services: list[str], force: bool = False) -> int:
        """Create what is missing or differs. The environment is read here and kept in the record."""
        switches, fails = self.state.switches(), self.state.take("up_fails")
        wanted = [self.record(name, switches) for name in services or self.project.services]
        wanted = [record for record in wanted if record["service"] not in _state.names(switches.get("missing"))]
        if fails:
            wanted = wanted[: len(wanted) // 2]
        with self.state.lock():
            records = self.state.containers()
            for record in wanted:
                old = records.get(record["name"])
                if old and old["hash"] == record["hash"] and not force:
                    self.say(record["name"], "Running")
                    if old["stopped"]:
                        container.set_stopped(old, False)
                else:
                    self.say(record["name"], "Recreated" if old else "Created")
                    records[record["name"]] = record
            container.settle(records)
            self.state.save_containers(records)
        if fails:
            print("Error response from daemon: Bind for 0.0.0.0:443 failed: port is already allocated", file=sys.stderr)
            return 1
        for record in wanted:
            self.say(record["name"], "Started")
        return 0

    def down(self) -> int:
        with self.state.lock():
            records = self.state.containers()
            for name in self.own(records):
                self.say(name, "Removed")
                del records[name]
            self.state.save_containers(records)
        for network in ("default", "public"):
            print(f" Network {self.project.name}_{network}  Removed", file=sys.stderr)
        return 0

    def set_stopped(self, services: list[str], stopped: bool) -> int:
        with self.state.lock():
            records = self.state.containers()
            for record in self.own(records).values():
                if not services or record["service"] in services:
                    container.set_stopped(record, stopped)
            container.settle(records)
            self.state.save_containers(records)
        return 0

    def listed(self, everything: bool = False) -> list[tuple[Json, str, str]]:
        """(record, status, health) of each container that `ps` shows."""
        records, switches = self.state.containers(), self.state.switches()
        rows = [(record, *container.status(record, records, switches)) for record in self.own(records).values()]
        return [row for row in rows if everything or row[1] != "exited"]

    def config(self) -> Json:
        services: Json = {}
        for name, service in self.project.services.items():
            environment = {key: value.replace("$", "$$") for key, value in sorted(self.project.environment(name).items())}
            rest = {key: value for key, value in service.items() if key not in ("env_file", "environment")}
            networks = dict.fromkeys(self.project.networks(name))
            services[name] = {**rest, "image": self.project.image(name), "environment": environment, "networks": networks}
        return {"name": self.project.name, "services": services}

    def say(self, name: str, what: str) -> None:
        print(f" Container {name}  {what}", file=sys.stderr)
