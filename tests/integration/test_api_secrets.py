# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What C(login) and C(billing_sync_token) return is never shown, and later tasks can use it all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.page_a import at_cloud, at_server
from tests.lab import Lab

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize("place", ["in the controller's process", "as a process of its own"])
def test_handed_over_and_never_shown(lab: Lab, tmp_path: Path, place: str) -> None:
    cloud_owner = lab.people["cloud_owner"]
    license_text = json.dumps(lab.cloud_license())
    variables = {
        "server": at_server(lab),
        "cloud": at_cloud(lab),
        "password": cloud_owner.master_password,
        "cloud_organization_id": lab.facts["cloud_organization_id"],
        "license": license_text,
    }
    if place == "as a process of its own":  # the same Python by another name counts as another one
        other = tmp_path / "python"
        other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        other.chmod(0o755)
        variables["ansible_python_interpreter"] = str(other)
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "variables.json").write_text(json.dumps(variables))
    command = ["ansible-playbook", "-vvvv", "--diff", "-e", f"@{tmp_path}/variables.json", str(tmp_path / "play.yml")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "synced at 2" in output
    assert output.count("output has been hidden") >= 5
    token = lab.rows("selfhost", "connection")[0]["config"]["BillingSyncKey"]
    people = [getattr(lab.people[who], part) for who in ("owner", "cloud_owner") for part in ("client_secret", "master_password")]
    session_start = "eyJhcGkiOiAi"  # base64 of the JSON in a session
    secrets = [token, *people, session_start, str(lab.cloud_license()["licenseKey"]), str(lab.cloud_license()["hash"])]
    assert [secret for secret in secrets if secret in output] == []
