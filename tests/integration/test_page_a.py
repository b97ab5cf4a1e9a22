"""Page A as its user runs it: ansible-playbook on a server as Setup left it, with the lab as its cloud."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from pathlib import Path

import pytest

from tests.demo import SPONSORED, Demo, Pass, demo, page_a
from tests.demo.observe import rows

REQUEST_BUDGET = 12
PROBED = ("/alive", "/")  # what the proof of outbound traffic asks the three services of the cloud for


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Mode and digest of every file of an installation, the stand-in's own book-keeping left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".stack" not in path.parts)
    return {str(path): (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


def changed_tasks(done: Pass) -> list[str]:
    """The names of the tasks that reported a change, in order."""
    found, task = [], ""
    for line in done.output.splitlines():
        header = re.match(r"TASK \[(.*)\] \*", line)
        task = header.group(1) if header else task
        if line.startswith("changed: "):
            found.append(task)
    return found


@pytest.fixture
def page() -> t.Iterator[Demo]:
    with demo() as found:
        yield found


def test_check_mode_reads_like_a_change_request_and_the_real_run_does_exactly_that(page: Demo) -> None:
    before = tree(page.stack.directory)
    page.lab.forbid_writes()
    checked = page.playbook("--check", "--diff")
    assert checked.code == 0, checked.output
    assert page.lab.writes() == []
    assert tree(page.stack.directory) == before
    assert not [call for call in page.stack.calls() if call.tool == "bitwarden.sh"]
    for named in (
        "+globalSettings__enableCloudCommunication=true",
        "+globalSettings__installation__identityUri=https://identity.bitwarden.eu",
        "+globalSettings__installation__apiUri=https://api.bitwarden.eu",
        "+globalSettings__pushRelayBaseUri=https://push.bitwarden.eu",
        "-  seats: 10",
        "+  seats: 25",
        "+billing sync connection",
        f"+families sponsorship {SPONSORED}",
    ):
        assert named in checked.output, named

    page.lab.forbid_writes(False)
    applied = page.playbook("--diff")
    assert applied.code == 0, applied.output
    assert changed_tasks(applied) == changed_tasks(checked)
    for line in (line for line in checked.output.splitlines() if re.match(r"[+-](globalSettings|  |families|billing)", line)):
        assert line in applied.output


@pytest.mark.parametrize("version", ["2025.8.0", "2026.4.0", "2026.8.0"])
def test_second_run_changes_nothing(version: str) -> None:
    with demo(version) as page:
        first = page.playbook("--diff")
        assert first.code == 0, first.output
        served = page.lab.requests()
        before = tree(page.stack.directory)
        page.lab.clear_requests()
        page.lab.forbid_writes()
        second = page.playbook("--diff")
        assert (second.code, second.changed) == (0, 0), second.output
        assert page.lab.writes() == []
        probed = [request for request in page.lab.requests("client") if request.path in PROBED]
        assert len(probed) <= 3
        assert len(page.lab.requests("client")) - len(probed) <= REQUEST_BUDGET
        assert tree(page.stack.directory) == before
        page.lab.forbid_writes(False)
        assert [row for row in rows(page, served, first.output + second.output) if not row.true] == []


def test_all_problems_are_reported_at_once_before_anything_is_changed(page: Demo) -> None:
    page.lab.set_member(page.lab.people["owner"].email, type=2)
    page.declare(server_settings={}, licensing_installation_key="not-the-key-of-this1")
    before = tree(page.stack.directory)
    done = page.playbook()
    assert done.code != 0
    assert page.lab.writes() == []
    assert tree(page.stack.directory) == before
    for problem in ("Cloud communication is off", "owner", "installation_key"):
        assert problem in done.output, done.output


def test_misspelled_setting_is_refused_with_a_suggestion(page: Demo) -> None:
    page.declare(server_settings={"globalSettings__enableCloudComunication": True})
    before = tree(page.stack.directory)
    done = page.playbook()
    assert done.code != 0
    assert "globalSettings__enableCloudCommunication" in done.output
    assert tree(page.stack.directory) == before
    assert page.lab.writes() == []


def test_the_first_license_of_a_new_organization() -> None:
    with demo(scenario="first_license") as page:
        owner = page_a(page.lab, page.stack)["licensing_server"]
        page.declare(licensing_server={**owner, "master_password": page.lab.people["owner"].master_password})
        page.lab.forbid_writes()
        checked = page.playbook("--check", "--diff")
        assert checked.code == 0, checked.output
        page.lab.forbid_writes(False)
        first = page.playbook("--diff")
        assert first.code == 0, first.output
        second = page.playbook("--diff")
        assert (second.code, second.changed) == (0, 0), second.output
        [organization] = page.lab.rows("selfhost", "organization")
        assert organization["seats"] == 25
        [connection] = page.lab.rows("selfhost", "connection")
        assert connection["organizationId"] == organization["id"]


def test_a_disabled_organization_gets_its_license_again(page: Demo) -> None:
    assert page.playbook().code == 0
    page.lab.set_organization("selfhost", page.lab.facts["organization_id"], enabled=False)
    mended = page.playbook("--diff")
    assert (mended.code, mended.changed) == (0, 1), mended.output
    assert page.lab.rows("selfhost", "organization")[0]["enabled"]


def test_a_wrong_master_password_is_found_before_anything_is_changed(page: Demo) -> None:
    cloud = page_a(page.lab, page.stack)["licensing_cloud"]
    page.declare(licensing_cloud={**cloud, "master_password": "not the master password"})
    before = tree(page.stack.directory)
    done = page.playbook()
    assert done.code != 0
    assert "cloud.master_password" in done.output
    assert page.lab.writes() == []
    assert tree(page.stack.directory) == before


@pytest.mark.parametrize(
    ("who", "change", "says"),
    [
        ("licensing_server", {"server_ulr": "https://vault.example.com"}, "server_ulr"),
        ("licensing_cloud", {"master_password": None}, "cloud.master_password"),
    ],
)
def test_what_is_wrong_with_the_credentials_is_named(page: Demo, who: str, change: dict[str, str | None], says: str) -> None:
    options = {**page_a(page.lab, page.stack)[who], **change}
    page.declare(**{who: {name: value for name, value in options.items() if value is not None}})
    done = page.playbook()
    assert done.code != 0
    assert says in done.output, done.output
    assert page.lab.writes() == []
    assert not [call for call in page.stack.calls() if call.tool == "bitwarden.sh"]


def test_a_misspelled_option_is_named_as_ansible_does(page: Demo) -> None:
    play = [
        {
            "hosts": "bitwarden",
            "gather_facts": False,
            "tasks": [{"bw.selfhost.login": {"server_ulr": "https://vault.example.com"}}],
        }
    ]
    file = page.directory / "misspelled.yml"
    file.write_text(json.dumps(play))
    assert "Unsupported parameters for (bw.selfhost.login) module: server_ulr" in page.playbook(playbook=str(file)).output
