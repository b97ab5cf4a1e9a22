# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What C(login) and C(billing_sync_token) return is never shown, and later tasks can use it all the same."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.integration.page_a import at_cloud, at_server
from tests.integration.verbose import PLACES, interpreter, shown
from tests.lab import Lab

PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - bw.selfhost.login: "{{ server }}"
      register: server_login
    - bw.selfhost.login: "{{ cloud }}"
      register: cloud_login
    - bw.selfhost.login: "{{ item }}"
      loop: ["{{ server }}", "{{ cloud }}"]
      register: both
    - bw.selfhost.organization_license:
        session: "{{ server_login.session }}"
        license: "{{ license }}"
    - bw.selfhost.billing_sync_token:
        session: "{{ cloud_login.session }}"
        master_password: "{{ password }}"
        cloud_organization_id: "{{ cloud_organization_id }}"
      register: token
    - bw.selfhost.billing_sync:
        session: "{{ both.results[0].session }}"
        organization_name: Example Org
        token: "{{ token.token }}"
      register: synced
    - ansible.builtin.debug:
        msg: "synced at {{ synced.last_license_sync }}"
"""


@pytest.mark.parametrize("place", PLACES)
def test_handed_over_and_never_shown(lab: Lab, tmp_path: Path, place: str) -> None:
    cloud_owner = lab.people["cloud_owner"]
    license_text = json.dumps(lab.cloud_license())
    variables: dict[str, t.Any] = {
        "server": at_server(lab),
        "cloud": at_cloud(lab),
        "password": cloud_owner.master_password,
        "cloud_organization_id": lab.facts["cloud_organization_id"],
        "license": license_text,
        **interpreter(place, tmp_path),
    }
    output = shown(tmp_path, PLAY, variables)
    assert "synced at 2" in output
    assert output.count("output has been hidden") >= 5
    token = lab.rows("selfhost", "connection")[0]["config"]["BillingSyncKey"]
    people = [getattr(lab.people[who], part) for who in ("owner", "cloud_owner") for part in ("client_secret", "master_password")]
    session_start = "eyJhcGkiOiAi"  # base64 of the JSON in a session
    secrets = [token, *people, session_start, str(lab.cloud_license()["licenseKey"]), str(lab.cloud_license()["hash"])]
    assert [secret for secret in secrets if secret in output] == []
