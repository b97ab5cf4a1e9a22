"""A look at the host and at what it serves, after the roles have run twice."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
from pathlib import Path

import pytest
import requests
import yaml
from testinfra.host import Host

from tests.lab import connect
from tests.lab.stack import Stack

REGION = {
    "globalSettings__enableCloudCommunication": "true",
    "globalSettings__baseServiceUri__cloudRegion": "EU",
    "globalSettings__installation__identityUri": "https://identity.bitwarden.eu",
    "globalSettings__installation__apiUri": "https://api.bitwarden.eu",
    "globalSettings__pushRelayBaseUri": "https://push.bitwarden.eu",
}


@pytest.fixture(scope="module")
def world() -> dict[str, t.Any]:
    """What C(world.py) has told."""
    found: dict[str, t.Any] = yaml.safe_load((Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "world.yml").read_text())
    return found


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.partition("=")[0] not in REGION]


def test_env_file_has_the_settings_and_nothing_else_changed(host: Host, world: dict[str, t.Any]) -> None:
    folder = f"{world['server_bwdata']}/env"
    file = host.file(f"{folder}/global.override.env")
    text = file.content.decode()
    backup = next(name for name in host.file(folder).listdir() if name.startswith("global.override.env."))
    before = host.file(f"{folder}/{backup}").content
    assert hashlib.sha256(before).hexdigest() == world["world_env_file_sha256"]
    assert REGION.items() <= dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line).items()
    assert lines(text) == lines(before.decode())


@pytest.mark.parametrize("name", ["global.override.env", "mssql.override.env"])
def test_files_with_secrets_are_closed(name: str, host: Host, world: dict[str, t.Any]) -> None:
    assert host.file(f"{world['server_bwdata']}/env/{name}").mode & 0o077 == 0


def test_containers_run_with_the_settings(world: dict[str, t.Any]) -> None:
    containers = Stack(world["world_stack"]).containers()
    for service in ("api", "identity", "admin"):
        assert REGION.items() <= containers[service].environment.items()
    assert {container.health for container in containers.values() if container.running} <= {"healthy", None}


def test_server_answers(world: dict[str, t.Any]) -> None:
    way = world["bitwarden_environment"]
    url = f"{world['licensing_server']['server_url']}/api/config"
    answer = requests.get(url, proxies={"https": way["HTTPS_PROXY"]}, verify=way["SSL_CERT_FILE"], timeout=30)
    assert answer.status_code == 200
    assert answer.json()["environment"]["cloudRegion"] == "EU"


def test_license_is_stored(host: Host, world: dict[str, t.Any]) -> None:
    folder = f"{world['server_bwdata']}/core/licenses/organization"
    (name,) = host.file(folder).listdir()
    assert json.loads(host.file(f"{folder}/{name}").content)["Seats"] == 25


def test_connection_and_sponsorship_are_there(world: dict[str, t.Any]) -> None:
    lab = connect(world["bitwarden_environment"]["HTTPS_PROXY"])
    assert len(lab.rows("selfhost", "connection")) == 1
    offered = [row["offeredToEmail"] for row in lab.rows("selfhost", "sponsorship")]
    assert offered == [offer["email"] for offer in world["licensing_sponsorships"]]
