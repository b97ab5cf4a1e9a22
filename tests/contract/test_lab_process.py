"""Health (stack section 6), the stand-in stack around the self-hosted server, and the lab as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import requests

from tests.contract.speak import RELEASES, Http
from tests.lab import FACTS, Lab, connect
from tests.lab.stack import Stack

OVERRIDE = "env/global.override.env"


@pytest.mark.parametrize("release", RELEASES)
def test_6_health_and_configuration(lab: Lab, http: Http, release: str) -> None:
    """Everything is anonymous."""
    lab.reset(version=release)
    base = lab.facts["server_url"]
    assert (http.get(f"{base}/alive").text, http.get(f"{base}/alive").headers["Content-Type"]) == ("alive", "text/plain")
    for service in ("api", "identity", "admin", "sso", "events", "notifications", "icons"):
        assert http.get(f"{base}/{service}/alive").json().endswith("Z")
    assert http.get("selfhost:/version").json() == release
    assert http.get(f"{base}/version.json").json() == {"version": release}
    assert "<html" in http.get(f"{base}/").text
    assert "<html" in http.get(f"{base}/admin").text
    found = http.get("selfhost:/config").json()
    assert (found["version"], found["server"], found["environment"]["cloudRegion"]) == (release, None, "EU")
    assert ("communication" in found) == (release != "2025.8.0")
    assert http.get("us:/config").json()["environment"]["api"] == "https://api.bitwarden.com"
    assert http.get("https://vault.bitwarden.eu/api/alive").status_code == 200


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack as Setup leaves it, for the scenario's installation."""
    keys = {"installation_id": FACTS["installation_id"], "installation_key": FACTS["installation_key"]}
    return Stack.install(tmp_path / "server", region="EU", version="2026.4.0", **keys)


@pytest.fixture
def attached(stack: Stack, tmp_path: Path) -> t.Iterator[Http]:
    """A lab whose self-hosted server runs in it."""
    with Lab(tmp_path / "lab", stack=stack) as lab:
        yield Http(lab)


def test_an_edit_counts_after_the_restart(stack: Stack, attached: Http) -> None:
    """The containers' environment answers, not the file; so does their release."""
    assert attached.get("selfhost:/version").json() == "2026.4.0"
    enabled = "selfhost:/organizations/connections/enabled"
    with (stack.bwdata / OVERRIDE).open("a") as file:
        file.write("globalSettings__enableCloudCommunication=true\n")
    assert attached.get(enabled, attached.token("owner")).json() is False
    stack.run("restart")
    assert attached.get(enabled, attached.token("owner")).json() is True


def test_license_files_lie_in_bwdata(stack: Stack, attached: Http) -> None:
    """PascalCase; a camelCase copy put there by hand is not understood."""
    organization = attached.lab.facts["organization_id"]
    path = stack.bwdata / "core" / "licenses" / "organization" / f"{organization}.json"
    assert '"Seats": 10' in path.read_text()
    kept = attached.lab.snapshot()
    assert attached.upload(attached.lab.cloud_license(), organization).status_code == 200
    assert '"Seats": 25' in path.read_text()
    attached.lab.restore(kept)
    assert '"Seats": 10' in path.read_text()
    path.write_text(path.read_text().replace("Token", "token").replace("Expires", "expires"))
    found = attached.get(f"selfhost:/organizations/{organization}/subscription", attached.token("owner"))
    assert found.json()["expiration"] is None


def test_a_stack_that_is_not_ready(stack: Stack, attached: Http) -> None:
    """502 from nginx for one service, no connection when nginx is gone."""
    stack.switch("starting", "api")
    assert (attached.get("selfhost:/alive").status_code, attached.get("selfhost!/alive").status_code) == (502, 200)
    stack.clear_switches()
    assert attached.get("selfhost:/alive").status_code == 200
    stack.run("stop")
    with pytest.raises(requests.ConnectionError):
        attached.get("selfhost:/alive")
    with pytest.raises(requests.exceptions.ProxyError):
        Http(attached.lab).get("selfhost:/alive")


def test_a_restart_ends_the_day_of_silence(stack: Stack, attached: Http) -> None:
    """Wrong region first: Setup does not write the addresses of the EU."""
    with (stack.bwdata / OVERRIDE).open("a") as file:
        file.write("globalSettings__enableCloudCommunication=true\n")
    stack.run("restart")
    attached.connect()
    sync = f"selfhost:/organizations/licenses/self-hosted/{attached.lab.facts['organization_id']}/sync"
    assert attached.post(sync, attached.token("owner")).status_code == 400
    with (stack.bwdata / OVERRIDE).open("a") as file:
        file.write("globalSettings__installation__identityUri=https://identity.bitwarden.eu\n")
        file.write("globalSettings__installation__apiUri=https://api.bitwarden.eu\n")
    assert attached.post(sync, attached.token("owner")).status_code == 400
    stack.run("restart")
    assert attached.post(sync, attached.token("owner")).status_code == 200


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the lab's own command."""
    words = (sys.executable, "-m", "tests.lab", *words)
    root = Path(__file__).parents[2]
    return subprocess.run(words, cwd=root, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=True)


def test_up_control_down(tmp_path: Path) -> None:
    """One interface, two transports: another process does what this one can."""
    told = command("up", "--directory", str(tmp_path), "--scenario", "first_license", "--version", "2026.4.0", "--detach").stdout
    try:
        assert "export HTTPS_PROXY=" in told
        lab = connect((tmp_path / "proxy.url").read_text().strip())
        http = Http(lab)
        assert http.get("selfhost:/version").json() == "2026.4.0"
        lab.clear_requests()
        kept = lab.snapshot()
        http.sync_key()
        assert [seen.path for seen in lab.writes()] == [f"/organizations/{lab.facts['cloud_organization_id']}/api-key"]
        lab.restore(kept)
        assert lab.rows("eu", "organization_api_key", type=1) == []
        lab.fault("status:500", path="alive")
        assert http.get("selfhost:/alive").status_code == 500
        lab.change_settings({"globalSettings__baseServiceUri__cloudRegion": "US"})
        assert http.get("selfhost:/config").json()["environment"]["cloudRegion"] == "US"
        assert lab.people["owner"].email == "owner@example.com"
        with pytest.raises(RuntimeError, match="unknown kind of fault"):
            lab.fault("earthquake")
    finally:
        command("down", "--directory", str(tmp_path))
    assert not (tmp_path / "lab.pid").exists()
