# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An organization becomes code, and that code changes nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.organization_world import WHOLE, Place, at_owner, at_provider, ok
from tests.lab import Lab

Result = dict[str, t.Any]
ROOT = Path(__file__).parents[2]
TRAPS = {
    "groups": [{"name": "{{ lookup('pipe', 'id') }}"}, {"name": "no"}, {"name": 'a: "b" # \\c'}],
    "collections": [
        {"name": "{% raw %}/1.5", "groups": [{"name": "no", "permission": "manage"}]},
        {"name": "Ümläut ☃", "external_id": "on"},
    ],
    "settings": {"allow_admin_access_to_all_collection_items": True},
}
PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/bw.selfhost.api: "{{ login }}"
  tasks:
    - ansible.builtin.include_tasks: "{{ file }}"
"""


def filled(place: Place) -> Place:
    """The organization with something of everything, one person confirmed, one waiting, one revoked."""
    ok(place.run(**WHOLE))
    ok(place.run(**TRAPS))
    place.lab.accept_invitation("ann@client.example", server=place.server)
    ok(
        place.run(
            members=[{"email": "ann@client.example"}, {"email": "lead@client.example", "role": "admin", "state": "revoked"}]
        )
    )
    place.lab.accept_invitation("bob@client.example", server=place.server)
    return place


@pytest.mark.parametrize(
    "reach", [at_owner, pytest.param(at_provider, marks=pytest.mark.lab(scenario="msp", cloud_version="2026.8.0"))]
)
def test_applied_it_changes_nothing(lab: Lab, reach: t.Callable[[Lab], Place]) -> None:
    place = filled(reach(lab))
    lab.clear_requests()
    exported = ok(place.run("organization_export"))
    assert (exported["changed"], exported["changes"], lab.writes()) == (False, [], [])
    applied = ok(place.run(**exported["organization"]))
    assert (applied["changed"], applied["changes"], lab.writes()) == (False, [], [])
    assert [one["name"] for one in applied["pending"]] == ["bob@client.example"]
    assert exported["organization"].keys() >= {"settings", "groups", "collections", "members", "policies", "sso", "scim"}
    assert "S3CRET-canary" not in repr(exported)
    assert exported["yaml"] == ok(place.run("organization_export"))["yaml"]


def test_the_file_is_tasks_that_run(lab: Lab, tmp_path: Path) -> None:
    place, file = filled(at_owner(lab)), tmp_path / "example-org.yml"
    ok(place.run("organization_export", dest=str(file)))
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "variables.yml").write_text(yaml.safe_dump({"login": place.options, "file": str(file)}))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["ansible-playbook", "-e", f"@{tmp_path}/variables.yml", f"{tmp_path}/play.yml"]
    lab.clear_requests()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
    assert lab.writes() == []
    assert len(lab.requests("client")) > 5


def test_file(lab: Lab, tmp_path: Path) -> None:
    place, file = at_owner(lab), tmp_path / "org.yml"
    planned = ok(place.run("organization_export", dest=str(file), check=True))
    assert (planned["changed"], file.exists()) == (True, False)
    done = ok(place.run("organization_export", dest=str(file)))
    assert (done["changed"], done["path"], done["diff"]["after"]) == (True, str(file), file.read_text())
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (done["yaml"], 0o600)
    again = ok(place.run("organization_export", dest=str(file)))
    assert (again["changed"], again["diff"]["before"]) == (False, again["diff"]["after"])
    file.chmod(0o644)
    assert ok(place.run("organization_export", dest=str(file)))["changed"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "There is no directory" in place.run("organization_export", dest=str(tmp_path / "none/org.yml"))["msg"]


def test_parts(lab: Lab) -> None:
    place = filled(at_owner(lab))
    lab.clear_requests()
    del place.options["master_password"]
    exported = ok(place.run("organization_export", parts=["policies", "scim"]))
    assert list(exported["organization"]) == ["organization_name", "policies", "scim"]
    assert not [request for request in lab.requests("client") if "/users" in request.path or "/collections" in request.path]
    assert "master_password" in place.run("organization_export")["msg"]


def test_what_the_plan_does_not_have_is_left_out(lab: Lab) -> None:
    place = at_owner(lab)
    (row,) = lab.rows("selfhost", "organization", id=place.organization_id)
    lab.put_row("selfhost", "organization", **{**row, **dict.fromkeys(("usePolicies", "useSso", "useScim", "useGroups"), False)})
    exported = ok(place.run("organization_export"))
    assert list(exported["organization"]) == ["organization_name", "settings", "collections", "members"]
    assert ok(place.run(**exported["organization"]))["changed"] is False
