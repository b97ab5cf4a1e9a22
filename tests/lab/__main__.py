"""The lab for people: C(python -m tests.lab up) and C(down)."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

from tests.lab import FACTS, Lab, scenarios, versions

if t.TYPE_CHECKING:
    from tests.lab.stack import Stack

_PID, _URL = "lab.pid", "proxy.url"


def main() -> int:
    """Run a command."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start a cloud US, a cloud EU and a self-hosted server on loopback")
    up.add_argument("--scenario", choices=scenarios.NAMES, default="page_a")
    up.add_argument("--version", default=versions.LATEST, help="release of the self-hosted server")
    up.add_argument("--cloud-version", default=versions.LATEST, help="release of the clouds")
    up.add_argument("--port", type=int, default=0, help="of the proxy; default: a free one")
    up.add_argument("--with-stack", action="store_true", help="install a stand-in stack in DIRECTORY/server, attached to the lab")
    up.add_argument("--detach", action="store_true", help="return when it is up; end it with down")
    down = commands.add_parser("down", help="end a lab")
    for command in (up, down):
        command.add_argument("--directory", type=Path, required=command is down, help="of the lab's files")
    options = parser.parse_args()
    return {"up": _up, "down": _down}[options.command](options)


def _up(options: argparse.Namespace) -> int:
    if options.detach:
        return _detach(options)
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.directory or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        stack = _stack(directory / "server", options.version) if options.with_stack else None
        done = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_unused: done.set())
        releases = {"version": options.version, "cloud_version": options.cloud_version}
        with Lab(directory, scenario=options.scenario, stack=stack, port=options.port, **releases) as lab:
            (directory / _PID).write_text(f"{os.getpid()}\n")
            print(_told(lab), flush=True)
            _write_whole(directory / _URL, f"{lab.proxy_url}\n")
            done.wait()
        for name in (_PID, _URL):
            (directory / name).unlink()
    return 0


def _write_whole(path: Path, text: str) -> None:
    """Others wait for this file, and must not find half of it."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


def _stack(directory: Path, version: str) -> Stack:
    """Install a stand-in stack, or find the one that is already there."""
    from tests.lab.stack import Stack

    if (directory / "bwdata").exists():
        return Stack(directory)
    keys = {"installation_id": FACTS["installation_id"], "installation_key": FACTS["installation_key"]}
    return Stack.install(directory, region=FACTS["region"].upper(), version=version, **keys)


def _detach(options: argparse.Namespace) -> int:
    """Start the same command once more, in the background, and wait until it is up."""
    if options.directory is None:
        print("--detach needs --directory", file=sys.stderr)
        return 2
    options.directory.mkdir(parents=True, exist_ok=True)
    (options.directory / _URL).unlink(missing_ok=True)
    words = [word for word in sys.argv[1:] if word != "--detach"]
    with (options.directory / "lab.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.lab", *words]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    while not (options.directory / _URL).exists():
        if child.poll() is not None:
            print((options.directory / "lab.log").read_text(), file=sys.stderr)
            return 1
        time.sleep(0.02)
    print((options.directory / "lab.log").read_text(), end="")
    return 0


def _down(options: argparse.Namespace) -> int:
    path = options.directory / _PID
    if not path.exists():
        print(f"no lab is running in {options.directory}")
        return 0
    number = int(path.read_text())
    try:
        os.kill(number, signal.SIGTERM)
    except ProcessLookupError:  # it ended without cleaning up
        path.unlink()
    for _unused in range(500):
        if not path.exists():
            return 0
        time.sleep(0.02)
    print(f"process {number} does not end", file=sys.stderr)
    return 1


def _told(lab: Lab) -> str:
    """Return what people need to use it."""
    lines = ["A Bitwarden lab is up: cloud US, cloud EU and a self-hosted server.", ""]
    lines += [f"  {name:26}{value}" for name, value in lab.facts.items()]
    lines += ["", "Web vaults: https://vault.bitwarden.com, https://vault.bitwarden.eu, " + lab.facts["server_url"]]
    lines += ["", "People (server, e-mail, master password, API key):"]
    lines += [
        f"  {label:14}{who.server:10}{who.email:22}{who.master_password!r:29}{who.client_id} {who.client_secret}"
        for label, who in lab.people.items()
    ]
    lines += ["", "In a shell that is to talk to it:", ""]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in lab.environment().items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
