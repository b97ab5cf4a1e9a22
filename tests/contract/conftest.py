"""One lab for all contract tests."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.organization import Organization
from tests.contract.public import Public
from tests.contract.speak import RELEASES, Http
from tests.lab import Lab


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """One lab for all tests; each puts it back first."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def lab(served: Lab) -> Lab:
    """The lab in its first state: the newest release, scenario page_a."""
    served.reset(scenario="page_a", version=RELEASES[-1], cloud_version=RELEASES[-1])
    return served


@pytest.fixture
def http(lab: Lab) -> Http:
    """How tests speak to it."""
    return Http(lab)


@pytest.fixture
def organization(lab: Lab, http: Http) -> Organization:
    """The local organization, as its owner sees it."""
    return Organization(lab, http)


@pytest.fixture(params=RELEASES)
def organizations(lab: Lab, http: Http, request: pytest.FixtureRequest) -> Organization:
    """The same on every release."""
    return Organization(lab, http, request.param)


@pytest.fixture
def public(organization: Organization) -> Public:
    """The organization with its own key."""
    return Public(organization)
