# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The installation's directory: its lock, its logs, and putting files back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host.bwdata import Bwdata
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError


def test_lock_keeps_others_out_and_leaves_nothing(tmp_path: Path) -> None:
    with Bwdata(tmp_path).lock(1):
        with pytest.raises(SelfhostError, match="Another run"), Bwdata(tmp_path).lock(0):
            pass
        assert list(tmp_path.iterdir()) == []
    with Bwdata(tmp_path).lock(0):
        pass


def test_an_orphaned_script_keeps_the_lock(tmp_path: Path) -> None:
    """When this process is killed, the script that it started still works on the installation."""
    with Bwdata(tmp_path).lock(1) as descriptor:
        program = "import sys; print(flush=True); sys.stdin.read()"
        child = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(descriptor,)
        )
        assert child.stdout
        child.stdout.readline()
    with pytest.raises(SelfhostError, match="Another run"), Bwdata(tmp_path).lock(0):
        pass
    child.communicate()
    with Bwdata(tmp_path).lock(1):
        pass


def test_log_tail_is_of_the_newest_file(tmp_path: Path) -> None:
    logs = tmp_path / "logs/api/Api"
    logs.mkdir(parents=True)
    (logs / "20260819.txt").write_text("old\n")
    (logs / "20260820.txt").write_bytes(b"x" * 40000 + b"\nfirst\n\nsecond\nth\xffird\n")
    (logs / "20260821.txt").write_text("")
    os.utime(logs / "20260819.txt", (1, 1))
    assert Bwdata(tmp_path).log_tail("api", 2) == ("logs/api/Api/20260820.txt", ["second", "th\ufffdird"])
    assert Bwdata(tmp_path).log_tail("web") is None


def test_restore_keeps_the_mode(tmp_path: Path) -> None:
    bwdata, path = Bwdata(tmp_path), tmp_path / "config.yml"
    path.write_text("new")
    path.chmod(0o640)
    assert bwdata.restore("config.yml", b"old") is True
    assert bwdata.restore("config.yml", b"old") is False
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("old", 0o640)


def test_raw_settings(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/global.override.env").write_text("A='b=c'\n# comment\nD\n")
    assert Bwdata(tmp_path).raw_settings() == [("A", "'b=c'")]
