# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab, once per session and as new for each test; and a stand-in stack."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.lab.stack import Stack

VERSION = "2026.8.0"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lab(scenario, version, …): how the lab is reset before the test")


@pytest.fixture(scope="session")
def lab_process(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), version=VERSION, scenario="page_a") as lab:
        yield lab


@pytest.fixture
def lab(lab_process: Lab, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The lab in its first state; C(@pytest.mark.lab(scenario=…, version=…)) chooses another one."""
    marker = request.node.get_closest_marker("lab")
    first = {"scenario": "page_a", "version": VERSION, "cloud_version": VERSION}
    lab_process.reset(**{**first, **(marker.kwargs if marker else {})})
    for name, value in lab_process.environment().items():
        monkeypatch.setenv(name, value)
    return lab_process


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A started stand-in installation for the EU region, not attached to the lab."""
    return Stack.install(tmp_path / "bitwarden", domain="vault.example.com", region="EU")
