# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No secret of a provider leaves the process: not at -vvvv, not in a diff, not in a registered result, not in a file."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest

from tests.integration.provider_desk import login
from tests.integration.verbose import PLACES, interpreter, shown
from tests.lab import Lab, people

WRONG_PASSWORD = "canary wrong master password"
PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/bw.selfhost.api: "{{ login }}"
  tasks:
    - bw.selfhost.provider_user:
        users: [{email: tech@msp.example}]
      register: users
    - bw.selfhost.client_organization:
        clients: [{name: My Client, plan: enterprise, seats: 15, owner_email: owner@client.example}]
      register: clients
    - bw.selfhost.client_organization_info:
      register: info
    - bw.selfhost.event_info:
        provider_name: Example Provider
      register: events
    - ansible.builtin.debug:
        msg: "{{ [users, clients, info, events] }}"
"""


@pytest.mark.slow
@pytest.mark.lab(scenario="msp")
@pytest.mark.parametrize("place", PLACES)
def test_never_shown(lab: Lab, tmp_path: Path, place: str) -> None:
    variables: dict[str, t.Any] = {"login": login(lab.people["provider_user"]), **interpreter(place, tmp_path)}
    seen = [shown(tmp_path, PLAY, variables, "--check"), shown(tmp_path, PLAY, variables)]
    for email in ("tech@msp.example", "owner@client.example"):
        lab.accept_invitation(email, server="eu")
    seen.append(shown(tmp_path, PLAY, variables))
    wrong = {**variables, "login": {**variables["login"], "master_password": WRONG_PASSWORD}}
    lab.delete_row("eu", "provider_organization", lab.rows("eu", "provider_organization")[-1]["id"])
    seen.append(shown(tmp_path, PLAY, wrong, fails=True))
    text = "\n".join(seen)
    assert "confirmed" in text
    assert [name for name, secret in secrets(lab).items() if secret in text] == []
    assert "eyJhbGci" not in text  # the beginning of every token


def secrets(lab: Lab) -> dict[str, str]:
    petra = lab.people["provider_user"]
    found = {"master password": petra.master_password, "client secret": petra.client_secret, "wrong password": WRONG_PASSWORD}
    keys = {name: people.key64(name) for name in ("provider", "alpha organization", "beta organization")}
    for name, key in keys.items():
        found |= {f"{name} key": key.hex(), f"{name} key in base64": base64.b64encode(key).decode()}
    for row in lab.rows("eu", "provider_organization"):
        found[f"wrapped key of {row['organizationId']}"] = row["key"]
    for row in lab.rows("eu", "provider_user") + lab.rows("eu", "member"):
        found |= {f"sealed key of {row['id']}": row["key"]} if row["key"] else {}
    for row in lab.rows("eu", "user", email=petra.email):
        found |= {"password hash": row["passwordHash"], "wrapped user key": row["key"]}
    return found
