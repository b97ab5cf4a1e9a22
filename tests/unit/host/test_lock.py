# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time, and the other one knows who it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host.lock import Held, hold
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError


def test_the_second_is_told_who_is_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path, 0), pytest.raises(Held, match=rf"process {os.getpid()} since \d{{4}}-"), hold(path, 0):
        pass
    with hold(path, 0):
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_second_waits(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    begun, free = threading.Event(), threading.Event()

    def first() -> None:
        with hold(path, 0):
            begun.set()
            free.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(10)
    threading.Timer(0.2, free.set).start()
    with hold(path, 10):
        assert free.is_set()
    thread.join()


def test_a_child_keeps_it_when_we_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path, 0) as descriptor:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
    with pytest.raises(Held), hold(path, 0):
        pass
    child.communicate(b"\n")
    with hold(path, 0):
        pass


def test_who_has_it_may_remove_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with hold(folder / "lock", 0):
        shutil.rmtree(folder)
    with pytest.raises(SelfhostError, match="No such file"), hold(folder / "lock", 0):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "other")
    with pytest.raises(SelfhostError, match="symbolic links"), hold(tmp_path / "lock", 0):
        pass
    assert not (tmp_path / "other").exists()
