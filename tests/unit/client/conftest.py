"""Fixtures of the client's tests: servers on loopback, and an environment without proxies."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.unit.client.site import Authority, Site


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)


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
