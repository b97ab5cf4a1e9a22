# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Page A of the mission as a test runs it: who logs in where, and the tasks in their order."""

from __future__ import annotations

import typing as t

from tests.integration.module_runner import run_module
from tests.lab import Lab

Result = dict[str, t.Any]


def at_server(lab: Lab, who: str = "owner") -> dict[str, t.Any]:
    """Options that log in to the self-hosted server."""
    person = lab.people[who]
    return {"server_url": lab.facts["server_url"], "client_id": person.client_id, "client_secret": person.client_secret}


def at_cloud(lab: Lab, who: str = "cloud_owner") -> dict[str, t.Any]:
    """Options that log in to the cloud."""
    person = lab.people[who]
    return {"region": lab.facts["region"], "client_id": person.client_id, "client_secret": person.client_secret}


def ok(result: Result) -> Result:
    """Return a result that is no failure."""
    assert not result["failed"], result["msg"]
    return result


class PageA:
    """The tasks of the role C(licensing) with the options that it passes on."""

    def __init__(self, lab: Lab, *, check: bool = False, timeout: int = 30) -> None:
        self.lab = lab
        self.check = check
        self.timeout = timeout
        self.results: dict[str, Result] = {}

    def run(self) -> dict[str, Result]:
        """Run all tasks until one fails."""
        for step in (self.log_in, self.preflight, self.license, self.billing_sync, self.sponsorship):
            self.results[step.__name__] = step()
            if self.results[step.__name__]["failed"]:
                break
        return self.results

    @property
    def changed(self) -> bool:
        return any(result.get("changed") for result in self.results.values())

    @property
    def failed(self) -> bool:
        return any(result["failed"] for result in self.results.values())

    def task(self, name: str, params: dict[str, t.Any]) -> Result:
        return run_module(name, {**params, "timeout": self.timeout}, check=self.check)

    def log_in(self) -> Result:
        self.server = self.task("login", at_server(self.lab))
        if self.server["failed"]:
            return self.server
        self.cloud = self.task("login", at_cloud(self.lab))
        return self.cloud

    def preflight(self) -> Result:
        facts = self.lab.facts
        return self.task(
            "organization_license_info",
            {
                "session": self.server["session"],
                "master_password": self.lab.people["owner"].master_password,
                "cloud": {
                    "session": self.cloud["session"],
                    "master_password": self.lab.people["cloud_owner"].master_password,
                    "timeout": self.timeout,
                },
                "cloud_organization_id": facts["cloud_organization_id"],
                "installation_id": facts["installation_id"],
                "installation_key": facts["installation_key"],
                "checks": True,
                "fail_on_problems": True,
                "planned_cloud_communication": True,
            },
        )

    def license(self) -> Result:
        facts, found = self.lab.facts, self.results["preflight"]
        result = self.task(
            "organization_license",
            {
                "session": self.server["session"],
                "master_password": self.lab.people["owner"].master_password,
                "cloud": {"session": self.cloud["session"], "timeout": self.timeout},
                "organization_id": found["organization_id"],
                "cloud_organization_id": facts["cloud_organization_id"],
                "installation_id": facts["installation_id"],
                "force": found["enabled"] is False,
            },
        )
        if result.get("created") and not self.check:  # the session's role in it only shows in a new one
            login = self.task("login", at_server(self.lab))
            if login["failed"]:
                return login
            self.server = login
        return result

    def billing_sync(self) -> Result:
        facts = self.lab.facts
        return self.task(
            "billing_sync",
            {
                "session": self.server["session"],
                "cloud": {
                    "session": self.cloud["session"],
                    "master_password": self.lab.people["cloud_owner"].master_password,
                    "timeout": self.timeout,
                },
                "organization_id": self.results["license"]["organization_id"],
                "cloud_organization_id": facts["cloud_organization_id"],
            },
        )

    def sponsorship(self) -> Result:
        return self.task(
            "families_sponsorship",
            {
                "session": self.server["session"],
                "organization_id": self.results["license"]["organization_id"],
                "organization_name": self.lab.facts["organization_name"],
                "sponsorships": [{"email": "ann@personal.example"}],
            },
        )
