"""OpenLDAP's server, unprivileged and on loopback, with the trees that a test wants."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import subprocess
import time
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.directory.trees import ACTIVE_DIRECTORY, OPENLDAP, SCHEMA, Tree

PASSWORD = "a password of services"  # of every account
ACCOUNT, LIMITED = "sync", "limited"  # may read all that is there; at most 500 entries of one search
NAME = "ldap.example.test"  # what the certificate is for, beside the address
_ADMIN = "cn=admin"
_PROGRAM = Path("/usr/sbin/slapd")
_SCHEMAS = Path("/etc/ldap/schema")


class Slapd:
    """A directory server with both trees. Use it as a context manager.

    Args:
        folder: an empty folder for its files.
        trees: the trees; those that are missing are empty.
        certificate: what it shows: for the address (C(good)), C(expired), or none at all.
    """

    def __init__(self, folder: Path, *trees: Tree, certificate: t.Literal["good", "expired", "none"] = "good") -> None:
        self.folder = folder
        self.ca_path = folder / "ca.pem"
        self.port, self.tls_port = _free_ports(2)
        self._trees = {OPENLDAP: Tree(OPENLDAP), ACTIVE_DIRECTORY: Tree(ACTIVE_DIRECTORY), **{one.suffix: one for one in trees}}
        self._certificate = certificate
        self._process: subprocess.Popen[bytes] | None = None
        # A copy, because AppArmor keeps the program in its own place from reading anything here.
        self._program = folder / "slapd"

    def __enter__(self) -> t.Self:
        if not _PROGRAM.exists() or not shutil.which("ldapmodify"):
            pytest.skip("slapd and ldap-utils are not installed")  # never in CI, see tests/conftest.py
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_PROGRAM, self._program)
        (self.folder / "active.schema").write_text(SCHEMA)
        (self.folder / "slapd.conf").write_text("\n".join(self._settings()) + "\n")
        for number in range(1, len(self._trees) + 1):
            (self.folder / f"tree{number}").mkdir()
        for number, tree in enumerate(self._trees.values(), 1):
            self._load(number, tree)
        self.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.stop()

    def options(self, tree: str = OPENLDAP, account: str = ACCOUNT, **other: t.Any) -> dict[str, t.Any]:
        """The module's options of the connection, over LDAPS unless told otherwise."""
        port = {"starttls": self.port, "none": self.port}.get(other.get("tls", "ldaps"), self.tls_port)
        known = {"hosts": ["127.0.0.1"], "port": port, "tls": "ldaps", "ca_path": str(self.ca_path)}
        return {**known, "bind_dn": f"cn={account},ou=Services,{tree}", "bind_password": PASSWORD, **other}

    def change(self, ldif: str, tree: str = OPENLDAP, *, manage_referrals: bool = False) -> None:
        """Apply changes; those without a changetype add an entry. Referrals are entries only for those who manage them."""
        command: list[str | Path] = [
            "ldapmodify",
            "-a",
            "-x",
            "-H",
            f"ldap://127.0.0.1:{self.port}",
            "-D",
            f"{_ADMIN},{tree}",
            "-w",
            PASSWORD,
        ]
        command += ["-M"] if manage_referrals else []
        _run(command, ldif)

    def start(self) -> None:
        """Begin to serve."""
        addresses, last = f"ldap://127.0.0.1:{self.port}/", self.port
        if self._certificate != "none":
            addresses, last = f"{addresses} ldaps://127.0.0.1:{self.tls_port}/", self.tls_port
        command = [self._program, "-d", "0", "-f", self.folder / "slapd.conf", "-h", addresses]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        ends = time.monotonic() + 10
        while time.monotonic() < ends and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", last), 1):
                return
            time.sleep(0.01)
        raise RuntimeError((self.folder / "log").read_text())

    def stop(self) -> None:
        """Stop serving and end every connection."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _settings(self) -> t.Iterator[str]:
        for name in ("core", "cosine", "inetorgperson", "nis"):
            yield f"include {_SCHEMAS}/{name}.schema"
        yield f"include {self.folder}/active.schema"
        yield f"pidfile {self.folder}/pid"
        yield "modulepath /usr/lib/ldap"
        yield "moduleload back_mdb"
        yield from self._tls()
        for number, suffix in enumerate(self._trees, 1):
            yield f'database mdb\nsuffix "{suffix}"\nrootdn "{_ADMIN},{suffix}"\nrootpw "{PASSWORD}"'
            yield f"directory {self.folder}/tree{number}\nmaxsize 1073741824\nsizelimit 500\nindex objectClass eq"
            yield f'limits dn.exact="cn={ACCOUNT},ou=Services,{suffix}" size=unlimited time=unlimited'
            yield "access to attrs=userPassword by anonymous auth by * none\naccess to * by * read"

    def _tls(self) -> t.Iterator[str]:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_path))
        if self._certificate == "none":
            return
        over = datetime(2020, 1, 1, tzinfo=UTC) if self._certificate == "expired" else None
        issued = authority.issue_cert("127.0.0.1", NAME, not_before=over and over - timedelta(days=1), not_after=over)
        issued.private_key_pem.write_to_path(str(self.folder / "key.pem"))
        issued.cert_chain_pems[0].write_to_path(str(self.folder / "cert.pem"))
        yield f"TLSCertificateFile {self.folder}/cert.pem\nTLSCertificateKeyFile {self.folder}/key.pem"

    def _load(self, number: int, tree: Tree) -> None:
        """Write a tree into its database, which is much quicker than by LDAP."""
        accounts = dict.fromkeys((ACCOUNT, LIMITED), PASSWORD)
        text = "".join(dataclasses.replace(tree, accounts=accounts).ldif())
        command: list[str | Path] = [self._program, "-T", "add", "-q", "-f", self.folder / "slapd.conf", "-n", str(number)]
        _run(command, text)


def _run(command: list[str | Path], text: str) -> None:
    done = subprocess.run(command, input=text.encode(), check=False, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(contextlib.closing(socket.socket())) for _number in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
