# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An organization in the lab beside a real directory, and the module's options between them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._directory import with_ldap3, with_python_ldap

from tests.directory import ACTIVE_DIRECTORY, OPENLDAP, Person, Slapd, Team, Tree
from tests.integration.module_runner import run_module
from tests.lab import Lab

Result = dict[str, t.Any]
Row = dict[str, t.Any]
LIBRARIES = ("python-ldap", "ldap3")


def only(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let just one of the libraries be installed, or none."""
    for name, module, attribute in (("python-ldap", with_python_ldap, "ldap"), ("ldap3", with_ldap3, "ldap3")):
        if name != library:
            monkeypatch.setattr(module, attribute, None)


def small(suffix: str = OPENLDAP) -> Tree:
    """Twelve people in three groups, one of which is inside of another."""
    people = tuple(Person(f"p{number:02}", unit="Engineering" if number % 3 == 0 else "") for number in range(12))
    uids = tuple(person.uid for person in people)
    teams = (Team("all", uids[6:], ("red",)), Team("red", uids[:6]), Team("blue", uids[3:9]))
    return Tree(suffix, people, teams)


class Organization:
    """An organization of the lab with its API key; C(server) is where it is."""

    def __init__(self, lab: Lab, server: str = "selfhost") -> None:
        self.lab = lab
        self.server = server
        fact = "organization_id" if server == "selfhost" else "cloud_organization_id"
        self.id = lab.facts[fact]
        lab.set_organization(server, self.id, seats=5000, useEvents=True)

    @property
    def options(self) -> dict[str, t.Any]:
        """How the module gets there."""
        key = self.lab.rows(self.server, "organization_api_key", organizationId=self.id, type=0)[0]
        where = {"server_url": self.lab.facts["server_url"]} if self.server == "selfhost" else {"region": self.server}
        return {**where, "client_id": f"organization.{self.id}", "client_secret": key["apiKey"]}

    def rows(self, kind: str) -> list[Row]:
        return self.lab.rows(self.server, kind, organizationId=self.id)

    @property
    def members(self) -> dict[str, str | None]:
        """Who came from a directory: e-mail address -> external id."""
        return {row["email"]: row["externalId"] for row in self.rows("member") if row.get("externalId")}

    @property
    def groups(self) -> dict[str, set[str]]:
        """Name -> e-mail addresses of the members."""
        emails = {row["id"]: row["email"] for row in self.rows("member")}
        inside: dict[str, set[str]] = {row["id"]: set() for row in self.rows("group")}
        for row in self.lab.rows(self.server, "group_member"):
            if row["groupId"] in inside:
                inside[row["groupId"]].add(emails[row["memberId"]])
        return {row["name"]: inside[row["id"]] for row in self.rows("group")}

    def sync(self, directory: dict[str, t.Any], *, check: bool = False, **options: t.Any) -> Result:
        """Run the module."""
        return run_module("directory_sync", {**self.options, "directory": directory, **options}, check=check)


def searches(suffix: str = OPENLDAP, **options: t.Any) -> dict[str, t.Any]:
    """The options that search a tree of tests, for people and groups; C(users) and C(groups) add to them."""
    found: dict[str, t.Any] = {"users": {"base": f"ou=People,{suffix}"}, "groups": {"base": f"ou=Groups,{suffix}"}}
    for name in found:
        found[name] |= options.pop(name, {})
    return {**found, **options}


def active(slapd: Slapd, **other: t.Any) -> dict[str, t.Any]:
    """The options of the connection to the tree like Active Directory's."""
    return slapd.options(ACTIVE_DIRECTORY, active_directory=True, **other)
