# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host with systemd on which directories are synced by timers, and its way to the lab and to a directory."""

from __future__ import annotations

import contextlib
import re
import typing as t
from pathlib import Path

from tests.directory import OPENLDAP, Person, Slapd, Team, Tree
from tests.directory.slapd import NAME as LDAP_NAME
from tests.hosts import World
from tests.integration.directory_timer import native
from tests.integration.directory_world import Organization
from tests.lab import Lab

PROXY = "203.0.113.81"
LAB_CA, LDAP_CA = "/etc/ssl/lab-ca.pem", "/etc/ssl/ldap-ca.pem"
NEVER, ALWAYS = "2099-01-01", "*:*:0/1"  # far away, and every second
SERVICE, TIMER = (f"bw-selfhost-directory-corp.{kind}" for kind in ("service", "timer"))
TREE = Tree(OPENLDAP, tuple(Person(f"u{number}") for number in range(12)), (Team("dev", ("u1", "u2")), Team("ops", ("u3",))))
Result = dict[str, t.Any]


@contextlib.contextmanager
def world_around(directory: Path, lab: Lab, slapd: Slapd) -> t.Iterator[World]:
    """A world for machines, from which the lab's proxy and the directory can be reached."""
    with World(directory) as found:
        for port in (proxy_port(lab), slapd.tls_port):
            found.lead(port)
        found.resolve(LDAP_NAME, ["203.0.113.80"])
        yield found


def proxy_port(lab: Lab) -> int:
    return int(lab.proxy_url.rpartition(":")[2])


class Machine:
    """A host from which a lab's server and a directory can be reached, the former through a proxy only."""

    def __init__(self, world: World, lab: Lab, slapd: Slapd, distribution: str) -> None:
        self.slapd = slapd
        self.host = world.boot(distribution)
        self.environment = {"HTTPS_PROXY": f"http://{PROXY}:{proxy_port(lab)}"}
        self.host.write(LAB_CA, Path(lab.ca_path).read_text())
        self.host.write(LDAP_CA, slapd.ca_path.read_text())

    def options(self, lab: Lab, **options: t.Any) -> Result:
        directory = self.slapd.options(hosts=[LDAP_NAME], ca_path=LDAP_CA)
        return {**native(Organization(lab), directory, **options), "ca_path": LAB_CA}

    def schedule(self, lab: Lab, *, check: bool = False, sync: Result | None = None, **params: t.Any) -> Result:
        known = {"name": "corp", "options": self.options(lab, **(sync or {})), "on_calendar": NEVER, "randomized_delay": 0}
        return self.host.module("directory_schedule", {**known, **params}, check=check, environment=self.environment)

    def remove(self, name: str = "corp", **options: t.Any) -> Result:
        return self.host.module("directory_schedule", {"name": name, "state": "absent"}, **options)

    def trace(self) -> list[str]:
        """Everything that could be left behind."""
        command = ["find", "/etc", "/usr/local", "/var/lib", "/run", "-xdev", "-name", "*bw-selfhost*"]
        units = self.host.run(["systemctl", "list-units", "--all", "--no-legend", "--plain", "bw-selfhost*"]).stdout
        return sorted([*self.host.run(command).stdout.split(), *units.split("\n")])

    def journal(self) -> str:
        return self.host.run(["journalctl", "--no-pager", "--output=cat", f"--unit={SERVICE}"]).stdout

    def starts(self, *arguments: str) -> None:
        started = self.host.run(["systemctl", "start", *arguments, SERVICE], check=False)
        assert started.returncode == 0, self.journal()


def ok(result: Result) -> Result:
    assert not result["failed"], result["msg"]
    return result


def changed(result: Result) -> list[str]:
    """The names of what was changed."""
    return [change["name"].rpartition("/")[2] for change in ok(result)["changes"]]


def exposure(machine: Machine) -> float:
    """What systemd thinks of how much the service could do, from 0 to 10."""
    told = machine.host.run(["systemd-analyze", "security", "--no-pager", SERVICE], check=False).stdout.splitlines()[-1]
    return float(re.findall(r": ([\d.]+) ", told)[0])
