"""`Stack`: install a stand-in, look at its containers, set its failure switches, read its call log."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import compose, container, script, script_files, setup, setup_run, templates
from .state import State

KEY_CONNECTOR_VERSION = "2025.11.0"
INSTALLATION_ID = "6f2c7a3e-5b1d-4e0c-9a57-b2f400c0ffee"
INSTALLATION_KEY = "Q7pWc2LmX9vRt4KzB8nY"

#: Every failure switch: its values and what it does. True means always, a number the next that many times.
SWITCHES = {
    "pull_fails": "True | N: `compose pull` fails with 1, so restart ends with the stack down",
    "up_fails": "True | N: `compose up` fails with 1, half of the containers are there",
    "setup_pull_fails": "True | N: `docker pull` of the Setup image fails with 1 (at the end of a restart: the stack is up)",
    "print_fails": "True | N: the last phase of a restart fails with 1, the stack is up",
    "setup_crash": "True | N: Setup ends with 134 in rebuild, updateconf, update; no file is touched, the stack is down",
    "setup_message": "TEXT | True | N: Setup prints the text (a validation message), does nothing and ends with 0",
    "setup_running": "True | N: another container named `setup` exists: exit 125 (two real calls at once collide as well)",
    "setup_seconds": "SECONDS: how long the Setup container runs",
    "unhealthy": "SERVICE | SERVICE:KEY=VALUE | list: health `unhealthy` (of containers whose environment has that pair)",
    "restarting": "as unhealthy: the container restarts in a loop, exit code 134",
    "starting": "as unhealthy: the container stays `starting`",
    "missing": "SERVICE | list: `up` does not create it (mssql: updatedb ends with 125; nginx: nothing listens)",
    "readiness_delay": "SECONDS from start to `healthy`, of containers created from now on",
    "download": "404 | 503 | 'curl:6' | ...: updaterun, update, updateself cannot download; the old scripts stay",
    "release": "VERSION that updateself downloads",
    "daemon_down": "True: every docker command that needs the daemon fails with 1",
    "hang": "start | pull | up: the script waits in that phase until it is killed or the switch is cleared",
    "certbot_question": "True: the purge question of scripts 2025.12.1 - 2026.1.0 between pull and up",
    "lazy_env": "True: only `compose up` and `config` read env files, so a bad line stops the stack at a restart",
    "image_env": "{KEY: VALUE}: additional ENV of every image",
}


@dataclass(frozen=True)
class Container:
    """A container as it is now. C(environment) is what it was created with.

    C(running) is False while the container is stopped or restarts in a loop; C(status) is docker's State.Status; C(created) and
    C(started) are seconds since the epoch.
    """

    service: str
    name: str
    environment: dict[str, str]
    image: str
    running: bool
    health: str | None
    created: float
    started: float
    status: str

    @property
    def version(self) -> str:
        return self.image.rpartition(":")[2]


@dataclass(frozen=True)
class Call:
    """One run of a tool. C(argv) holds the arguments without the tool, C(exit_code) is None when it did not come to its end."""

    tool: str
    argv: list[str]
    uid: int
    stdin: str
    exit_code: int | None
    time: float


class Stack:
    """The installation in `directory`. The scripts there work without this process, for any user who can reach the directory."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory).resolve()
        self.bwdata = self.directory / "bwdata"
        self.bin = self.directory / "bin"
        self.script = self.directory / "bitwarden.sh"
        self.state = State(str(self.directory))
        self._cache: dict[str, tuple[tuple[int, int, int], dict[str, t.Any]]] = {}

    @classmethod
    def install(
        cls,
        directory: str | os.PathLike[str],
        *,
        domain: str = "vault.example.com",
        region: str = "US",
        installation_id: str = INSTALLATION_ID,
        installation_key: str = INSTALLATION_KEY,
        version: str = "2026.8.0",
        readiness_delay: float = 0.0,
        started: bool = True,
        owner: tuple[int, int] | None = None,
        config: t.Mapping[str, t.Any] | None = None,
    ) -> Stack:
        """What the installer leaves behind for a server with its own certificate.

        `owner`: uid and gid of the account that runs the scripts, default the current one (LOCAL_UID is 65534 for root).
        `config`: config.yml keys that differ.
        """
        stack = cls(directory)
        versions = templates.Versions(version, version, KEY_CONNECTOR_VERSION)
        uid, gid = owner or (os.geteuid(), os.getegid())
        mask = os.umask(0o022)
        try:
            stack._install_tools(versions, readiness_delay)
            settings: dict[str, t.Any] = {"url": f"https://{domain}", **_certificate(domain), **(config or {})}
            answers = {"id": installation_id, "key": installation_key, "region": region}
            stack._install_data(versions, settings, answers, (uid, gid))
            if owner:
                stack._give_to(uid, gid)
        finally:
            os.umask(mask)
        if started:
            stack.start()
        return stack

    def _install_tools(self, versions: templates.Versions, readiness_delay: float) -> None:
        """Launchers and a copy of these modules, so that a user who cannot read this repository can run them."""
        home = Path(self.state.home)
        for path, mode in ((self.directory, 0o755), (home, 0o777), (self.bin, 0o755)):
            path.mkdir(mode, parents=True, exist_ok=True)
            path.chmod(mode)
        package = home / "lib" / "standin"
        shutil.copytree(
            Path(__file__).parent, package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__init__.*", "*.pyc.*")
        )
        (package / "__init__.py").touch()
        package.chmod(0o777)
        for name in ("lock", "setup.lock", "calls.jsonl"):
            (home / name).write_bytes(b"")
            (home / name).chmod(0o666)
        self.clear_switches()
        self.state.write("settings.json", {"readiness_delay": readiness_delay})
        self.state.save_containers({})
        self._launcher(home / "bitwarden", "bitwarden.sh", "script")
        self._launcher(self.bin / "docker", "docker", "docker_cli")
        self._launcher(self.bin / "docker-compose", "docker-compose", "compose_cli")
        script_files.write_script(str(self.script), self.state, versions)

    def _launcher(self, path: Path, tool: str, module: str) -> None:
        path.write_text(
            f"#!{interpreter()} -IS\nimport sys\nsys.path.insert(0, {str(Path(self.state.home) / 'lib')!r})\n"
            f"from standin import state, {module}\nstate.run({str(self.directory)!r}, {tool!r}, sys.argv[1:], {module}.main)\n",
            encoding="utf-8",
        )
        path.chmod(0o755)

    def _install_data(
        self, versions: templates.Versions, settings: dict[str, t.Any], answers: dict[str, str], owner: tuple[int, int]
    ) -> None:
        root = str(self.bwdata)
        setup_run.write_ids(root, *owner)
        script_files.write_run_script(str(self._made("scripts") / "run.sh"))
        for name in ("certificate.crt", "private.key"):
            path = self._made(f"ssl/{templates.domain(settings)}") / name
            path.write_text("placeholder\n", encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()):
            setup.Setup(root, versions).install(settings, answers)
        setup_run.chown_all(root)

    def _made(self, name: str) -> Path:
        path = self.bwdata / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _give_to(self, uid: int, gid: int) -> None:
        self.directory.chmod(0o700)
        for path in (self.directory, self.script, self.bin, *self.bin.iterdir()):
            os.chown(path, uid, gid)

    def start(self) -> None:
        """Bring the stack up from this process, without a line in the call log."""
        for name in script.DIRECTORIES:
            self._made(name)
        setup_run.chown_all(str(self.bwdata))
        directory = self.bwdata / "docker"
        names = ("docker-compose.yml", "docker-compose.override.yml")
        files = [str(directory / name) for name in names if (directory / name).exists()]
        with contextlib.redirect_stderr(io.StringIO()):
            compose.Engine(self.state, compose.Project(files, str(directory))).up([])
        script_files.write_failure_logs(self.state, str(self.bwdata))

    # looking
    def environment(self) -> dict[str, str]:
        """What a process needs to find this docker first."""
        return {"PATH": f"{self.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}

    def containers(self) -> dict[str, Container]:
        """By service. Cheap enough to be asked at every request."""
        records, switches = self._read("containers.json"), {**self._read("settings.json"), **self._read("switches.json")}
        found = {}
        for record in records.values():
            status, health = container.status(record, records, switches)
            found[record["service"]] = Container(
                service=record["service"],
                name=record["name"],
                environment=record["environment"],
                image=record["image"],
                running=status == "running",
                health=health,
                created=record["created"],
                started=record["started"],
                status=status,
            )
        return found

    def _read(self, name: str) -> dict[str, t.Any]:
        """The JSON file, parsed again only when it was replaced."""
        try:
            status = os.stat(self.state.path(name))
        except FileNotFoundError:
            return {}
        signature = (status.st_mtime_ns, status.st_ino, status.st_size)
        cached = self._cache.get(name)
        if cached is None or cached[0] != signature:
            cached = self._cache[name] = (signature, self.state.read(name))
        return cached[1]

    def calls(self) -> list[Call]:
        """In the order they began."""
        found: dict[str, dict[str, t.Any]] = {}
        for line in Path(self.state.path("calls.jsonl")).read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            found.setdefault(entry["id"], {}).update(entry)
        return [
            Call(entry["tool"], entry["argv"], entry["uid"], entry["stdin"], entry.get("exit"), entry["time"])
            for entry in found.values()
            if "tool" in entry
        ]

    def clear_calls(self) -> None:
        Path(self.state.path("calls.jsonl")).write_text("", encoding="utf-8")

    # doing
    def switch(self, name: str, value: t.Any = True) -> None:
        """Set a failure switch (see SWITCHES); False or None clears it."""
        if name not in SWITCHES:
            raise KeyError(f"no switch {name!r}; there are: {', '.join(SWITCHES)}")
        self.state.set_switch(name, value)
        if name in ("unhealthy", "restarting"):
            script_files.write_failure_logs(self.state, str(self.bwdata))

    def clear_switches(self) -> None:
        with self.state.lock():
            self.state.write("switches.json", {})

    def run(self, *command: str, answer: str = "y\n", **options: t.Any) -> subprocess.CompletedProcess[str]:
        """Run bitwarden.sh (`run("restart")`) with an answer to the root question; `run("docker", ...)` for the other tools."""
        is_docker = bool(command) and command[0] in ("docker", "docker-compose")
        words = [str(self.bin / command[0]), *command[1:]] if is_docker else [str(self.script), *command]
        environment = {**os.environ, **self.environment(), **options.pop("env", {})}
        return subprocess.run(words, input=answer, text=True, capture_output=True, env=environment, check=False, **options)


def _certificate(domain: str) -> dict[str, str]:
    return {"ssl_certificate_path": f"/etc/ssl/{domain}/certificate.crt", "ssl_key_path": f"/etc/ssl/{domain}/private.key"}


def interpreter() -> str:
    """A Python that every user of this machine can run and that starts fast: the system's, if there is one."""
    system = "/usr/bin/python3"
    return os.path.realpath(system if os.path.exists(system) else sys.executable)
