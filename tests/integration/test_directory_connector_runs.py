# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module directory_connector as a program among others: installed, killed, run twice at once, watched, removed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import threading
import time
import typing as t
import zipfile
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host.lock import Held
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.connector_session import synchronize

from tests.bwdc import G1, G2, G3, Bwdc, people
from tests.integration.connector_helpers import SYNC, Host, kinds, ldap
from tests.lab import Lab
from tools import metrics

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def host(lab: Lab, tmp_path: Path) -> Host:
    """A machine where nothing is installed yet."""
    return Host(lab, Bwdc(tmp_path / "world", lab.proxy_url), tmp_path)


@contextlib.contextmanager
def elsewhere(host: Host, before: str = "", **options: t.Any) -> t.Iterator[subprocess.Popen[str]]:
    """The module in a process of its own; C(before) is done in it first."""
    script = (
        f"import os, sys, json\n{before}\nfrom tests.integration.module_runner import run_module\n"
        "print(json.dumps(run_module('directory_connector', json.load(sys.stdin))))\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{metrics.ROOT / 'collections'}:{metrics.ROOT}"}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, env=environment, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdin
        process.stdin.write(json.dumps(host.params(**options)))
        process.stdin.close()
        process.stdin = None
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition: t.Callable[[], object]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


# --- installation ---


def test_another_archive_replaces_the_program_and_leaves_nothing_of_the_old_one(host: Host) -> None:
    first = host.succeed()
    assert ("program", str(host.program)) in kinds(first)
    host.version = G3
    assert kinds(host.succeed())[0] == ("program", str(host.program))
    current = host.program / "current"
    assert {path.name for path in host.program.iterdir()} == {"current", os.readlink(current)}
    assert {path.name for path in current.iterdir()} == {"bwdc", "dc_native.linux-x64-gnu.node"}
    assert stat.S_IMODE((current / "bwdc").stat().st_mode) == 0o755


def test_an_installed_program_needs_no_archive(host: Host) -> None:
    params = host.params()
    host.succeed()
    Path(params["archive"]).unlink()
    host.options = {"archive": None, "sha256": None, "version": None}
    assert not host.succeed(run="test")["changed"]
    host.refuse("version", "says that it is version 2026.6.1, not 2026.7.0", version=G3)


def packed(host: Host, *entries: tuple[str, int], **extra: bytes) -> dict[str, t.Any]:
    """Options with an archive of some entries (name, Unix mode) or of a whole release and something more."""
    path = host.folder / "odd.zip"
    if entries:
        with zipfile.ZipFile(path, "w") as archive:
            for name, mode in entries:
                entry = zipfile.ZipInfo(name)
                entry.external_attr = mode << 16
                archive.writestr(entry, b"x")
    else:
        host.world.archive(G2, **extra).path.rename(path)
    return {"archive": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "version": G2}


@pytest.mark.parametrize(
    "name", ["../evil", "/tmp/evil", "a/../../evil", "folder/bwdc", "folder/", "..", "a\\..\\evil", "C:evil/x"]
)
def test_an_archive_that_leads_elsewhere_is_refused(host: Host, name: str) -> None:
    host.refuse("archive", f"it holds {name!r}", **packed(host, **{name: b"evil"}))
    assert not list(host.folder.rglob("evil"))
    assert not host.program.exists()


def test_other_odd_archives_are_refused(host: Host) -> None:
    host.refuse("archive", "not an archive of the connector", **packed(host, ("other", 0o100644)))
    host.refuse("archive", "it holds 'bwdc'", **packed(host, ("bwdc", 0o120777)))
    twice = host.folder / "odd.zip"
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("bwdc", b"x")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("bwdc", b"x")
    host.refuse("archive", "it holds 'bwdc'", archive=str(twice), sha256=hashlib.sha256(twice.read_bytes()).hexdigest())
    twice.write_bytes(b"no archive")
    host.refuse("archive", "cannot be unpacked", archive=str(twice), sha256=hashlib.sha256(b"no archive").hexdigest())


def test_a_program_that_is_another_version_is_not_put_in_use(host: Host) -> None:
    host.succeed()
    before = host.tree()
    host.version = G3
    host.world.switch(version="2026.6.9")
    host.fail("version", "says that it is version 2026.6.9, not 2026.7.0")
    assert host.tree() == before


def test_a_program_that_does_not_run_here_is_not_put_in_use(host: Host) -> None:
    result = host.run(**packed(host, ("bwdc", 0o100755)))
    assert result["failed"]
    assert result["error"]["remedy"]
    assert {path.name for path in host.program.iterdir()} == set()


