"""No secret leaves the process: not at -vvvv, not in a diff, not in argv, not in a file."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import typing as t
from pathlib import Path

import pytest

from tests.demo import Demo, demo, page_a

WRONG_PASSWORD = "canary wrong master password"
TOKEN = re.compile(r"eyJ[\w-]{20,}\.eyJ|eyJhcGkiOiAiaHR0cHM6")  # a JWT; a session, which is base64 of {"api": "https: and so on
# What the roles register, except the sessions, which are meant to be handed on.
_REGISTERED = [
    *(f"licensing__{name}" for name in ("stack", "preflight", "license", "billing_sync", "sponsorships")),
    *(f"server__{name}" for name in ("settings", "stack")),
]


@pytest.fixture
def page() -> t.Iterator[Demo]:
    with demo() as found:
        yield found


class Watch(threading.Thread):
    """Collects arguments and environment of every process of a demo's runs, and every temporary file, until it is stopped."""

    def __init__(self, page: Demo) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self._mark = str(page.directory).encode()
        self._temporary = [page.directory / "ansible", page.directory / "tmp"]
        self.files = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.005):
            self._look_at_files()
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):  # it ended meanwhile
                    environment = (folder / "environ").read_bytes()
                    if self._mark in environment:
                        self.seen |= {environment, (folder / "cmdline").read_bytes()}

    def _look_at_files(self) -> None:
        for file in (file for folder in self._temporary for file in _walk(folder)):
            with contextlib.suppress(OSError):  # it is gone again
                self.seen.add(file.read_bytes())
                self.files += 1

    def stop(self) -> bytes:
        self._done.set()
        self.join()
        return b"\0".join(self.seen)


def _walk(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):  # folders come and go
        return [path for path in folder.rglob("*") if path.is_file()]
    return []


def secrets_of(page: Demo) -> dict[str, str]:
    """Every secret of the flow by a name for it: people's, the installation's, the file's and the servers' own."""
    found = {"installation key": page.lab.facts["installation_key"], "wrong password": WRONG_PASSWORD}
    for label in ("owner", "cloud_owner"):
        found |= {f"{label} {part}": getattr(page.lab.people[label], part) for part in ("client_secret", "master_password")}
    for row in page.lab.rows("eu", "organization_api_key") + page.lab.rows("selfhost", "organization_api_key"):
        found[f"organization key {row['id']}"] = row["apiKey"]
    for row in page.lab.rows("eu", "organization"):
        found[f"license key of {row['name']}"] = row["licenseKey"]
    env = (page.stack.bwdata / "env" / "global.override.env").read_text()
    for key in (
        "installation__key",
        "internalIdentityKey",
        "oidcIdentityClientKey",
        "identityServer__certificatePassword",
        "duo__aKey",
    ):
        found[key] = next(line.split("=", 1)[1] for line in env.splitlines() if line.startswith(f"globalSettings__{key}="))
    found["database password"] = t.cast("re.Match[str]", re.search(r"Password=([^;]+);", env))[1]
    return found


def leaks(text: str, page: Demo) -> list[str]:
    """The names of the secrets that a text holds."""
    found = [name for name, value in secrets_of(page).items() if len(value) > 3 and value in text]
    return found + (["a token"] if TOKEN.search(text) else [])


def test_secrets_stay_inside(page: Demo) -> None:
    watch = Watch(page)
    watch.start()
    outputs = [page.playbook("--check", "--diff", "-vvvv"), page.playbook("--diff", "-vvvv"), page.playbook("--diff", "-vvvv")]
    page.lab.delete_row("selfhost", "connection", page.lab.rows("selfhost", "connection")[0]["id"])
    cloud = page_a(page.lab, page.stack)["licensing_cloud"]
    page.declare(licensing_cloud={**cloud, "master_password": WRONG_PASSWORD})
    failed = page.playbook("--diff", "-vvvv")
    processes = watch.stop().decode(errors="replace")

    assert [done.code for done in outputs] == [0, 0, 0], outputs[-1].output
    assert failed.code != 0
    assert "ansible-playbook" in processes
    assert watch.files
    for done in (*outputs, failed):
        assert leaks(done.output, page) == []
    assert leaks(processes, page) == []
    left = [path for path in (page.directory / "ansible").rglob("*") if path.is_file()]
    assert [str(path) for path in left if leaks(path.read_text(errors="replace"), page)] == []


def test_registered_results_hold_no_secret(page: Demo) -> None:
    tasks = [{"ansible.builtin.debug": {"var": name}} for name in _REGISTERED]
    plays: list[dict[str, t.Any]] = [
        {"ansible.builtin.import_playbook": "bw.selfhost.families_sponsorship"},
        {"hosts": "bitwarden", "gather_facts": False, "tasks": tasks},
    ]
    file = page.directory / "shown.yml"
    file.write_text(json.dumps(plays))
    done = page.playbook("-vvv", playbook=str(file))
    assert done.code == 0, done.output
    assert "VARIABLE IS NOT DEFINED" not in done.output
    assert leaks(done.output, page) == []
