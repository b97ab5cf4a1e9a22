# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files are read whole or refused, and replaced whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace as changed
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

from tools import metrics

OLD, NEW = b"A=1\n" * 1000, b"A=2\n" * 1000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of mode 0640 in a directory of its own."""
    path = tmp_path / "global.override.env"
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def opened(path: Path) -> files.File:
    file = files.read(path)
    assert file is not None
    return file


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert files.read(tmp_path / "none") is None


def test_read_returns_content_owner_and_mode(path: Path) -> None:
    status = path.stat()
    assert files.read(path) == files.File(path, OLD, 0o640, status.st_uid, status.st_gid)


@pytest.mark.parametrize("kind", ["symlink", "dangling", "directory", "fifo", "large"])
def test_what_is_no_configuration_file_is_refused(path: Path, kind: str) -> None:
    other = path.with_name("other")
    if kind == "large":
        with open(other, "wb") as stream:
            stream.truncate(10 * 1024 * 1024)
    else:
        {
            "symlink": lambda: other.symlink_to(path),
            "dangling": lambda: other.symlink_to("nowhere"),
            "directory": other.mkdir,
            "fifo": lambda: os.mkfifo(other),
        }[kind]()
    with pytest.raises(
        SelfhostError,
        match={"large": "10485760 bytes", "fifo": "not a regular", "directory": "not a regular"}.get(kind, "symbolic"),
    ) as caught:
        files.read(other)
    assert caught.value.field == str(other)
    assert caught.value.remedy


def run(path: Path, code: str, **options: int) -> subprocess.CompletedProcess[str]:
    """Run code with `files` and `path` in a process of its own."""
    script = (
        "import sys, os, pathlib\n"
        "from ansible_collections.bw.selfhost.plugins.module_utils._host import files\n"
        "from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError\n"
        "path = pathlib.Path(sys.argv[1])\n" + code
    )
    environment = {**os.environ, "PYTHONPATH": str(metrics.ROOT / "collections"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        **options,
    )


AS_NOBODY = "os.setgid(65534); os.setuid(65534)\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_that_may_not_be_read_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("private") / "secret.env"
    path.touch(mode=0o600)
    code = AS_NOBODY + "try:\n    files.read(path)\nexcept SelfhostError as error:\n    print(error)\n"
    assert run(path, code).stdout.startswith(f"{path}: Permission denied.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_replace_keeps_owner_and_mode(path: Path) -> None:
    os.chown(path, 1234, 2345)
    path.chmod(0o604)
    files.replace(opened(path), NEW)
    status = path.stat()
    assert (path.read_bytes(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (NEW, 0o604, 1234, 2345)
    assert os.listdir(path.parent) == [path.name]


def test_a_new_file_gets_the_mode_it_shall_have(path: Path) -> None:
    new = changed(opened(path), path=path.with_name("new"), data=None, mode=0o600)
    files.replace(new, NEW)
    assert stat.S_IMODE(new.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("moment", ["os.fsync", "os.replace"])
def test_a_run_that_is_killed_before_the_rename_leaves_the_old_file(path: Path, moment: str) -> None:
    done = run(path, f"{moment} = lambda *a: os.kill(os.getpid(), 9)\nfiles.replace(files.read(path), b'torn')\n")
    assert done.returncode == -9, done.stderr
    assert path.read_bytes() == OLD
    leftovers = [item for item in path.parent.iterdir() if item != path]
    assert len(leftovers) == 1
    if moment == "os.fsync":
        assert stat.S_IMODE(leftovers[0].stat().st_mode) in (0o600, 0o640)
    files.replace(opened(path), NEW)
    assert path.read_bytes() == NEW
    assert os.listdir(path.parent) == [path.name]


def test_a_failed_write_changes_and_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SelfhostError, match="No space left on device"):
        files.replace(opened(path), NEW)
    assert path.read_bytes() == OLD
    assert os.listdir(path.parent) == [path.name]


def test_the_temporary_file_of_a_running_task_is_left_alone(path: Path) -> None:
    with files._temporary(path) as (stream, name):
        files.replace(opened(path), NEW)
        assert Path(name).exists()
        assert not stream.closed
    assert os.listdir(path.parent) == [path.name]


def test_a_directory_that_does_not_exist_is_an_error_with_a_remedy(path: Path) -> None:
    with pytest.raises(SelfhostError, match="No such file") as caught:
        files.replace(changed(opened(path), path=path.parent / "none/file"), NEW)
    assert caught.value.remedy


def test_backup_is_a_copy_with_owner_and_mode(path: Path) -> None:
    copy = Path(files.backup(opened(path)))
    assert copy.parent == path.parent
    assert copy.name.startswith(f"{path.name}.{os.getpid()}.")
    assert copy.name.endswith("~")
    assert copy.read_bytes() == OLD
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