@needs_root
def test_it_runs_as_its_user_and_belongs_to_it(host: Host) -> None:
    account = pwd.getpwnam("nobody")
    for folder in (host.folder, *host.folder.parents):
        if folder == Path("/tmp"):
            break
        folder.chmod(0o755)
    for folder in (host.world.world, host.world.world / "calls"):
        folder.chmod(0o777)
    ca = host.folder / "ca.pem"
    shutil.copy(host.lab.ca_path, ca)
    host.options = {"user": "nobody", "ca_path": str(ca)}
    assert host.succeed(run="sync")["synced"]["users"] == 3
    assert {call.uid for call in host.world.calls()} == {account.pw_uid}
    for path in (host.data, *host.data.iterdir()):
        assert (path.stat().st_uid, path.stat().st_gid) == (account.pw_uid, account.pw_gid)
    assert (host.program / "current/bwdc").stat().st_uid == 0
    assert not host.succeed(run="sync")["changed"]
    host.options = {"ca_path": str(ca)}
    assert not host.succeed(run="sync")["changed"], "without user it is the owner"
    host.file.chmod(0o644)
    os.chown(host.file, 0, 0)
    assert kinds(host.succeed()) == [("file", str(host.file))]


# --- places ---


def test_a_place_that_is_shared_with_something_else_is_refused(host: Host) -> None:
    other = host.data / "precious"
    other.parent.mkdir()
    other.write_text("x")
    host.refuse("data_dir", "holds 'precious'")
    assert run_absent(host)["failed"]
    assert other.exists()
    assert stat.S_IMODE(host.data.stat().st_mode) != 0o700
    shutil.rmtree(host.data)
    host.data.symlink_to(host.folder)
    host.refuse("data_dir", "is not a directory")
    host.data.unlink()
    host.program.symlink_to(host.folder)
    host.refuse("program_dir", "is not a directory")
    assert run_absent(host)["failed"]
    host.program.unlink()
    host.program.mkdir()
    (host.program / "precious").write_text("x")
    host.refuse("program_dir", "holds 'precious'")
    assert run_absent(host)["failed"]


def run_absent(host: Host, check: bool = False) -> dict[str, t.Any]:
    from tests.integration.module_runner import run_module

    return run_module("directory_connector", {"state": "absent", "data_dir": str(host.data), "lock_timeout": 0}, check=check)


def test_absent_leaves_nothing(host: Host) -> None:
    before = {path.name for path in host.folder.iterdir()}
    host.succeed(run="sync")
    tree = host.tree()
    planned = run_absent(host, check=True)
    assert kinds(planned) == [("directory", str(host.program)), ("directory", str(host.data))]
    assert host.tree() == tree
    assert kinds(run_absent(host)) == kinds(planned)
    assert {path.name for path in host.folder.iterdir()} == before
    assert not run_absent(host)["changed"]
    assert len(host.members()) == 3


# --- killed ---


def test_a_run_that_is_killed_between_write_and_rename_can_be_repeated(host: Host) -> None:
    host.succeed(run="sync")
    before = host.document()
    options = {"sync": {**SYNC, "remove_disabled": True}}
    with elsewhere(host, "os.replace = lambda *a: os.kill(os.getpid(), 9)", **options) as process:
        assert process.wait(30) == -9
    assert host.document()["sync"] == before["sync"]
    assert ("connector option", "sync") in kinds(host.succeed(**options))
    assert host.document()["sync"]["removeDisabled"]
    assert host.document()["lastSyncHash"] is None
    assert {path.name for path in host.data.iterdir()} == {"data.json", "bw-selfhost.json", "bw-selfhost.lock"}


@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("version", [G1, G3])
def test_a_first_run_that_is_killed_at_any_replacement_can_be_repeated(host: Host, number: int, version: str) -> None:
    host.version = version
    before = f"""
real, left = os.replace, [{number}]
def replace(*a):
    left[0] -= 1
    os.kill(os.getpid(), 9) if not left[0] else real(*a)
os.replace = replace
"""
    with elsewhere(host, before, run="sync") as process:
        process.wait(60)
    host.succeed(run="sync")
    assert not host.succeed(run="sync")["changed"]
    assert len(host.members()) == 3
    assert len(list(host.program.iterdir())) == 2


def test_the_next_run_waits_for_a_program_whose_run_was_killed(host: Host) -> None:
    host.succeed()
    gate = host.folder / "gate"
    host.world.switch(wait={"sync": str(gate)})
    host.world.clear_calls()
    with elsewhere(host, run="sync") as process:
        wait_for(lambda: "sync" in [call.command for call in host.world.calls()])
        process.kill()
    host.fail("bwdc", f"process {process.pid} since", run="sync")
    gate.touch()
    assert not host.succeed(run="sync", lock_timeout=30)["synced"]["users"], "the orphan has done it"
    assert len(host.members()) == 3


# --- at the same time ---


