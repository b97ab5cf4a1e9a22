"""The world around the managed host: the lab and a stand-in installation, until this process is told to stop.

Usage: python molecule/default/world.py FILE

FILE gets what the playbooks and the verifier must know, as YAML; it is gone again when the world is.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import typing as t
from pathlib import Path

import yaml

from tests.demo import Demo, demo, page_a


def told(page: Demo) -> dict[str, t.Any]:
    """What to declare, how to reach the world, and how its files were before."""
    env_file = page.stack.bwdata / "env/global.override.env"
    return {
        "world_pid": os.getpid(),
        "bitwarden_environment": page.lab.environment(),
        "world_stack": str(page.stack.directory),
        "world_env_file_sha256": hashlib.sha256(env_file.read_bytes()).hexdigest(),
        **page_a(page.lab, page.stack),
    }


def main(file: Path) -> None:
    """Write the file when all is up, wait for SIGTERM, and leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_unused: sys.exit(0))
    try:
        with demo() as page:
            partial = file.with_suffix(".partial")
            partial.touch(mode=0o600)
            partial.write_text(yaml.safe_dump(told(page)), encoding="utf-8")
            partial.rename(file)
            signal.pause()
    finally:
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
