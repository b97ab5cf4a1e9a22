# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Page A through the modules: what check mode says, what the run does, and that a second run does nothing."""

from __future__ import annotations

import pytest

from tests.integration.module_runner import run_module
from tests.integration.page_a import PageA, at_cloud, at_server, ok
from tests.lab import Lab

BUDGET = 12  # requests of a converged run
VERSIONS = ("2025.8.0", "2026.4.0", "2026.8.0")


def versions(scenario: str) -> list[object]:
    marks = [(version, pytest.mark.lab(scenario=scenario, version=version)) for version in VERSIONS]
    return [pytest.param(id=version, marks=mark) for version, mark in marks]


@pytest.mark.parametrize((), versions("page_a"))
def test_older_license(lab: Lab) -> None:
    walk_through(lab)


@pytest.mark.parametrize((), versions("first_license"))
def test_first_license(lab: Lab) -> None:
    walk_through(lab)
    (organization,) = lab.rows("selfhost", "organization")
    assert organization["publicKey"]
    assert organization["privateKey"].startswith("2.")


def walk_through(lab: Lab) -> None:
    dry = PageA(lab, check=True)
    dry.run()
    assert not dry.failed
    assert lab.writes() == []

    wet = PageA(lab)
    wet.run()
    assert not wet.failed
    assert lab.writes()
    for step in ("license", "billing_sync", "sponsorship"):
        assert without_ids(wet.results[step]["changes"]) == without_ids(dry.results[step]["changes"]), step
        assert wet.results[step]["diff"]["before"] != wet.results[step]["diff"]["after"]

    lab.clear_requests()
    again = PageA(lab)
    again.run()
    assert not again.failed
    assert not again.changed
    assert lab.writes() == []
    assert len(lab.requests("client")) <= BUDGET
    assert again.results["preflight"]["health"] == "ok"
    proved = {check["check"] for check in again.results["preflight"]["checks"] if check["state"] == "proved"}
    assert proved == {"P3", "P4", "P6", "P9", "P12", "P13"}


def without_ids(changes: list[dict[str, object]]) -> list[dict[str, object]]:
    # A connection is named by the organization's id, which check mode cannot know before the organization is there.
    return [{**change, "name": None} for change in changes]


def test_the_first_run_really_checks_everything(lab: Lab) -> None:
    page = PageA(lab)
    page.results["log_in"] = ok(page.log_in())
    states = {check["check"]: check["state"] for check in ok(page.preflight())["checks"]}
    assert states == {
        **{f"P{number}": "ok" for number in (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)},
        "P5": "skipped",
        "P12": "notice",  # there is no token yet
        "P13": "ok",
    }


@pytest.mark.lab(scenario="provider")
def test_a_provider_user_has_the_same_rights_in_the_cloud(lab: Lab) -> None:
    provider, facts = lab.people["provider_user"], lab.facts
    server = ok(run_module("login", at_server(lab)))["session"]
    cloud = {"session": ok(run_module("login", at_cloud(lab, "provider_user")))["session"]}
    both = {"session": server, "cloud": cloud, "cloud_organization_id": facts["cloud_organization_id"]}
    installed = {**both, "installation_id": facts["installation_id"]}

    info = ok(run_module("organization_license_info", {**installed, "checks": True}))
    assert info["problems"] == []
    assert ok(run_module("organization_license", installed))["changed"]
    proven = {**both, "cloud": {**cloud, "master_password": provider.master_password}}
    assert ok(run_module("billing_sync", proven))["last_license_sync"]
