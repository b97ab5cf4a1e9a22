"""Prepare what `make demo` and `make test` need: system packages, virtual environments, the official client.

Usage: python3 tools/prepare.py demo|test

Everything lands in this directory, except Debian packages, which are installed only by root. What cannot be prepared is named;
the layers of the test that need it are then skipped, but never in CI.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import trees

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "tests/e2e"

# Virtual environment -> (lock file, lowest and highest Python its ansible-core runs on).
ENVIRONMENTS = {
    ".venv": ("test.txt", (3, 11), (3, 13)),
    ".venv-oldest": ("oldest.txt", (3, 10), (3, 12)),
    ".venv-newest": ("newest.txt", (3, 12), (3, 14)),
}

# Any of them shows the tests a page.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Program or file -> Debian package: what making and running the hosts of tests/hosts takes.
HOSTS = {
    "mmdebstrap": "mmdebstrap",
    "/usr/share/distro-info/ubuntu.csv": "distro-info-data",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
}

# The same for a directory server, and for building the library that talks to it: python-ldap has no wheels.
DIRECTORY = {"/usr/sbin/slapd": "slapd", "ldapmodify": "ldap-utils"}
BUILD = {"cc": "build-essential", "/usr/include/ldap.h": "libldap-dev", "/usr/include/sasl/sasl.h": "libsasl2-dev"}
BUILT = "python-ldap"


def run(*command: str | Path, check: bool = True, quiet: bool = False) -> bool:
    """Run a command with closed standard input; True when it succeeded."""
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, check=check, stdin=subprocess.DEVNULL, stdout=output, stderr=output
    )
    return done.returncode == 0


def missing(what: str, without: str) -> None:
    """Say what is missing; in CI that is an error."""
    print(f"missing: {what} -- {without}", flush=True)
    if os.environ.get("CI"):
        raise SystemExit(f"In CI nothing is skipped, so this is an error: {what}")


def python_works(python: str | Path) -> bool:
    """Whether this interpreter exists, starts and can make a virtual environment."""
    return shutil.which(python) is not None and run(python, "-c", "import ensurepip, venv", check=False, quiet=True)


def node_works() -> bool:
    """Whether Node 20 or later and npm are here (the official client asks for that version)."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    return run("node", "-e", "process.exit(process.versions.node.split('.')[0] >= 20 ? 0 : 1)", check=False)


def lacking(goal: str) -> list[str]:
    """Return the Debian packages of what does not work yet."""
    wanted = [] if python_works(sys.executable) else ["python3-venv"]
    if goal == "test":
        wanted += [program for program in ("git", "shellcheck") if not shutil.which(program)]
        wanted += [] if node_works() else ["nodejs", "npm"]
        wanted += [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
        wanted += absent({**HOSTS, **DIRECTORY, **BUILD})
        wanted += [] if Path(sysconfig.get_path("include"), "Python.h").exists() else ["python3-dev"]
    return wanted


def absent(things: dict[str, str]) -> list[str]:
    """Return the packages of the programs and files that are not here."""
    return [package for what, package in things.items() if not (shutil.which(what) or Path(what).exists())]


def install_packages(goal: str) -> None:
    """Install Debian packages, when root may do so; name what is still missing."""
    if (wanted := lacking(goal)) and os.geteuid() == 0 and shutil.which("apt-get"):
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        print(f"installing {' '.join(wanted)}", flush=True)
        # Tests bring a directory server of their own; none of the machine's may begin to run.
        quiet = "slapd slapd/no_configuration boolean true"
        subprocess.run(["debconf-set-selections"], input=quiet, text=True, check=False)
        if run("apt-get", "update", "-qq", check=False):
            run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted, check=False)
    for package in lacking(goal):
        missing(f"Debian package {package}", "what needs it is skipped")


def interpreters() -> list[Path | str]:
    """The interpreter at hand, then those on PATH and pyenv's own, newest first."""
    names = [f"3.{minor}" for minor in range(14, 9, -1)]
    found: list[Path | str] = [sys.executable, *(f"python{name}" for name in names)]
    if shutil.which("pyenv"):
        home = Path(subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip())
        found += [path for name in names for path in sorted(home.glob(f"versions/{name}.*/bin/python"))]
    return found


def find_python(lowest: tuple[int, int], highest: tuple[int, int]) -> Path | str | None:
    """The first working interpreter in the range."""
    in_range = f"import sys; sys.exit(not {lowest} <= sys.version_info[:2] <= {highest})"
    for python in interpreters():
        if python_works(python) and run(python, "-c", in_range, check=False, quiet=True):
            return python
    return None


def make_environment(name: str) -> bool:
    """Make the virtual environment anew unless it already agrees with its lock file; False when no Python fits."""
    lock_name, lowest, highest = ENVIRONMENTS[name]
    lock, folder = ROOT / "requirements" / lock_name, ROOT / name
    pinned = "".join(line for line in lock.read_text().splitlines(True) if not absent(BUILD) or not line.startswith(BUILT))
    stamp, digest = folder / ".lock", hashlib.sha256(pinned.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return True
    python = find_python(lowest, highest)
    if python is None:
        return False
    print(f"making {name} from requirements/{lock_name}", flush=True)
    run(python, "-m", "venv", "--clear", folder)
    chosen = folder / "requirements.txt"
    chosen.write_text(pinned)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", chosen)
    stamp.write_text(digest)
    return True


def install_client() -> bool:
    """Install the official command-line client for the end-to-end tests; False without a fitting Node."""
    lock, stamp = CLIENT / "package-lock.json", CLIENT / "node_modules/.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return True
    if not node_works():
        return False
    print("installing the official client into tests/e2e/node_modules", flush=True)
    run("npm", "ci", "--prefix", CLIENT, "--no-audit", "--no-fund", "--loglevel", "error")
    stamp.write_text(digest)
    return True


def make_trees() -> None:
    """Make what the hosts of tests/hosts run on; only root can."""
    if os.geteuid() or not shutil.which("mmdebstrap"):
        missing("root with mmdebstrap", "the tests on whole hosts with firewalls are skipped")
        return
    for name, problem in trees.make_all().items():
        missing(f".cache/trees/{name} ({problem})", "the tests on whole hosts with firewalls are skipped")


def main(goal: str) -> None:
    install_packages(goal)
    if not make_environment(".venv"):
        raise SystemExit("Python 3.11, 3.12 or 3.13 with the venv module is needed; on Debian install python3-venv.")
    if goal == "demo":
        return
    if not make_environment(".venv-oldest"):
        missing("Python 3.10, 3.11 or 3.12", "the suites do not run on ansible-core 2.16")
    if not make_environment(".venv-newest"):
        print("no Python 3.12 or later here: the newest ansible-core that installs is the one of .venv", flush=True)
    if not install_client():
        missing("Node 20 with npm", "the tests with the official client are skipped")
    make_trees()


if __name__ == "__main__":
    main(sys.argv[1])
