"""Control groups that hosts have left behind: the kernel keeps them after their last process."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import tempfile

from tests.hosts import namespaces

_PREFIX = "bw-hosts-"
_NUMBERS = itertools.count(1)


def name() -> str:
    """Return a new name, which says whose the group is."""
    return f"{_PREFIX}{os.getpid()}-{next(_NUMBERS)}"


def _sweep(pattern: str, mountpoint: str, action: str) -> str:
    """Do something about groups whose name matches, with the hierarchy mounted for nobody else."""
    script = f'mount -t cgroup2 none "$1" && for group in "$1"/$2; do [ ! -d "$group" ] || {action}; done'
    argv = ["unshare", "--mount", "sh", "-c", script, "sh", mountpoint, pattern]
    return subprocess.run(argv, env=namespaces.ENVIRONMENT, capture_output=True, text=True, check=False).stdout


def remove(pid: int) -> None:
    """Remove the groups of a process, except those that still hold one."""
    with tempfile.TemporaryDirectory() as mountpoint:
        _sweep(f"{_PREFIX}{pid}-*", mountpoint, "find $group -depth -type d -exec rmdir '{}' ';'")


def remove_abandoned() -> None:
    """Remove the groups of processes that were killed before they could do it themselves."""
    with tempfile.TemporaryDirectory() as mountpoint:
        found = _sweep(f"{_PREFIX}*", mountpoint, "echo ${group##*/}")
    for pid in {int(one) for one in re.findall(rf"^{_PREFIX}(\d+)-", found, re.MULTILINE)}:
        if not namespaces.alive(pid):
            remove(pid)
