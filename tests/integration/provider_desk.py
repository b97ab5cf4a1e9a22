# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A provider's desk as tests sit at it: who logs in, the two modules, and what the provider's rows look like."""

from __future__ import annotations

import typing as t

from tests.integration.module_runner import run_module
from tests.integration.page_a import ok
from tests.lab import Lab
from tests.lab.people import Person

Result = dict[str, t.Any]
VERSIONS = ("2025.8.0", "2026.4.0", "2026.8.0")
NEW = {"name": "My Client", "plan": "enterprise", "seats": 15, "owner_email": "owner@client.example"}


class Desk:
    """Runs modules for the provider of the scenario."""

    def __init__(self, lab: Lab, who: str = "provider_user") -> None:
        self.lab = lab
        self.options = login(lab.people[who])

    def run(self, module: str, *, check: bool = False, **params: t.Any) -> Result:
        return run_module(module, {**self.options, **params}, check=check)

    def clients(self, *wishes: t.Mapping[str, t.Any], check: bool = False, **params: t.Any) -> Result:
        return self.run("client_organization", check=check, clients=list(wishes), **params)

    def users(self, *wishes: t.Mapping[str, t.Any], check: bool = False, **params: t.Any) -> Result:
        return self.run("provider_user", check=check, users=list(wishes), **params)

    def links(self) -> dict[str, t.Any]:
        """The provider's clients: name to the organization's row."""
        rows = {row["id"]: row for row in self.lab.rows("eu", "organization")}
        linked = [rows[link["organizationId"]] for link in self.lab.rows("eu", "provider_organization")]
        assert len({row["name"] for row in linked}) == len(linked), "two clients of one name"
        return {row["name"]: row for row in linked}

    def members(self, client: str) -> dict[str, tuple[int, int]]:
        """The members of a client: e-mail address to role and status."""
        rows = self.lab.rows("eu", "member", organizationId=self.links()[client]["id"])
        return {self.email(row): (row["type"], row["status"]) for row in rows}

    def email(self, row: t.Mapping[str, t.Any]) -> str:
        """The address of a member, which is the account's once there is one."""
        users = {user["id"]: user["email"] for user in self.lab.rows("eu", "user")}
        return str(users.get(row["userId"]) or row["email"])

    def pools(self) -> dict[int, tuple[int, int]]:
        """Assigned and purchased seats by plan type."""
        return {row["planType"]: (row["allocatedSeats"], row["purchasedSeats"]) for row in self.lab.rows("eu", "provider_plan")}


def login(person: Person) -> dict[str, t.Any]:
    """How somebody logs in to the cloud, with the master password."""
    key = {"client_id": person.client_id, "client_secret": person.client_secret}
    return {"region": person.server, **key, "master_password": person.master_password}


def no_writes(lab: Lab, run: t.Callable[[], Result]) -> Result:
    """Return the result of a run that must not write."""
    lab.clear_requests()
    lab.forbid_writes(True)
    result = run()
    lab.forbid_writes(False)
    assert [f"{seen.method} {seen.path}" for seen in lab.writes()] == []
    return result


def settled(lab: Lab, run: t.Callable[[], Result]) -> Result:
    """Return the result of a run that has nothing left to change."""
    result = ok(no_writes(lab, run))
    assert (result["changed"], result["changes"]) == (False, [])
    return result
