# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Event logs of providers and organizations, page by page."""

from __future__ import annotations

import typing as t

import pytest

from tests.integration.page_a import ok
from tests.integration.provider_desk import NEW, VERSIONS, Desk
from tests.lab import Lab

pytestmark = pytest.mark.lab(scenario="msp")
LOG = {"provider_name": "Example Provider"}


@pytest.fixture
def desk(lab: Lab) -> Desk:
    """A provider that has invited sixty technicians and created a client."""
    desk = Desk(lab)
    ok(desk.users(*({"email": f"tech{number}@msp.example"} for number in range(60))))
    ok(desk.clients(NEW))
    lab.clear_requests()
    return desk


def types(result: dict[str, t.Any]) -> list[str]:
    return [event["type"] for event in ok(result)["events"]]


def pages(lab: Lab) -> int:
    return len([seen for seen in lab.requests("client") if seen.path.endswith("/events")])


def test_all_pages_the_newest_first(lab: Lab, desk: Desk) -> None:
    result = desk.run("event_info", **LOG)
    found = types(result)
    assert found.count("provider_user_invited") == 60
    assert "provider_organization_created" in found[:2]
    dates = [event["date"] for event in result["events"]]
    assert dates == sorted(dates, reverse=True)
    assert (result["truncated"], pages(lab)) == (False, 2)
    assert result["changed"] is False
    about = next(event for event in result["events"] if event["type"] == "provider_organization_created")
    assert about["provider_id"] == lab.facts["provider_id"]
    assert about["acting_user_id"] == lab.people["provider_user"].user_id


def test_no_more_pages_than_needed(lab: Lab, desk: Desk) -> None:
    result = desk.run("event_info", **LOG, limit=10)
    assert (len(result["events"]), result["truncated"], pages(lab)) == (10, True, 1)


def test_some_types(lab: Lab, desk: Desk) -> None:
    assert types(desk.run("event_info", **LOG, types=["provider_organization"])) == ["provider_organization_created"]
    assert types(desk.run("event_info", **LOG, types=["1900"])) == ["provider_organization_created"]


def test_another_time(lab: Lab, desk: Desk) -> None:
    assert types(desk.run("event_info", **LOG, start="2020-01-01", end="2020-06-01")) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_log_of_a_client(lab: Lab, version: str) -> None:
    lab.reset(scenario="msp", cloud_version=version)
    desk = Desk(lab)
    ok(desk.clients(NEW))
    result = desk.run("event_info", organization_name="My Client")
    assert types(result) == ["organization_user_invited"]
    assert result["events"][0]["provider_id"] == lab.facts["provider_id"]
    assert types(Desk(lab, "service_user").run("event_info", organization_name="My Client")) == ["organization_user_invited"]
