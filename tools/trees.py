"""Make the root file systems of the hosts in tests/hosts; a finished one is made anew only when its recipe changes.

Usage: python3 tools/trees.py     (as root, with Debian's mmdebstrap)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache/trees"
# What a host is made of: an init, Docker, firewalls, and what people manage it with.
COMMON = "systemd,systemd-sysv,dbus,docker.io,nftables,iptables,ufw,iproute2,python3,openssh-server,procps,kmod,ca-certificates"
UNITS = ("firewalld", "nftables", "ufw", "ssh.service", "ssh.socket")
OPTIONS = (
    "--variant=minbase",
    *(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "info", "locale", "man")),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=force-unsafe-io",
    '--aptopt=Acquire::Retries "5"',
    # Every test switches on what it wants.
    *(f'--customize-hook=chroot "$1" systemctl disable {unit} || true' for unit in UNITS),
)


@dataclass(frozen=True)
class Tree:
    """One distribution. C(keys): what signs it, relative to C(FOLDER), where this machine does not know it by itself."""

    suite: str
    packages: str
    keys: str = ""
    components: str = "main"

    def arguments(self) -> list[str]:
        """Return what mmdebstrap is told, but for the folder."""
        keys = [f"--keyring={FOLDER / self.keys}"] if self.keys else []
        return [*OPTIONS, f"--include={self.packages}", f"--components={self.components}", *keys, self.suite]


TREES = {
    "debian12": Tree("bookworm", f"{COMMON},firewalld"),
    # With the libraries that only a timer for directories needs; the others show that nothing else does.
    "debian13": Tree("trixie", f"{COMMON},docker-cli,ubuntu-archive-keyring,python3-apt,python3-requests,python3-ldap"),
    "ubuntu2404": Tree("noble", COMMON, "debian13/usr/share/keyrings/ubuntu-archive-keyring.gpg", "main,universe"),
}


def make(name: str) -> str:
    """Make one tree unless it is there; what went wrong, if anything."""
    tree, folder, stamp = TREES[name], FOLDER / name, FOLDER / f"{name}.stamp"
    digest = hashlib.sha256(repr((OPTIONS, tree)).encode()).hexdigest()
    if folder.exists() and stamp.exists() and stamp.read_text() == digest:
        return ""
    print(f"making .cache/trees/{name}", flush=True)
    partial = FOLDER / f"{name}.partial"
    stamp.unlink(missing_ok=True)
    for old in (partial, folder):
        shutil.rmtree(old, ignore_errors=True)
    # The variables of who calls, such as SSL_CERT_FILE, name files that are not in the tree.
    environment = {key: value for key, value in os.environ.items() if key == "PATH" or key.lower().endswith("_proxy")}
    argv = ["mmdebstrap", "--quiet", "--format=directory", *tree.arguments(), partial]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        return f"mmdebstrap: {(done.stdout + done.stderr).strip()[-2000:]}"
    partial.rename(folder)
    stamp.write_text(digest)
    return ""


def make_all() -> dict[str, str]:
    """Make what is lacking, two at a time; name -> what went wrong."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    names = [name for name in TREES if not TREES[name].keys]
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(names, pool.map(make, names), strict=True))
        rest = [name for name in TREES if name not in names]  # these need the keys in one of the first
        found |= zip(rest, pool.map(make, rest), strict=True)
    return {name: problem for name, problem in found.items() if problem}


if __name__ == "__main__":
    sys.exit("\n".join(f"{name}: {problem}" for name, problem in make_all().items()) or None)
