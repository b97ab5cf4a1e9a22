"""What the stand-in remembers: containers, switches and the call log, as JSON files below C(<directory>/.stack/).

Any user may run the scripts, so everything here is open to all and replaced by rename under a lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    import typing as t

    Json = dict[str, t.Any]


class State:
    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.home = os.path.join(directory, ".stack")

    def path(self, name: str) -> str:
        return os.path.join(self.home, name)

    def lock(self, name: str = "lock") -> Lock:
        return Lock(self.path(name))

    def read(self, name: str) -> Json:
        try:
            with open(self.path(name), encoding="utf-8") as file:
                data: Json = json.load(file)
                return data
        except FileNotFoundError:
            return {}

    def write(self, name: str, data: Json) -> None:
        temporary = self.path(f"{name}.{os.getpid()}")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(data, file)
        os.chmod(temporary, 0o666)
        os.replace(temporary, self.path(name))

    # containers: name -> record, see container.py
    def containers(self) -> Json:
        return self.read("containers.json")

    def save_containers(self, records: Json) -> None:
        self.write("containers.json", records)

    # switches: the value of an unset switch is None
    def switches(self) -> Json:
        return {**self.read("settings.json"), **self.read("switches.json")}

    def set_switch(self, name: str, value: t.Any) -> None:
        with self.lock():
            switches = self.read("switches.json")
            switches.pop(name, None)
            if value is not None and value is not False:
                switches[name] = value
            self.write("switches.json", switches)

    def take(self, name: str) -> t.Any:
        """The value of a switch; a number counts down by one with each call and ends as unset."""
        value = self.switches().get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            self.set_switch(name, value - 1 if value > 1 else None)
        return value

    def daemon_down(self) -> bool:
        """Whether the daemon does not answer, said on stderr as docker says it."""
        if not self.switches().get("daemon_down"):
            return False
        print(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", file=sys.stderr
        )
        return True

    # the call log: one line when a call begins, one more with the exit code when it ends
    def begin(self, tool: str, argv: list[str]) -> str:
        identity = f"{os.getpid()}-{time.time_ns()}"
        entry = {"id": identity, "tool": tool, "argv": argv, "uid": os.geteuid(), "stdin": stdin_kind(), "time": time.time()}
        self.append(entry)
        return identity

    def end(self, identity: str, exit_code: int) -> None:
        self.append({"id": identity, "exit": exit_code})

    def append(self, entry: Json) -> None:
        descriptor = os.open(self.path("calls.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, (json.dumps(entry) + "\n").encode())
        finally:
            os.close(descriptor)


class Lock:
    """An exclusive lock on a file; C(wait=False) raises BlockingIOError when somebody else has it."""

    def __init__(self, path: str, wait: bool = True) -> None:
        self.path = path
        self.wait = wait

    def __enter__(self) -> None:
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | (0 if self.wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(self.descriptor)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        os.close(self.descriptor)


def stdin_kind() -> str:
    """V(closed), V(tty), V(null), V(pipe), V(socket) or V(file)."""
    import stat

    try:
        status = os.fstat(0)
    except OSError:
        return "closed"
    if os.isatty(0):
        return "tty"
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev:
        return "null"
    if stat.S_ISFIFO(status.st_mode):
        return "pipe"
    return "socket" if stat.S_ISSOCK(status.st_mode) else "file"


def names(value: t.Any) -> list[str]:
    """A switch that names services: one name or a list of them."""
    if not value:
        return []
    return [value] if isinstance(value, str) else list(value)


def run(directory: str, tool: str, argv: list[str], main: t.Callable[[State, list[str]], int]) -> None:
    """The frame around every tool: call log and exit code."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    state = State(directory)
    identity = state.begin(tool, argv[4:] if tool == "bitwarden.sh" else argv)
    code = 1
    try:
        code = main(state, argv)
        sys.stdout.flush()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    finally:
        state.end(identity, code)
    sys.exit(code)
