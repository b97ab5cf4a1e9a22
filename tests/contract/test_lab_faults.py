"""The lab's own instruments: faults, counting, forbidding, keeping and bringing back."""

from __future__ import annotations

import time

import pytest
import requests

from tests.contract.speak import Http
from tests.lab import Lab

ALIVE = "selfhost:/alive"


def keys(lab: Lab) -> int:
    """How many billing sync keys there are in the cloud."""
    return len(lab.rows("eu", "organization_api_key", type=1))


@pytest.mark.parametrize(
    ("kind", "committed"), [("reset_before", 0), ("reset_after", 1), ("torn", 1), ("timeout", 0), ("timeout_after", 1)]
)
def test_faults_that_leave_no_answer(lab: Lab, http: Http, kind: str, committed: int) -> None:
    """Before or after the state was committed."""
    where = f"eu:/organizations/{lab.facts['cloud_organization_id']}/api-key"
    token, body = http.token("cloud_owner"), {"type": 1, **http.proof("cloud_owner")}
    lab.fault(kind, path="/api-key$")
    with pytest.raises(requests.RequestException):
        http.post(where, token, body, timeout=0.5)
    assert keys(lab) == committed
    assert http.post(where, token, body).status_code == 200, "it hits once"


@pytest.mark.parametrize(
    ("kind", "status", "committed"),
    [("status:500", 500, 0), ("status_after:500", 500, 1), ("html", 200, 0), ("redirect", 302, 0), ("delay:0.2", 200, 1)],
)
def test_faults_with_an_answer(lab: Lab, http: Http, kind: str, status: int, committed: int) -> None:
    """The connection lives on."""
    where = f"eu:/organizations/{lab.facts['cloud_organization_id']}/api-key"
    token, body = http.token("cloud_owner"), {"type": 1, **http.proof("cloud_owner")}
    lab.fault(kind, method="POST", server="eu")
    before = time.monotonic()
    answer = http.post(where, token, body)
    assert answer.status_code == status
    assert keys(lab) == committed
    assert (time.monotonic() - before >= 0.2) == kind.startswith("delay")
    assert kind != "html" or "text/html" in answer.headers["Content-Type"]


def test_a_fault_by_index_and_its_retry_after(lab: Lab, http: Http) -> None:
    """The index counts clients' requests since the last clear."""
    http.get(ALIVE)
    lab.clear_requests()
    lab.fault("status:429", index=1)
    answers = [http.get(ALIVE) for _unused in range(3)]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert answers[1].headers["Retry-After"] == "1"
    assert [seen.index for seen in lab.requests()] == [0, 1, 2]


def test_faults_end(lab: Lab, http: Http) -> None:
    """After so many times, or when they are taken back; an unknown kind is refused."""
    lab.fault("status:503", path="alive", times=2)
    assert [http.get(ALIVE).status_code for _unused in range(3)] == [503, 503, 200]
    lab.fault("status:503", times=None)
    assert {http.get(ALIVE).status_code for _unused in range(5)} == {503}
    lab.clear_faults()
    assert http.get(ALIVE).status_code == 200
    with pytest.raises(ValueError, match="unknown kind of fault"):
        lab.fault("earthquake")


def test_a_fault_between_the_servers(lab: Lab, http: Http) -> None:
    """Only when it was ordered for the server's own requests."""
    http.connect()
    sync = f"selfhost:/organizations/licenses/self-hosted/{lab.facts['organization_id']}/sync"
    token = http.token("owner")
    lab.fault("status:500", path="/licenses/organization/")
    lab.fault("reset_before", path="/licenses/organization/", origin="server")
    assert http.post(sync, token).status_code == 400
    assert http.post(sync, token).status_code == 200


def test_what_counts_as_a_write(lab: Lab, http: Http) -> None:
    """Tokens, prelogin and an existing key's reading do not."""
    lab.clear_requests()
    token, proof = http.token("cloud_owner"), http.proof("cloud_owner")
    http.post("eu:/accounts/api-key", token, proof)
    assert lab.writes() == []
    http.sync_key()
    http.sync_key()
    assert [(seen.server, seen.service, seen.method) for seen in lab.writes()] == [("eu", "api", "POST")]
    assert {seen.path for seen in lab.requests()} >= {"/connect/token", "/accounts/prelogin", "/accounts/api-key"}


def test_forbidden_writes(lab: Lab, http: Http) -> None:
    """Answered with 599, recorded, and without effect."""
    token, proof = http.token("cloud_owner"), http.proof("cloud_owner")
    lab.forbid_writes()
    where = f"eu:/organizations/{lab.facts['cloud_organization_id']}/api-key"
    assert http.post(where, token, {"type": 1, **proof}).status_code == 599
    assert (keys(lab), [seen.status for seen in lab.writes()]) == (0, [599])
    assert http.get("eu:/organizations", token).status_code == 200
    lab.forbid_writes(False)
    assert http.post(where, token, {"type": 1, **proof}).status_code == 200


def test_snapshots_and_reset(lab: Lab, http: Http) -> None:
    kept = lab.snapshot()
    http.sync_key()
    after = lab.snapshot()
    lab.restore(kept)
    assert keys(lab) == 0
    lab.restore(after)
    assert keys(lab) == 1
    lab.reset(scenario="first_license")
    assert (keys(lab), lab.rows("selfhost", "organization"), lab.facts["organization_id"]) == (0, [], None)


def test_every_other_name_is_refused(lab: Lab, http: Http) -> None:
    """Nothing leaves the machine."""
    for url in ("https://example.org/", "https://bitwarden.com.example.org/", "https://vault.example.com:8443/"):
        with pytest.raises(requests.exceptions.ProxyError):
            http.get(url)
    assert lab.refused_hosts() == ["example.org:443", "bitwarden.com.example.org:443", "vault.example.com:8443"]


def test_wrong_certificate(lab: Lab) -> None:
    """The name in it is somebody else's; the authority is known."""
    lab.wrong_certificate()
    with pytest.raises(requests.exceptions.SSLError, match="Hostname mismatch"):
        Http(lab).get(ALIVE)
    lab.wrong_certificate(False)
    assert Http(lab).get(ALIVE).status_code == 200
