# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a timer starts: the program alone, out of its archive, with nothing of Ansible around it."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_profile import Profile

from tests.directory import OPENLDAP, Person, Slapd, Team, Tree
from tests.integration.directory_timer import Timer, native, secrets_of
from tests.integration.directory_world import Organization
from tests.lab import Lab

IMPORT = "/public/organization/import"
TREE = Tree(OPENLDAP, tuple(Person(f"u{number}") for number in range(12)), (Team("dev", ("u1", "u2")), Team("ops", ("u3",))))


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("slapd") / "files", TREE) as found:
        yield found


@pytest.fixture
def timer(lab: Lab, slapd: Slapd, tmp_path: Path) -> Timer:
    """A profile that nobody has run yet."""
    environment = {"HTTPS_PROXY": lab.proxy_url, "NO_PROXY": "127.0.0.1"}
    return Timer(tmp_path / "timer", Profile("corp", "native", native(Organization(lab), slapd.options()), environment))


def test_it_syncs_once_and_says_so(lab: Lab, timer: Timer) -> None:
    code, printed, said = timer.run()
    assert (code, said["error"], said["changes"], said["profile"]) == (0, None, 14, "corp")
    assert said["directory"] == {"users": 12, "groups": 2, "disabled": 0}
    assert {row["email"] for row in lab.rows("selfhost", "member")} >= {f"u{number}@example.test" for number in range(12)}
    assert "create member u7@example.test" in printed
    assert json.loads((timer.folder / "state/last.json").read_text()) == said

    lab.clear_requests()
    lab.forbid_writes()
    code, printed, said = timer.run()
    assert (code, said["error"], said["changes"], lab.writes()) == (0, None, 0, [])


def test_secrets_stay_in_one_file(lab: Lab, timer: Timer) -> None:
    _code, printed, _said = timer.run()
    secrets = secrets_of(Organization(lab))
    texts = {file: file.read_text("latin-1") for file in timer.folder.rglob("*") if file.is_file()}
    holding = [file for file, text in texts.items() if any(secret in text for secret in secrets)]
    assert holding == [timer.folder / "credentials/secrets"]
    assert not any(secret in printed for secret in secrets)


def test_the_second_of_two_runs_says_who_is_at_it(lab: Lab, timer: Timer) -> None:
    lab.fault("delay:3", path=IMPORT)
    first = timer.start()
    try:
        lab.wait_for_request(IMPORT)
        second = timer.start()
        printed, wrong = second.communicate(timeout=60)
        assert (second.returncode, wrong) == (0, "")
        assert re.search(rf"process {first.pid} since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", printed), printed
        assert first.poll() is None
    finally:
        printed, _wrong = first.communicate(timeout=60)
    assert json.loads(printed.splitlines()[-1])["changes"] == 14
    assert len([seen for seen in lab.writes() if seen.path == IMPORT]) < 3


def test_after_a_kill_the_next_run_goes_on(lab: Lab, timer: Timer) -> None:
    lab.fault("delay:30", path=IMPORT)
    first = timer.start()
    lab.wait_for_request(IMPORT)
    first.kill()
    first.communicate()
    code, _printed, said = timer.run()
    assert (code, said["error"]) == (0, None)
    lab.clear_requests()
    assert timer.run()[2]["changes"] == 0
    assert lab.writes() == []


def test_a_refusal_is_a_failure_without_a_write(lab: Lab, slapd: Slapd, tmp_path: Path) -> None:
    options = native(Organization(lab), slapd.options(), min_directory_users=100)
    timer = Timer(tmp_path / "timer", Profile("corp", "native", options, {"HTTPS_PROXY": lab.proxy_url}))
    lab.clear_requests()
    code, _printed, said = timer.run()
    assert code == 1
    assert "12" in said["error"]
    assert "100" in said["error"]
    assert lab.writes() == []


def test_a_directory_that_is_away_is_a_failure_until_it_is_back(lab: Lab, slapd: Slapd, timer: Timer) -> None:
    slapd.stop()
    try:
        code, _printed, said = timer.run()
        assert code == 1
        assert said["error"]
    finally:
        slapd.start()
    assert timer.run()[0] == 0


def test_runs_on_two_machines_at_the_same_time_do_no_harm(lab: Lab, slapd: Slapd, tmp_path: Path) -> None:
    organization = Organization(lab)
    profile = Profile("corp", "native", native(organization, slapd.options(), removals="absent"), {"HTTPS_PROXY": lab.proxy_url})
    timers = [Timer(tmp_path / str(number), profile) for number in range(3)]
    for begun in ([timer.start() for timer in timers] for _round in range(2)):
        ended = [(process.communicate(timeout=120), process.returncode) for process in begun]
        assert [code for _printed, code in ended] == [0, 0, 0], ended
    assert set(organization.members) == {f"u{number}@example.test" for number in range(12)}
    assert {name: len(people) for name, people in organization.groups.items()} == {"dev": 2, "ops": 1}