def test_the_second_of_two_runs_says_who_is_at_it(host: Host) -> None:
    host.succeed()
    gate = host.folder / "gate"
    host.world.switch(wait={"test": str(gate)})
    host.world.clear_calls()
    with elsewhere(host, run="sync") as process:
        wait_for(lambda: "test" in [call.command for call in host.world.calls()])
        before = host.file.read_bytes()
        result = host.fail(str(host.data), f"process {process.pid} since 2", sync={**SYNC, "remove_disabled": True})
        assert "Wait for it" in result["msg"]
        assert host.file.read_bytes() == before
        assert run_absent(host)["failed"]
        with pytest.raises(Held, match=f"process {process.pid} since"):
            synchronize(timer(host))
        gate.touch()
        output, errors = process.communicate(timeout=30)
    assert json.loads(output)["synced"]["users"] == 3, errors
    assert not host.succeed(run="sync")["changed"]


def test_a_program_that_hangs_is_ended(host: Host) -> None:
    host.succeed()
    host.world.switch(wait={"sync": str(host.folder / "never")})
    host.world.clear_calls()
    host.fail("timeout", "did not end in time", run="sync", timeout=3)
    pid = next(call.pid for call in host.world.calls() if call.command == "sync")
    assert not Path(f"/proc/{pid}").exists()
    host.world.switch(wait={})
    assert host.succeed(run="sync")["synced"]["users"] == 3


def test_a_lock_that_somebody_elses_program_holds_is_named(host: Host) -> None:
    host.succeed()
    (host.data / "data.json.lock").mkdir()
    host.fail("data_dir", "Another connector works on the same data", run="sync")


# --- the timer's way ---


def timer(host: Host) -> dict[str, t.Any]:
    names = ("data_dir", "ca_path", "client_id", "client_secret", "lock_timeout")
    params = host.params()
    limits = {"min_directory_users": None, "max_removals": 5, "max_removals_percent": 10, "timeout": 60}
    return {**{name: params[name] for name in names}, **limits, "program_dir": str(host.program)}


def test_a_timer_needs_no_other_options(host: Host) -> None:
    with pytest.raises(SelfhostError, match="no connector that has been set up"):
        synchronize(timer(host))
    host.succeed()
    assert synchronize(timer(host)).values["synced"] == {"users": 3, "groups": 1}
    assert not synchronize(timer(host)).plan.changed
    host.world.populate(people(1))
    with pytest.raises(SelfhostError, match=r"2 of 3 \(67 %\) people of the last sync are missing"):
        synchronize(timer(host))


# --- secrets ---


class Watch(threading.Thread):
    """Collects arguments and environment of every process below this one, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.arguments: set[bytes] = set()
        self.environments: dict[bytes, set[bytes]] = {}
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.001):
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):  # it ended meanwhile
                    arguments = (folder / "cmdline").read_bytes()
                    if b"bwdc" in arguments:
                        self.arguments.add(arguments)
                        self.environments.setdefault(arguments, set()).add((folder / "environ").read_bytes())

    def stop(self) -> None:
        self._done.set()
        self.join()


@pytest.mark.parametrize("version", [G1, G3])
def test_no_secret_is_shown(host: Host, version: str) -> None:
    host.version = version
    password, secret = "canary-password-9f8e", host.key
    directory = {"ldap": ldap(password=password)}
    host.world.server(password=password)
    watch = Watch()
    watch.start()
    results = [
        host.run(check=True, run="sync", directory=directory),
        host.run(run="sync", directory=directory),
        host.run(check=True, run="sync", directory=directory),
        host.run(run="test", directory={"ldap": ldap(password="canary-other-77aa")}),
        host.run(run="sync", directory=directory, client_secret="canary-secret-33bb"),
        host.run(directory={"ldap": ldap(password="canary-third-55cc")}),
    ]
    host.lab.fault("html", path="/connect/token")
    results.append(host.run(run="sync", directory=directory))
    watch.stop()
    tokens = [value for value in json.dumps(host.document()).split('"') if value.startswith("eyJ")]
    canaries = [password, secret, "canary-", *tokens]
    for result in results:
        assert not [canary for canary in canaries if canary in json.dumps(result)]
    assert watch.arguments
    assert not [canary for canary in canaries if canary.encode() in b"".join(watch.arguments)]
    for arguments, environments in watch.environments.items():
        found = [canary for canary in canaries if canary.encode() in b"".join(environments)]
        assert set(found) <= ({secret, "canary-"} if arguments.endswith(b"login\0") else set())
        assert password.encode() not in b"".join(environments)
    left = [path for path in Path("/tmp").glob("bw-selfhost-*") if path.stat().st_uid == os.geteuid()]
    assert not [path for path in left if list(path.glob("data.json"))]


def test_a_text_of_the_program_is_told_without_secrets(host: Host) -> None:
    host.succeed()
    host.lab.fault("page:413", path="/public/organization/import")
    document = host.document()
    document["directoryLdap"]["password"] = "<html>"
    result = host.run(run="sync", directory={"ldap": ldap(password="413 Request")})
    assert result["failed"]
    assert "413 Request" not in json.dumps(result)
