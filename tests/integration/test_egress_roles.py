# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roles prove the way to the cloud before they rely on it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from tests.demo import Demo, demo

PLAYS: dict[str, dict[str, t.Any]] = {
    "licensing": {"name": "bw.selfhost.licensing", "tasks_from": "preflight"},
    "egress": {"name": "bw.selfhost.egress"},
}


@pytest.fixture(name="page", scope="module")
def _page() -> t.Iterator[Demo]:
    with demo() as page:
        yield page


def play(page: Demo, role: str) -> Path:
    """Write a play of one role that only proves; page A's settings are those that a later part would write."""
    variables = {
        "egress_manage": False,
        "licensing_planned_region": page.lab.facts["region"],
        "licensing_planned_settings": {"globalSettings__enableCloudCommunication": True},
    }
    task = {"name": "Role", "ansible.builtin.include_role": PLAYS[role], "vars": variables}
    file = page.directory / f"{role}.yml"
    file.write_text(yaml.safe_dump([{"hosts": "bitwarden", "gather_facts": False, "tasks": [task]}]))
    return file


@pytest.mark.parametrize("role", PLAYS)
def test_the_way_is_proved_or_the_play_ends(page: Demo, role: str) -> None:
    page.lab.clear_requests()
    proved = page.playbook(playbook=str(play(page, role)))
    assert proved.code == 0, proved.output
    asked = {request.service for request in page.lab.requests("client") if request.path == "/alive"}
    assert asked == {"api", "identity"}

    page.lab.fault("status:502", path="/alive", server="eu", times=10)
    try:
        ended = page.playbook(playbook=str(play(page, role)))
    finally:
        page.lab.clear_faults()
    assert ended.code != 0
    assert "502" in ended.output
    assert "api.bitwarden.eu" in ended.output
    assert page.lab.writes() == []
