"""The `docker` command of the stand-in."""

from __future__ import annotations

import argparse
import json
import re
import sys

from . import compose_cli, container, setup_run, state as _state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Json = dict[str, t.Any]

DOCKER_VERSION = "28.2.2"


def main(state: _state.State, argv: list[str]) -> int:
    if not argv or argv[0] == "--help":
        print("Usage:  docker [OPTIONS] COMMAND")
        return 0
    if argv[0] in ("--version", "-v"):
        print(f"Docker version {DOCKER_VERSION}, build e6534b4")
        return 0
    if argv[0] == "compose":
        return compose_cli.main(state, argv[1:])
    if argv[0] in ("container", "system") and len(argv) > 1:
        argv = argv[1:] if argv[1] != "ls" else ["ps", *argv[2:]]
        argv = ["inspect", "--type", "container", *argv[1:]] if argv[0] == "inspect" else argv
    handler = COMMANDS.get(argv[0])
    if handler is None:
        print(f"docker: unknown command: docker {argv[0]}\n\nRun 'docker --help' for more information", file=sys.stderr)
        return 1
    return 1 if state.daemon_down() else handler(state, argv[1:])


# docker inspect, ps, logs ...
def inspect(state: _state.State, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="docker inspect")
    parser.add_argument("names", nargs="+")
    parser.add_argument("-f", "--format")
    parser.add_argument("--type", default="")
    parser.add_argument("-s", "--size", action="store_true")
    options = parser.parse_args(argv)
    records, switches = state.containers(), state.switches()
    found: list[Json] = []
    missing = []
    for name in options.names:
        record = find(records, name) if options.type in ("", "container") else None
        if record:
            found.append(container.inspect(record, records, switches))
        elif options.type in ("", "image") and "/" in name:
            found.append(image(name, switches))
        else:
            missing.append(f"Error: No such object: {name}")
    show(found, options.format)
    for line in missing:
        print(line, file=sys.stderr)
    return 1 if missing else 0


def find(records: Json, name: str) -> Json | None:
    """By name, full id or the beginning of an id."""
    wanted = name.lstrip("/")
    for record in records.values():
        if record["name"] == wanted or (len(wanted) >= 4 and record["id"].startswith(wanted)):
            return dict(record)
    return None


def image(name: str, switches: Json) -> Json:
    environment = container.image_environment(name, switches)
    labels = {"com.bitwarden.product": "bitwarden"}
    config = {"Env": [f"{key}={value}" for key, value in environment.items()], "Labels": labels}
    return {"Id": "sha256:" + container.digest(name), "RepoTags": [name], "Config": config}


def show(found: list[Json], template: str | None) -> None:
    """JSON, or one line per object with {{.Path}} and {{json .Path}} filled in."""
    if template in (None, "json"):
        print(json.dumps(found, indent=4 if template is None else None))
        return
    for item in found:
        print(fill(template or "", item))


def fill(template: str, item: t.Any) -> str:
    def value(match: re.Match[str]) -> str:
        data = item
        for part in match.group(2).strip(".").split("."):
            data = data.get(part) if part and isinstance(data, dict) else data
        return json.dumps(data) if match.group(1) else str(data)

    return re.sub(r"\{\{\s*(json\s+)?(\.[\w.]*)\s*\}\}", value, template)


def image_command(state: _state.State, argv: list[str]) -> int:
    action = argv[0] if argv else ""
    if action == "inspect":
        return inspect(state, ["--type", "image", *argv[1:]])
    if action == "prune":
        print("Total reclaimed space: 0B")
        return 0
    return pull(state, argv[1:]) if action == "pull" else 1


def pull(state: _state.State, argv: list[str]) -> int:
    name = argv[-1]
    if state.take("setup_pull_fails"):
        print(f'Error response from daemon: Get "https://ghcr.io/v2/": net/http: request canceled ({name})', file=sys.stderr)
        return 1
    print(f"Status: Image is up to date for {name}\n{name}")
    return 0


