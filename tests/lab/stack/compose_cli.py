"""The `docker compose` and `docker-compose` commands of the stand-in."""

from __future__ import annotations

import argparse
import json
import os
import sys

from . import compose, container, state as _state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

COMPOSE_VERSION = "2.36.2"


def main(state: _state.State, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="docker compose")
    parser.add_argument("-f", "--file", action="append", default=[])
    parser.add_argument("-p", "--project-name")
    parser.add_argument("--project-directory")
    parser.add_argument("--ansi")
    parser.add_argument("--progress")
    parser.add_argument("-v", "--version", action="store_true")
    parser.add_argument("command", nargs="?", default="")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    if options.command in ("", "help"):
        print(f"Docker Compose version v{COMPOSE_VERSION}" if options.version else "Usage:  docker compose [OPTIONS] COMMAND")
        return 0
    if options.command == "version":
        print(COMPOSE_VERSION if "--short" in options.rest else f"Docker Compose version v{COMPOSE_VERSION}")
        return 0
    if options.command != "config" and state.daemon_down():
        return 1
    return project_command(state, options)


def project_command(state: _state.State, options: argparse.Namespace) -> int:
    files = options.file or [path for path in os.environ.get("COMPOSE_FILE", "").split(":") if path] or default_files()
    if not files:
        print("no configuration file provided: not found", file=sys.stderr)
        return 1
    files = [os.path.abspath(path) for path in files]
    directory = options.project_directory or os.path.dirname(files[0])
    engine = None
    try:
        engine = compose.Engine(state, compose.Project(files, directory, options.project_name))
        return command(state, engine, options.command, options.rest)
    except compose.ComposeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        for warning in engine.project.warnings if engine else []:
            print(f"level=warning msg={json.dumps(warning)}", file=sys.stderr)


def default_files() -> list[str]:
    return [name for name in ("docker-compose.yml", "docker-compose.override.yml") if os.path.exists(name)]


def command(state: _state.State, engine: compose.Engine, name: str, rest: list[str]) -> int:
    engine.check(late=name in ("up", "config"))
    services = [word for word in rest if word in engine.project.services]
    actions: dict[str, t.Callable[[], int]] = {
        "up": lambda: engine.up(services, "--force-recreate" in rest),
        "down": engine.down,
        "stop": lambda: engine.set_stopped(services, True),
        "start": lambda: engine.set_stopped(services, False),
        "restart": lambda: engine.set_stopped(services, False),
        "pull": lambda: pull(state, engine),
        "config": lambda: config(engine, rest),
        "ps": lambda: ps(engine, services, rest),
    }
    if name in actions:
        return actions[name]()
    print(f'unknown docker command: "compose {name}"', file=sys.stderr)
    return 1


def pull(state: _state.State, engine: compose.Engine) -> int:
    if state.take("pull_fails"):
        print('Error response from daemon: Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host', file=sys.stderr)
        return 1
    for name in engine.project.services:
        print(f" {name} Pulled", file=sys.stderr)
    return 0


def config(engine: compose.Engine, rest: list[str]) -> int:
    """JSON with `--format json`, nothing with `--quiet`, else the service names."""
    if "-q" not in rest and "--quiet" not in rest:
        print(json.dumps(engine.config(), indent=2) if "json" in " ".join(rest) else "\n".join(engine.project.services))
    return 0


def ps(engine: compose.Engine, services: list[str], rest: list[str]) -> int:
    table = [row for row in engine.listed("-a" in rest or "--all" in rest) if not services or row[0]["service"] in services]
    if "-q" in rest or "--quiet" in rest:
        print("".join(record["id"] + "\n" for record, _status, _health in table), end="")
        return 0
    as_json = "json" in " ".join(rest)
    if not as_json:
        print("NAME   IMAGE   COMMAND   SERVICE   CREATED   STATUS   PORTS")
    for record, status, health in table:
        name, image, service = record["name"], record["image"], record["service"]
        if as_json:
            print(json.dumps({"Name": name, "Service": service, "State": status, "Health": health, "Image": image}))
        else:
            print(f"{name}   {image}   -   {service}   -   {container.status_text(record, status, health)}   -")
    return 0
