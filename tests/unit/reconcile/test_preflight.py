# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pre-flight's own logic: one failing check does not hide the others, and a mistake is reported once."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, self_hosted
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.preflight import (
    CHECKS,
    Check,
    Notice,
    configured_problems,
    problems_of,
    run_checks,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.scene import Scene, Skipped

EU, US = REGIONS["eu"], REGIONS["us"]
INSTALLATION = "11111111-2222-4333-8444-555555555555"
RIGHT = {
    "installation_id": INSTALLATION,
    "api_uri": "https://api.bitwarden.eu",
    "identity_uri": "https://identity.bitwarden.eu/",
    "push_uri": "https://push.bitwarden.eu",
    "cloud_region": "EU",
}


def test_configured() -> None:
    assert configured_problems(RIGHT, INSTALLATION, EU) == []
    assert configured_problems({**RIGHT, "cloud_region": "eu"}, INSTALLATION.upper(), EU) == []


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ({"installation_id": "other"}, "globalSettings__installation__id"),
        ({"api_uri": "https://api.bitwarden.com"}, "globalSettings__installation__apiUri"),
        ({"api_uri": ""}, "globalSettings__installation__apiUri"),
        ({"identity_uri": ""}, "globalSettings__installation__identityUri"),
        ({"push_uri": "https://push.bitwarden.com"}, "globalSettings__pushRelayBaseUri"),
        ({"cloud_region": "US"}, "globalSettings__baseServiceUri__cloudRegion"),
    ],
)
def test_configured_wrongly(wrong: dict[str, str], setting: str) -> None:
    (problem,) = configured_problems({**RIGHT, **wrong}, INSTALLATION, EU)
    assert problem.field == setting
    assert problem.remedy


def test_the_us_cloud_is_the_default() -> None:
    unset = {"api_uri": "", "identity_uri": ""}
    assert configured_problems(unset, None, US) == []


@pytest.mark.parametrize(("configured", "region"), [(None, EU), ({}, EU), ({"api_uri": None}, EU), (RIGHT, None)])
def test_nothing_to_compare(configured: dict[str, str] | None, region: t.Any) -> None:
    with pytest.raises(Skipped):
        configured_problems(configured, None, region)


def test_every_check_has_its_own_name() -> None:
    assert [check.name for check in CHECKS] == [f"P{number}" for number in range(1, 14)]


def test_all_problems_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fine(scene: Scene) -> str:
        return "fine"

    def broken(scene: Scene) -> str:
        raise SelfhostError("It is broken.", field="it", remedy="Mend it.")

    def mended_later(scene: Scene) -> str:
        raise Notice("later")

    def nothing_given(scene: Scene) -> str:
        raise Skipped

    looks = [fine, broken, mended_later, nothing_given, broken, fine]
    checks = tuple(Check(f"C{number}", "", look) for number, look in enumerate(looks))
    monkeypatch.setattr("ansible_collections.bw.selfhost.plugins.module_utils._reconcile.preflight.CHECKS", checks)
    server = Server(self_hosted("https://vault.example.com"))
    findings = run_checks(Scene({}, server, None, datetime(2026, 8, 21, tzinfo=UTC)))
    assert [finding.state for finding in findings] == ["ok", "problem", "notice", "skipped", "problem", "ok"]
    assert [(check, problem.field) for check, problem in problems_of(findings).values()] == [("C1", "it")]


def test_a_failure_is_asked_for_once() -> None:
    server = Server(self_hosted("https://vault.example.com"))
    scene = Scene({}, server, None, datetime(2026, 8, 21, tzinfo=UTC))
    asked = []

    def ask() -> None:
        asked.append(1)
        raise SelfhostError("It is gone.")

    for _unused in range(2):
        with pytest.raises(SelfhostError, match="It is gone"):
            scene.once("it", ask)
    assert asked == [1]
