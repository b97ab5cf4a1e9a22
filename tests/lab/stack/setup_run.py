"""`docker run --name setup`: the frame around setup.py that gives it its failures, its lock and the final chown."""

from __future__ import annotations

import os
import sys
import time

from . import setup, state as _state, templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

_CONFLICT = (
    'docker: Error response from daemon: Conflict. The container name "/setup" is already in use by container "5e7u9". '
    "You have to remove (or rename) that container to be able to reuse that name."
)


def run(state: _state.State, root: str, versions: templates.Versions, action: t.Callable[[setup.Setup], None]) -> int:
    """Exit code of `docker run`: 125 name conflict or no daemon, 134 crash, else 0, also after a message of Setup."""
    if state.daemon_down():
        return 125
    try:
        with _state.Lock(state.path("setup.lock"), wait=False):
            if state.take("setup_running"):
                raise BlockingIOError
            state.write("setup.json", {"pid": os.getpid()})  # for a test that waits until Setup runs
            time.sleep(float(state.switches().get("setup_seconds") or 0))
            return _contained(state, root, versions, action)
    except BlockingIOError:
        print(_CONFLICT, file=sys.stderr)
        return 125


def _contained(state: _state.State, root: str, versions: templates.Versions, action: t.Callable[[setup.Setup], None]) -> int:
    try:
        message = state.take("setup_message")
        if message:
            print("Invalid installation id for US region." if not isinstance(message, str) else message)
        else:
            action(setup.Setup(root, versions))
    except setup.SetupCrash as error:
        setup.crash_text(error)
        return 134
    chown_all(root)
    return 0


def update(state: _state.State) -> t.Callable[[setup.Setup], None]:
    """The action of rebuild, update and updateconf."""

    def action(container: setup.Setup) -> None:
        if state.take("setup_crash"):
            raise setup.SetupCrash("System.NullReferenceException: Object reference not set to an instance of an object.")
        container.update()

    return action


def chown_all(root: str) -> None:
    """What the entrypoint does as root; without root nothing can change hands here."""
    if os.geteuid() != 0:
        return
    identity = ids(root)
    uid, gid = identity.get("LOCAL_UID") or 65534, identity.get("LOCAL_GID") or 65534
    os.lchown(root, uid, gid)
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            os.lchown(os.path.join(folder, name), uid, gid)


def ids(root: str) -> dict[str, int]:
    """LOCAL_UID and LOCAL_GID of env/uid.env, as far as they are there."""
    try:
        with open(os.path.join(root, "env/uid.env"), encoding="utf-8") as file:
            pairs = [line.rstrip("\n").partition("=") for line in file]
    except FileNotFoundError:
        return {}
    return {key: int(value) if value.isdigit() else 0 for key, _equals, value in pairs}


def ensure_ids(root: str) -> None:
    """run.sh at any command: the caller's ids when one of the two keys is missing, 0 replaced by 65534."""
    if {"LOCAL_UID", "LOCAL_GID"} <= set(ids(root)):
        return
    write_ids(root, os.geteuid(), os.getegid())


def write_ids(root: str, uid: int, gid: int) -> None:
    os.makedirs(os.path.join(root, "env"), exist_ok=True)
    with open(os.path.join(root, "env/uid.env"), "w", encoding="utf-8") as file:
        file.write(f"LOCAL_UID={uid or 65534}\nLOCAL_GID={gid or 65534}\n")


def command_line(state: _state.State, argv: list[str]) -> int:
    """`docker run ... -v OUT:/bitwarden ... IMAGE /app/Setup -install 1 ...`"""
    volumes = [argv[index + 1] for index, word in enumerate(argv[:-1]) if word in ("-v", "--volume")]
    root = next((volume[: -len(":/bitwarden")] for volume in volumes if volume.endswith(":/bitwarden")), "")
    start = next((index for index, word in enumerate(argv) if word in ("/app/Setup", "Setup.dll")), None)
    if start is None or not os.path.isdir(root):
        print("docker: only the Setup container can be run here.", file=sys.stderr)
        return 125
    words = argv[start + 1 :]
    given = {words[index].lstrip("-"): words[index + 1] for index in range(0, len(words) - 1, 2)}
    tags = templates.Versions(given.get("corev", "latest"), given.get("webv", "latest"), given.get("keyconnectorv", "latest"))
    if "install" in given:
        return run(state, root, tags, installer(given))
    if "update" in given:
        return run(state, root, tags, _database if "db" in given else update(state))
    if "printenv" in given:
        return run(state, root, tags, setup.Setup.print_environment)
    print("No top-level command detected. Exiting...")
    return 0


def _database(_container: setup.Setup) -> None:
    print("Migrating database.")


def installer(given: t.Mapping[str, str]) -> t.Callable[[setup.Setup], None]:
    """`-install 1`. Validation messages are printed, nothing is written then and the exit code stays 0."""

    def action(container: setup.Setup) -> None:
        problem = invalid(given)
        if problem:
            print(problem)
            return
        name = given["domain"].lower()
        managed, own = given.get("letsencrypt") == "y", given.get("ssl") == "own"
        config = {
            "url": f"http{'s' if managed or own else ''}://{name}",
            "ssl": managed or own,
            "ssl_managed_lets_encrypt": managed,
            "ssl_certificate_path": f"/etc/ssl/{name}/certificate.crt" if own else None,
            "ssl_key_path": f"/etc/ssl/{name}/private.key" if own else None,
            "database_docker_volume": given.get("os") == "mac",
        }
        answers = {
            "id": given["install-id"],
            "key": given.get("install-key", ""),
            "region": "EU" if given.get("cloud-region") == "EU" else "US",
            "database": given.get("dbname", "vault"),
        }
        container.install(config, answers)

    return action


def invalid(given: t.Mapping[str, str]) -> str | None:
    """What Setup refuses, in its words."""
    import re

    domain = given.get("domain", "").lower()
    if not re.fullmatch(r"localhost|([a-z0-9_-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*", domain):
        return "Domain is invalid. A valid domain name is required (e.g. bitwarden.example.com)."
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", given.get("install-id", "")):
        return "Invalid installation id."
    return None
