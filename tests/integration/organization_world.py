# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One organization of the lab, reached through its owner or through its provider: what is asked for, and what is then there."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tests.integration.module_runner import run_module
from tests.lab import Lab

Result = dict[str, t.Any]

# Everything that the module organization can do, small.
WHOLE: Result = {
    "settings": {"limit_collection_creation": True, "limit_item_deletion": True},
    "groups": [
        {"name": "Marketing", "members": ["ann@client.example"]},
        {"name": "IT", "members": ["bob@client.example", "Ann@Client.example"]},
    ],
    "collections": [
        {"name": "Departments", "groups": [{"name": "IT", "permission": "manage"}]},
        {
            "name": "Departments/Marketing",
            "external_id": "dept-1",
            "groups": [{"name": "Marketing", "permission": "view"}, {"name": "IT", "permission": "manage"}],
        },
        {"name": "Departments/Marketing/Agency", "members": [{"email": "ann@client.example", "permission": "manage"}]},
        {
            "name": "Servers",
            "groups": [{"name": "IT", "permission": "manage"}],
            "members": [{"email": "ann@client.example", "permission": "view_no_passwords"}],
        },
        {"name": "Überall", "groups": [{"name": "IT", "permission": "manage"}, {"name": "Marketing", "permission": "edit"}]},
    ],
    "members": [
        {"email": "ann@client.example"},
        {"email": "Bob@client.example", "role": "custom", "permissions": ["manage_groups", "access_reports"]},
        {"email": "lead@client.example", "role": "admin"},
    ],
    "policies": [
        {"type": "master_password", "data": {"minLength": 14, "minComplexity": 3}},
        {"type": "reset_password", "data": {"autoEnrollEnabled": False}},
        {"type": "maximum_vault_timeout", "data": {"minutes": 60, "action": "lock"}},
        {"type": "single_org"},
        {"type": "organization_data_ownership"},
        {"type": "disable_send", "enabled": False},
    ],
    "sso": {
        "identifier": "client",
        "oidc": {
            "authority": "https://idp.example.com",
            "client_id": "bitwarden",
            "client_secret": "S3CRET-canary-0001",
            "additional_scopes": ["groups"],
        },
    },
    "scim": {"provider": "okta"},
    "max_affected": 5,
}


@dataclass(frozen=True)
class Place:
    """An organization, and who acts in it."""

    lab: Lab
    server: str
    organization_id: str
    options: Result

    def run(self, module: str = "organization", *, check: bool = False, **options: t.Any) -> Result:
        """Run a module there."""
        return run_module(module, {**self.options, "organization_id": self.organization_id, **options}, check=check)

    def rows(self, kind: str, **match: t.Any) -> list[Result]:
        return self.lab.rows(self.server, kind, organizationId=self.organization_id, **match)

    def member(self, email: str) -> Result:
        return next(row for row in self.rows("member") if row["email"] == email)

    def collections(self) -> dict[str, Result]:
        """Name -> the collection, its access with names in place of ids."""
        groups = {row["id"]: row["name"] for row in self.rows("group")}
        members = {row["id"]: row["email"] for row in self.rows("member")}
        found = {}
        for row in self.rows("collection", type=0):
            name = self.lab.decrypt(self.organization_id, row["name"], self.server)
            grants = self.lab.rows(self.server, "access", collectionId=row["id"])
            assert name not in found, f"{name} is there twice"
            found[name] = {
                "external_id": row["externalId"],
                "groups": {groups[one["groupId"]]: _flags(one) for one in grants if one["groupId"]},
                "members": {members[one["memberId"]]: _flags(one) for one in grants if one["memberId"]},
            }
        return found

    def groups(self) -> dict[str, set[str]]:
        """Name -> who is in it."""
        members = {row["id"]: row["email"] for row in self.rows("member")}
        rows = self.rows("group")
        assert len({row["name"] for row in rows}) == len(rows)
        found: dict[str, set[str]] = {row["name"]: set() for row in rows}
        names = {row["id"]: row["name"] for row in rows}
        for row in self.lab.rows(self.server, "group_member"):
            if row["groupId"] in names:
                found[names[row["groupId"]]].add(members[row["memberId"]])
        return found


def _flags(grant: Result) -> str:
    return "".join(letter for letter, flag in zip("rhm", ("readOnly", "hidePasswords", "manage"), strict=True) if grant[flag])


def at_owner(lab: Lab) -> Place:
    """The organization of a self-hosted server, through its owner."""
    person = lab.people["owner"]
    return Place(lab, "selfhost", lab.facts["organization_id"], {"server_url": lab.facts["server_url"], **_login(person)})


def at_provider(lab: Lab, who: str = "service_user", client: str = "alpha") -> Place:
    """A client organization in the cloud, through a user of its provider."""
    person = lab.people[who]
    return Place(lab, "eu", lab.facts[f"{client}_organization_id"], {"region": "eu", **_login(person)})


def _login(person: t.Any) -> Result:
    return {
        "client_id": person.client_id,
        "client_secret": person.client_secret,
        "master_password": person.master_password,
    }


def ok(result: Result) -> Result:
    """Return a result that is no failure."""
    assert not result["failed"], result["msg"]
    return result
