"""Fixtures of the client's tests: servers on loopback, and an environment without proxies."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client import pace
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect

from tests.lab import Lab
from tests.unit.client.site import Authority, Site
from tests.virtual import Virtual


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Virtual:
    """Waits of the client take no time."""
    virtual = Virtual()
    monkeypatch.setattr(pace, "time", virtual)
    return virtual


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(str(tmp_path_factory.mktemp("ca") / "ca.pem"))


@pytest.fixture
def site(authority: Authority) -> t.Iterator[Site]:
    """A server named localhost with a good certificate."""
    site = Site(authority.path)
    server = authority.serve(site, authority.ca.issue_cert("localhost"))
    yield site
    site.done.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def other_ca(tmp_path: Path) -> str:
    """The file of an authority that signed nothing here."""
    return Authority(str(tmp_path / "other.pem")).path


@pytest.fixture(scope="session")
def lab_process(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), version="2026.8.0") as lab:
        yield lab


@pytest.fixture
def lab(lab_process: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A cloud and a self-hosted server, in the first state of page A."""
    lab_process.reset(scenario="page_a", version="2026.8.0", cloud_version="2026.8.0")
    for name, value in lab_process.environment().items():
        monkeypatch.setenv(name, value)
    return lab_process


def options(lab: Lab, who: str, **more: t.Any) -> dict[str, t.Any]:
    """A person's API key and server, as a module's options."""
    person = lab.people[who]
    where = {"server_url": lab.facts["server_url"]} if person.server == "selfhost" else {"region": person.server}
    return {**where, "client_id": person.client_id, "client_secret": person.client_secret, **more}


@pytest.fixture
def local(lab: Lab) -> Server:
    """The self-hosted server, as its owner."""
    return connect(options(lab, "owner"))


@pytest.fixture
def cloud(lab: Lab) -> Server:
    """The EU cloud, as the owner."""
    return connect(options(lab, "cloud_owner"))


def asked(lab: Lab) -> list[str]:
    """What clients asked for, such as C(api/organizations)."""
    return [seen.service + seen.path for seen in lab.requests("client")]


def packed(members: t.Any) -> dict[str, str]:
    """A session with these members."""
    return {"session": base64.b64encode(json.dumps(members).encode()).decode()}


def changed(session: t.Mapping[str, str], **members: t.Any) -> dict[str, str]:
    """A session with some members changed."""
    return packed({**json.loads(base64.b64decode(session["session"])), **members})
