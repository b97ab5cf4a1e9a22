# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading what Compose and Docker say, and comparing the two."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.compose import Service, parse_config, parse_inspect, tag
from ansible_collections.bw.selfhost.plugins.module_utils._model.drift import image_drift, setting_changes, setting_drift
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan

IMAGE = "ghcr.io/bitwarden/api:2026.8.0"


def inspected(environment: dict[str, str], image: str = IMAGE, **state: t.Any) -> str:
    document = {
        "Name": "/bitwarden-api",
        "Image": "sha256:0",
        "Created": "2026-08-20T12:00:00Z",
        "State": {"Status": "running", "ExitCode": 0, **state},
        "Config": {"Image": image, "Env": [f"{key}={value}" for key, value in environment.items()]},
    }
    return json.dumps([document])


def drift(wanted: dict[str, str], actual: dict[str, str], image: dict[str, str] | None = None) -> dict[str, tuple[t.Any, t.Any]]:
    services = {"api": Service("api", "bitwarden-api", IMAGE, wanted)}
    containers = {"api": parse_inspect(inspected(actual))["bitwarden-api"]}
    return {found.key: (found.running, found.wanted) for found in setting_drift(services, containers, {IMAGE: image or {}})}


@pytest.mark.parametrize(
    ("wanted", "actual", "expected"),
    [
        ({"A": "1"}, {"A": "1"}, {}),
        ({"A": "1"}, {"A": "2"}, {"A": ("2", "1")}),
        ({"A": "1"}, {}, {"A": (None, "1")}),
        ({"A": ""}, {}, {"A": (None, "")}),
        ({}, {"PATH": "/bin", "ASPNETCORE_URLS": "x"}, {}),
        ({}, {"globalSettings__x": "1"}, {"globalSettings__x": ("1", None)}),
        ({}, {"BACKUP_DB": "0", "LOCAL_UID": "1"}, {"BACKUP_DB": ("0", None), "LOCAL_UID": ("1", None)}),
        ({"HTTPS_PROXY": "http://a"}, {"HTTPS_PROXY": "http://b", "no_proxy": "c"}, {}),
        ({"A": "x=y"}, {"A": "x=y"}, {}),
    ],
)
def test_setting_drift(wanted: dict[str, str], actual: dict[str, str], expected: dict[str, t.Any]) -> None:
    assert drift(wanted, actual) == expected


def test_what_the_image_brings_is_no_drift() -> None:
    assert drift({}, {"globalSettings__x": "1"}, {"globalSettings__x": "1"}) == {}


def test_a_service_without_container_has_no_drift() -> None:
    assert setting_drift({"api": Service("api", "bitwarden-api", IMAGE, {"A": "1"})}, {}, {}) == []


def test_changes_are_grouped_and_masked() -> None:
    services = {name: Service(name, f"bitwarden-{name}", IMAGE, {"K": "canary", "B": "true"}) for name in ("api", "sso")}
    container = parse_inspect(inspected({"K": "old-canary"}))["bitwarden-api"]
    found = setting_drift(services, {"api": container, "sso": container}, {})
    changes = setting_changes(found, lambda key: key == "K")
    assert [(change.name, change.reason) for change in changes] == [("K", "in api, sso"), ("B", "in api, sso")]
    shown = json.dumps([Plan(tuple(changes)).as_list(), Plan(tuple(changes)).diff()])
    assert "canary" not in shown
    assert "true" in shown


def test_image_drift() -> None:
    services = {"api": Service("api", "bitwarden-api", "ghcr.io/bitwarden/api:2026.9.0", {})}
    (change,) = image_drift(services, parse_inspect(inspected({})) and {"api": parse_inspect(inspected({}))["bitwarden-api"]})
    assert (change.before, change.after) == ({"version": "2026.8.0"}, {"version": "2026.9.0"})


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (IMAGE, "2026.8.0"),
        ("bitwarden/api", "latest"),
        ("registry.example.com:5000/bitwarden/api", "latest"),
        ("registry.example.com:5000/bitwarden/api:1@sha256:00", "1"),
    ],
)
def test_tag(image: str, expected: str) -> None:
    assert tag(image) == expected


def test_compose_config_is_read() -> None:
    document = {
        "name": "docker",
        "services": {
            "api": {"container_name": "bitwarden-api", "image": IMAGE, "environment": {"A": "pa$$word", "B": None}},
            "extra": {"image": "example/extra"},
        },
    }
    services = parse_config(json.dumps(document))
    assert services["api"].environment == {"A": "pa$word"}
    assert services["extra"].container == "docker-extra-1"


@pytest.mark.parametrize(
    ("state", "ready", "up", "condition"),
    [
        ({"Health": {"Status": "healthy"}}, True, True, "healthy"),
        ({}, True, True, "running"),
        ({"Health": {"Status": "starting"}}, False, True, "starting"),
        ({"Status": "restarting", "ExitCode": 134, "Health": {"Status": "unhealthy"}}, False, True, "restarting, exit code 134"),
        ({"Status": "exited", "ExitCode": 1}, False, False, "exited, exit code 1"),
    ],
)
def test_condition(state: dict[str, t.Any], ready: bool, up: bool, condition: str) -> None:
    container = parse_inspect(inspected({}, **state))["bitwarden-api"]
    assert (container.ready, container.up, container.condition) == (ready, up, condition)
