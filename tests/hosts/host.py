"""A host: a distribution's root file system with namespaces of its own, cheap (no systemd) or booted (systemd, Docker)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hosts import dump, firewalls, groups, namespaces, tracing

if t.TYPE_CHECKING:
    from tests.hosts.world import World

HERE = Path(__file__).parent
ORIGINS = ("host", "container")


class Host:
    """One host. Its file system outlives a reboot; the namespaces do not.

    Attributes:
        name: host name.
        world: where it stands.
        number: its place in the world's network.
        address, address6: on its interface eth0.
        folder: what belongs to it outside; C(root) is only readable from inside.
    """

    program: tuple[str, ...] = ()

    def __init__(self, world: World, tree: Path, name: str, number: int) -> None:
        self.world, self.name, self.number, self.tree = world, name, number, tree
        self.address, self.address6 = f"198.51.100.{10 + number}", f"2001:db8:1::{10 + number:x}"
        self.folder = world.directory / name
        for part in ("upper", "work", "root", "group"):
            (self.folder / part).mkdir(parents=True)
        self._outer: subprocess.Popen[str] | None = None
        self.pid = 0
        self._write_files()

    def _write_files(self) -> None:
        bundle = "etc/ssl/certs/ca-certificates.crt"
        files = {
            "etc/hostname": f"{self.name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 {self.name}\n",
            "etc/resolv.conf": f"nameserver {self.world.dns_address}\n",
            "usr/local/share/ca-certificates/world.crt": self.world.ca_path.read_text(),
            bundle: (self.tree / bundle).read_text() + self.world.ca_path.read_text(),
            # Where OpenSSL looks without being told.
            f"etc/ssl/certs/{self.world.ca_hash}.0": self.world.ca_path.read_text(),
        }
        for path, text in files.items():
            self.write(f"/{path}", text)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the host, with its folders; a running host gets it at once."""
        if self._outer:
            self.run(["sh", "-c", 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"', "sh", path, f"{mode:o}"], input=text)
            return
        file = self.folder / "upper" / path.lstrip("/")
        missing = [folder for folder in file.parents if not folder.exists()]
        for folder in reversed(missing):  # as the tree has them, or they would hide it
            folder.mkdir()
            with contextlib.suppress(FileNotFoundError):
                shutil.copystat(self.tree / folder.relative_to(self.folder / "upper"), folder)
        file.write_text(text)
        file.chmod(mode)

    def start(self) -> None:
        """Make the namespaces, connect them to the world, and start the first process."""
        self.pid = 0
        separate = ["--pid", "--mount", "--net", "--uts", "--ipc"]
        script = [str(HERE / "init.sh"), self.name, groups.name(), str(self.tree), str(self.folder), *self.program]
        with open(self.folder / "boot.log", "ab") as log:
            self._outer = self.world.starter.start(
                ["unshare", "--fork", "--kill-child", *separate, "sh", *script],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._outer.stdin is not None
        assert self._outer.stdout is not None
        with self._outer.stdin as go, self._outer.stdout as said:
            if said.readline() != "ready\n":
                raise RuntimeError(f"{self.name} did not start: {(self.folder / 'boot.log').read_text()}")
            self.pid = namespaces.first_child(self._outer.pid)
            self._connect()
            go.write("go\n")

    def _connect(self) -> None:
        cable = f"host{self.number}"
        with contextlib.suppress(RuntimeError):  # the kernel takes its time to remove that of the last start
            self.world.ip(f"link delete {cable}")
        self.world.ip(
            f"link add {cable} type veth peer name eth0 netns {self.pid}",
            f"link set {cable} master hosts up",
        )
        self.ip(
            "link set lo up",
            f"addr add {self.address}/24 dev eth0",
            f"addr add {self.address6}/64 dev eth0 nodad",
            "link set eth0 up",
            f"route add default via {self.world.gateway}",
            f"route add default via {self.world.gateway6}",
        )

    def ip(self, *lines: str) -> None:
        """Run lines of C(ip) in the host's network, with this machine's own program."""
        namespaces.ip(self.pid, *lines)

    def close(self) -> None:
        """End every process of the host."""
        if self._outer:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid or self._outer.pid, signal.SIGKILL)  # the first process, which takes all others along
            self._outer.wait()
            self._outer = None
            tracing.collect(self.folder / "upper")

    # ---- running things

    def command(self, argv: t.Sequence[str]) -> list[str]:
        """Return a command of the host as one for this machine; killing that kills the other."""
        inside = ["nsenter", "-t", str(self.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        return [*inside, *namespaces.dies_with_us(argv)]

    def run(
        self, argv: t.Sequence[str], input: str = "", check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the host, as root, in a clean environment.

        Raises:
            AssertionError: it failed, and C(check) is true; says what it printed.
        """
        done = subprocess.run(
            self.command(argv),
            input=input,
            env=namespaces.ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        if check and done.returncode:
            raise AssertionError(f"{self.name}: {' '.join(argv)} -> {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def popen(self, argv: t.Sequence[str], **options: t.Any) -> subprocess.Popen[str]:
        """Start a program in the host and go on; C(kill()) of what is returned is a SIGKILL for it, not for its children."""
        return self.world.starter.start(self.command(argv), **options)

    def module(
        self,
        name: str,
        options: t.Mapping[str, t.Any],
        *,
        check: bool = False,
        diff: bool = True,
        environment: t.Mapping[str, str] | None = None,
    ) -> dict[str, t.Any]:
        """Run a module of the collection as Ansible does, by the host's own Python; C(failed) is always in the result."""
        variables = [f"{key}={value}" for key, value in (environment or {}).items()]
        payload = self.world.builder.build(name, options, check=check, diff=diff)
        done = self.run(["env", *variables, "python3", "-"], input=payload, check=False)
        try:
            result: dict[str, t.Any] = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"{self.name}: {name} -> {done.returncode}\n{done.stdout}{done.stderr}") from None
        return {"failed": False, **result}

    def start_module(self, name: str, options: t.Mapping[str, t.Any]) -> subprocess.Popen[str]:
        """Start a module and go on; C(communicate()) returns its result as text."""
        file = self.world.directory / f"{name}.payload"
        file.write_text(self.world.builder.build(name, options))
        with open(file) as payload:
            return self.popen(["python3", "-"], stdin=payload, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    # ---- its firewalls

    def enable_ufw(self, outgoing: str = "DROP", docker_user: bool = False) -> None:
        """Switch ufw on with this policy for outgoing traffic; C(docker_user) puts containers under it, too."""
        for name, (prefix, subnets) in firewalls.UFW_FAMILIES.items() if docker_user else ():
            self.run(["tee", "-a", f"/etc/ufw/{name}"], input=firewalls.UFW_DOCKER.format(prefix=prefix, subnets=subnets))
        self.run(["sh", "-ec", firewalls.UFW_ENABLE.format(policy=outgoing)])

    def start_firewalld(self) -> None:
        """Start firewalld; containers' bridges are in its zone "docker", as Docker wants it."""
        raise NotImplementedError

    # ---- looking at it

    def reaches(self, name: str, family: int = 4, origin: str = "host", port: int = 443, timeout: float = 1.0) -> str:
        """Try one new connection: C(ok), or what went wrong (see reach.py)."""
        words = [name, str(family), str(port), self.world.dns_address, str(timeout)]
        script = (HERE / "reach.py").read_text()
        if origin == "host":
            return self.run(["python3", "-", *words], input=script).stdout.strip()
        pid, words[3] = self.container()
        return self.run(["nsenter", "-t", str(pid), "-n", "python3", "-", *words], input=script).stdout.strip()

    def reaches_all(
        self, name: str, families: t.Sequence[int] = (4, 6), origins: t.Sequence[str] = ORIGINS, **options: t.Any
    ) -> dict[tuple[str, int], str]:
        """Try from everywhere at the same time: (origin, family) -> word."""
        with ThreadPoolExecutor() as pool:
            tried = {
                (origin, family): pool.submit(self.reaches, name, family, origin, **options)
                for origin in origins
                for family in families
            }  # fmt: skip
            return {key: future.result() for key, future in tried.items()}

    def container(self) -> tuple[int, str]:
        """Return the process id (as the host sees it) and the resolver of the container that C(reaches) starts from."""
        raise NotImplementedError

    def dump(self) -> dict[str, str]:
        """Return all rules and settings of all firewalls, without counters, to compare before and after."""
        return dump.dump(self)