def prune(_state_: _state.State, _argv: list[str]) -> int:
    print("Total reclaimed space: 0B")
    return 0


def rows(state: _state.State, everything: bool) -> list[tuple[Json, str]]:
    """(record, STATUS column) in docker's and compose's listings."""
    records, switches = state.containers(), state.switches()
    result = []
    for record in records.values():
        status, health = container.status(record, records, switches)
        if status != "exited" or everything:
            result.append((record, container.status_text(record, status, health)))
    return result


def ps(state: _state.State, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="docker ps")
    parser.add_argument("-a", "--all", action="store_true")
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("--no-trunc", action="store_true")
    parser.add_argument("-f", "--filter", action="append", default=[])
    parser.add_argument("--format")
    options = parser.parse_args(argv)
    table = [row for row in rows(state, options.all) if all(matches(row[0], text) for text in options.filter)]
    if options.quiet:
        print("".join(record["id"][: None if options.no_trunc else 12] + "\n" for record, _status in table), end="")
        return 0
    if not options.format:
        print("CONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES")
    for record, status in table:
        columns = {
            "ID": record["id"][:12],
            "Image": record["image"],
            "Names": record["name"],
            "Status": status,
            "State": {"U": "running", "R": "restarting"}.get(status[0], "exited"),
        }
        if options.format in ("json", "{{json .}}"):
            print(json.dumps(columns))
        else:
            print(fill(options.format or "{{.ID}}   {{.Image}}   -   -   {{.Status}}   -   {{.Names}}", columns))
    return 0


def matches(record: Json, text: str) -> bool:
    kind, _equals, value = text.partition("=")
    if kind == "name":
        return re.search(value, record["name"]) is not None
    labels = container.labels(record)
    key, equals, wanted = value.partition("=")
    return kind != "label" or (key in labels and (not equals or labels[key] == wanted))


def logs(state: _state.State, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="docker logs")
    parser.add_argument("name")
    parser.add_argument("-n", "--tail", default="all")
    parser.add_argument("--since")
    parser.add_argument("-t", "--timestamps", action="store_true")
    options = parser.parse_args(argv)
    records = state.containers()
    record = find(records, options.name)
    if record is None:
        print(f"Error response from daemon: No such container: {options.name}", file=sys.stderr)
        return 1
    lines = container.log_lines(record, records, state.switches())
    print("\n".join(lines if options.tail == "all" else lines[len(lines) - min(int(options.tail), len(lines)) :]))
    return 0


def run_state(stopped: bool) -> t.Callable[[_state.State, list[str]], int]:
    """docker stop / start / restart NAME..."""

    def command(state: _state.State, argv: list[str]) -> int:
        wanted = [word for word in argv if not word.startswith("-") and not word.isdigit()]
        code = 0
        with state.lock():
            records = state.containers()
            for name in wanted:
                record = find(records, name)
                if record is None:
                    print(f"Error response from daemon: No such container: {name}", file=sys.stderr)
                    code = 1
                    continue
                container.set_stopped(records[record["name"]], stopped)
                print(name)
            container.settle(records)
            state.save_containers(records)
        return code

    return command


def version(_state_: _state.State, argv: list[str]) -> int:
    """`docker version` and `docker info`, with `--format` as last option."""
    data = {"Client": {"Version": DOCKER_VERSION}, "Server": {"Version": DOCKER_VERSION}, "ServerVersion": DOCKER_VERSION}
    formatted = len(argv) > 1 and argv[-2] in ("-f", "--format")
    print(fill(argv[-1] if formatted else "Client:\n Version: {{.Client.Version}}\nServer:\n Version: {{.Server.Version}}", data))
    return 0


COMMANDS: dict[str, t.Callable[[_state.State, list[str]], int]] = {
    "inspect": inspect,
    "image": image_command,
    "pull": pull,
    "volume": prune,
    "ps": ps,
    "logs": logs,
    "stop": run_state(stopped=True),
    "start": run_state(stopped=False),
    "restart": run_state(stopped=False),
    "run": setup_run.command_line,
    "version": version,
    "info": version,
}
