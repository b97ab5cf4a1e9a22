# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The passwords of a directory and of an organization are shown nowhere, wherever the module runs."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.directory import PASSWORD, Slapd
from tests.integration.directory_world import Organization, searches, small
from tests.integration.verbose import PLACES, interpreter, shown
from tests.lab import Lab

WRONG = "canary wrong password"
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - bw.selfhost.directory_sync: "{{ options }}"
      register: synced
    - ansible.builtin.debug:
        msg: "{{ synced }}"
"""


@pytest.mark.slow
@pytest.mark.lab(scenario="page_a")
@pytest.mark.parametrize("place", PLACES)
def test_never_shown(lab: Lab, tmp_path: Path, place: str) -> None:
    organization = Organization(lab)
    with Slapd(tmp_path / "slapd", small()) as slapd:
        options: dict[str, t.Any] = {**organization.options, "directory": slapd.options(), **searches()}
        variables = {"options": options, **interpreter(place, tmp_path)}
        seen = [shown(tmp_path, PLAY, variables, "--check"), shown(tmp_path, PLAY, variables), shown(tmp_path, PLAY, variables)]
        options["directory"] = slapd.options(bind_password=WRONG)
        seen.append(shown(tmp_path, PLAY, variables, fails=True))
    assert "does not accept the password of cn=sync" in seen[-1]
    assert ["invite: 12" in text for text in seen[:3]] == [True, True, False]
    secrets = [PASSWORD, WRONG, organization.options["client_secret"], "eyJhbGci"]
    assert [secret for secret in secrets for text in seen if secret in text] == []
