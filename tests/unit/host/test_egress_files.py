# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Program, state and units as files; Docker's networks and the connection's ends as read from the system."""

from __future__ import annotations

import ast
import io
import json
import os
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host import management
from ansible_collections.bw.selfhost.plugins.module_utils._host.container_networks import Network, elsewhere, parse, settled
from ansible_collections.bw.selfhost.plugins.module_utils._host.egress_files import (
    LOCK,
    PROGRAM,
    STATE,
    UNIT_DIRECTORY,
    EgressFiles,
    state_file,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress_units import RESTORE, UNITS
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import program as packing
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.program import program

from tools import metrics

STATE_CONTENT = {"known": {"api.bitwarden.com": {"203.0.113.10": None}}}
UNIT = f"{UNIT_DIRECTORY}/{RESTORE}"
WANTED = {STATE: state_file(STATE_CONTENT), PROGRAM: b"#!/usr/bin/env python3\nPK", UNIT: b"[Unit]\n"}
ENTRY = "ansible_collections.bw.selfhost.plugins.module_utils._model.firewall"


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with the directories that every system has."""
    for name in ("usr/local/lib", "var/lib", "etc/systemd/system", "run"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_files_are_written_once(root: Path) -> None:
    files = EgressFiles(root)
    assert files.state() is None
    plan = files.plan(WANTED)
    assert [(change.action, change.name) for change in plan.changes] == [("create", STATE), ("create", PROGRAM), ("create", UNIT)]
    files.apply(plan, WANTED)
    assert files.state() == STATE_CONTENT
    modes = {name: stat.S_IMODE((root / name.lstrip("/")).stat().st_mode) for name in WANTED}
    assert modes == {STATE: 0o600, PROGRAM: 0o755, UNIT: 0o644}
    assert not files.plan(WANTED).changed


def test_only_what_differs_is_written(root: Path) -> None:
    files = EgressFiles(root)
    files.apply(files.plan(WANTED), WANTED)
    (root / UNIT.lstrip("/")).chmod(0o600)
    changed = {**WANTED, PROGRAM: b"another"}
    plan = files.plan(changed)
    assert [(change.action, change.name, sorted(change.before)) for change in plan.changes] == [
        ("update", PROGRAM, ["sha256"]),
        ("update", UNIT, ["permissions"]),
    ]
    files.apply(plan, changed)
    assert not files.plan(changed).changed


def test_nothing_is_left(root: Path) -> None:
    before, files = everything(root), EgressFiles(root)
    every = {**WANTED, **{f"{UNIT_DIRECTORY}/{name}": b"[Unit]\n" for name in UNITS}}
    files.apply(files.plan(every), every)
    fewer = files.plan(WANTED)
    assert {change.action for change in fewer.changes} == {"delete"}
    files.apply(fewer, WANTED)
    with files.lock(1):
        files.apply(files.plan({}), {})
    assert everything(root) == before
    files.apply(files.plan({}), {})  # and once more


def test_somebody_elses_file_in_our_directory_stays(root: Path) -> None:
    files = EgressFiles(root)
    files.apply(files.plan(WANTED), WANTED)
    theirs = root / "var/lib/bw-selfhost/theirs"
    theirs.touch()
    files.apply(files.plan({}), {})
    assert theirs.exists()


def test_the_state_alone_is_written_when_it_differs(root: Path) -> None:
    files = EgressFiles(root)
    files.apply(files.plan(WANTED), WANTED)
    assert not files.write_state(STATE_CONTENT)
    assert files.write_state({"known": {}})
    assert files.state() == {"known": {}}
    assert [change.name for change in files.plan(WANTED).changes] == [STATE]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"state": {}}', b'{"version": 2, "state": {}}', b'{"version": 1, "state": 7}', b"\xff"]
)
def test_a_damaged_state_is_named_with_its_remedy(root: Path, content: bytes) -> None:
    path = root / STATE.lstrip("/")
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SelfhostError, match="state of the egress permissions") as caught:
        EgressFiles(root).state()
    assert caught.value.field == STATE
    assert "Remove this file" in (caught.value.remedy or "")


def test_one_run_at_a_time(root: Path) -> None:
    files, inside, go = EgressFiles(root), threading.Event(), threading.Event()

    def hold() -> None:
        with EgressFiles(root).lock(1):
            inside.set()
            go.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(10)
    with pytest.raises(SelfhostError, match="Another run"), files.lock(0.05):
        pytest.fail("two runs at once")
    go.set()
    with files.lock(10):
        pass
    holder.join()
    assert not (root / LOCK.lstrip("/")).exists()


def test_the_program_holds_all_it_imports_and_nothing_else() -> None:
    archive = zipfile.ZipFile(io.BytesIO(program(ENTRY)))
    prefix = "ansible_collections/bw/selfhost/plugins/module_utils/_model/"
    names = set(archive.namelist())
    assert {f"{prefix}firewall.py", f"{prefix}plan.py", f"{prefix}__init__.py", "__main__.py"} <= names
    assert {name for name in names if name.endswith(".py") and not name.endswith("__init__.py")} == {
        "__main__.py",
        f"{prefix}firewall.py",
        f"{prefix}plan.py",
    }
    assert archive.testzip() is None


def test_every_import_is_found() -> None:
    """The program's own way to read imports sees what Python's does."""
    ours = "ansible_collections.bw.selfhost."
    for path in (metrics.ROOT / "plugins/module_utils").rglob("*.py"):
        source = path.read_text()
        nodes = [
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ours)
        ]
        expected = {node.module for node in nodes} | {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
        assert expected <= set(packing._imports(source)), path
        assert not [
            node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) and node.names[0].name.startswith(ours)
        ]


def test_the_program_is_the_same_wherever_and_whenever_it_is_made(tmp_path: Path) -> None:
    made = f"import sys; from {program.__module__} import program; sys.stdout.buffer.write(program({ENTRY!r}))"
    copy = tmp_path / "collection.zip"
    copy.write_bytes(program(program.__module__))
    with zipfile.ZipFile(copy, "a") as archive:
        source = zipfile.ZipFile(io.BytesIO(program(ENTRY)))
        for name in sorted(set(source.namelist()) - set(archive.namelist())):
            archive.writestr(name, source.read(name))
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    # From an archive, as inside of a module that Ansible has sent.
    found = subprocess.run([sys.executable, "-c", made], cwd=tmp_path, env=environment, capture_output=True, check=True).stdout
    assert found == program(ENTRY)


def test_a_program_without_sources_is_refused() -> None:
    with pytest.raises(SelfhostError, match="source of the program"):
        program("ansible_collections.bw.selfhost.plugins.module_utils._model.no_such_thing")


def network(**fields: object) -> dict[str, object]:
    """A document of docker network inspect, as Docker 20.10 prints it."""
    ipam = {"Driver": "default", "Options": None, "Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]}
    labels = {"com.docker.compose.project": "docker", "com.docker.compose.network": "public"}
    base = {"Name": "docker_public", "Id": "0123456789abcdef" * 4, "Driver": "bridge", "Internal": False, "IPAM": ipam}
    return {**base, "Options": {}, "Labels": labels, **fields}


def test_networks_with_a_way_out() -> None:
    default = {"com.docker.network.bridge.name": "docker0"}
    both = {"Config": [{"Subnet": "fd00:17::1/64"}, {"Subnet": "172.17.0.0/16"}, {}]}
    text = json.dumps(
        [
            network(),
            network(Name="docker_default", Internal=True),
            network(Name="bridge", Options=default, IPAM=both, Labels=None),
            network(Name="lan", Driver="macvlan"),
            network(Name="other", Options=None, IPAM={"Config": None}, Labels={"com.docker.compose.project": "shop"}),
        ]
    )
    assert parse(text, "docker") == [
        Network("docker_public", "br-0123456789ab", ("172.18.0.0/16",), True),
        Network("bridge", "docker0", ("172.17.0.0/16", "fd00:17::/64"), False),
        Network("other", "br-0123456789ab", (), False),
    ]
    assert parse("", "docker") == []


def test_work_is_done_again_while_networks_change(tmp_path: Path) -> None:
    database, left = tmp_path / "local-kv.db", [3, 2, 1, 0]

    def work() -> None:
        if number := left.pop(0):
            database.touch()
            os.utime(database, (number, number))

    settled(str(database), work)
    assert left == []
    left.append(0)
    settled(str(tmp_path / "none"), work)
    assert left == []


def test_bridges_that_are_not_here() -> None:
    here, there = Network("a", "lo", (), True), Network("b", "br-0123456789ab", (), True)
    assert elsewhere([here, there]) == [there]


def test_the_ends_of_the_connection_are_found_behind_privilege_escalation() -> None:
    """The variables are dropped on the way, as sudo does, and only an ancestor has them."""
    code = f"from {management.__name__} import ends; print(*ends())"
    path = os.pathsep.join(["collections", *sys.path])
    inner = ["env", "-i", f"PYTHONPATH={path}", sys.executable, "-c", code]
    variables = {"SSH_CONNECTION": "198.51.100.7 50022 ::ffff:192.0.2.1 22", "SSH_CLIENT": "fe80::1%eth0 50022 22"}
    shell = ["sh", "-c", '"$@"; exit', "sh", *inner]
    found = subprocess.run(shell, env={**os.environ, **variables}, capture_output=True, text=True, check=True).stdout
    assert {"198.51.100.7", "192.0.2.1", "fe80::1"} <= set(found.split())
