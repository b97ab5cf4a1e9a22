"""Where the root file systems of hosts are."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".cache/trees"
NAMES = ("debian12", "debian13", "ubuntu2404")


def unavailable() -> str:
    """Say why hosts cannot be started here; empty when they can."""
    if os.geteuid():
        return "only root makes network namespaces"
    missing = [name for name in NAMES if not (FOLDER / name).exists()]
    return f"no {', '.join(missing)} in {FOLDER}; python3 tools/prepare.py test makes them" if missing else ""


def tree(name: str) -> Path:
    """Return the root file system of a distribution, one of C(NAMES).

    Raises:
        LookupError: it has not been built.
    """
    folder = FOLDER / name
    if not (folder / "usr/bin/python3").exists():
        raise LookupError(f"There is no {folder}. Run as root: python3 tools/prepare.py test")
    return folder.resolve()
