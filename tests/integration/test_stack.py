# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stack modules when things go wrong: what they do, what they say, and how the stack is afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from tests.integration.module_runner import run_module
from tests.integration.stack_helpers import (
    CLOUD,
    PASSWORD,
    append,
    commands,
    converge,
    edit_config,
    effective,
    healthy,
    override,
    run,
    succeed,
    upgrade_script,
)
from tests.lab.stack import Stack

NOBODY = 65534
ROOT = Path(__file__).parents[2]


def backup_of(stack: Stack) -> str:
    """Keep the env file as it is, under a name like the one override_env gives its backups."""
    source = stack.bwdata / "env/global.override.env"
    return str(shutil.copy(source, f"{source}.4711.2026-08-20@12:00:00~"))


# doing as little as possible
def test_nothing_to_do_is_two_calls_of_docker(stack: Stack) -> None:
    assert succeed(converge(stack))["changed"] is False
    assert [call.argv[:2] for call in stack.calls()] == [["compose", "config"], ["inspect", "bitwarden-mssql"]]


@pytest.mark.parametrize(
    ("state", "expected"), [("restarted", ["restart"]), ("rebuilt", ["rebuild", "start"]), ("stopped", ["stop"])]
)
def test_asked_for(stack: Stack, state: str, expected: list[str]) -> None:
    predicted = succeed(converge(stack, check=True, state=state))
    assert commands(stack) == []
    result = succeed(converge(stack, state=state))
    assert (predicted["commands"], predicted["diff"]) == (result["commands"], result["diff"])
    assert commands(stack) == expected
    assert healthy(stack) is (state != "stopped")


def test_stopped_and_started_are_reached_once(stack: Stack) -> None:
    for state in ("stopped", "started"):
        assert succeed(converge(stack, state=state))["changed"]
        assert succeed(converge(stack, state=state))["changed"] is False
    assert commands(stack) == ["stop", "start"]
    assert healthy(stack)


def test_one_running_container_is_stopped_too(stack: Stack) -> None:
    """The script leaves a single container running and says that all is well."""
    stack.run("docker", "stop", *(f"bitwarden-{name}" for name in stack.containers() if name != "mssql"))
    succeed(converge(stack, state="stopped"))
    assert not any(container.running for container in stack.containers().values())


def test_a_service_that_does_not_run_is_started(stack: Stack) -> None:
    stack.run("docker", "stop", "bitwarden-icons")
    result = succeed(converge(stack))
    assert result["commands"] == ["start"]
    assert "not running: icons" in result["diff"]["after"]
    assert healthy(stack)


def test_removed_setting_is_drift_but_the_image_s_own_is_not(stack: Stack) -> None:
    stack.switch("image_env", {"globalSettings__fromImage": "1"})
    append(stack, f"{CLOUD}=true")
    succeed(converge(stack))
    assert succeed(converge(stack))["changed"] is False
    path = stack.bwdata / "env/global.override.env"
    path.write_text(override(stack).replace(f"{CLOUD}=true\n", ""))
    assert [change["name"] for change in succeed(converge(stack))["changes"]] == [CLOUD, "restart"]


def test_override_compose_file_counts(stack: Stack) -> None:
    (stack.bwdata / "docker/docker-compose.override.yml").write_text(
        f"services:\n  api:\n    environment:\n      {CLOUD}: 'true'\n", encoding="utf-8"
    )
    assert succeed(converge(stack))["commands"] == ["restart"]
    assert effective(stack, CLOUD) == "true"
    assert effective(stack, CLOUD, "identity") is None
    assert succeed(converge(stack))["changed"] is False


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("url: https://vault.example.com", "url: https://pass.example.com"),
        ("https_port: 443", "https_port: 127.0.0.1:8443"),
        ("enable_scim: false", "enable_scim: true"),
        ("enable_key_connector: false", "enable_key_connector: true"),
        ("ssl_versions: ", "ssl_versions: TLSv1.3"),
        ("ssl_ca_path: ", "ssl_ca_path: /etc/ssl/vault.example.com/ca.crt"),
        ("real_ips: ", "real_ips:\n- 192.0.2.0/24"),
        ("nginx_header_content_security_policy: ", "nginx_header_content_security_policy: default-src {0}"),
        ("ssl: true", "ssl: false"),
        ("enable_built_in_ms_sql: true", "enable_built_in_ms_sql: false"),
        ("database_docker_volume: false", "database_docker_volume: true"),
        ("ssl_managed_lets_encrypt: false", "ssl_managed_lets_encrypt: true"),
    ],
)
def test_config_drift_is_seen_and_gone_after_the_rebuild(stack: Stack, old: str, new: str) -> None:
    edit_config(stack, old, new)
    assert new.partition(":")[0] in succeed(run(stack, "stack_info"))["config_drift"]
    assert succeed(converge(stack))["commands"] == ["rebuild", "start"]
    assert succeed(converge(stack))["changed"] is False


def test_config_change_without_a_trace(stack: Stack) -> None:
    edit_config(stack, "push_notifications: true", "push_notifications: false")
    assert succeed(converge(stack))["changed"] is False
    assert succeed(converge(stack, check=True, assume_changed=["config"]))["commands"] == ["rebuild", "start"]
    assert succeed(converge(stack, assume_changed=["config"]))["commands"] == ["rebuild", "start"]


def test_updated(stack: Stack) -> None:
    upgrade_script(stack, "2026.9.0")
    predicted = succeed(converge(stack, check=True, state="updated"))
    result = succeed(converge(stack, state="updated"))
    assert predicted["diff"] == result["diff"]
    assert "2026.9.0" in result["diff"]["after"]
    assert commands(stack) == ["update"]
    assert {container.version for container in stack.containers().values()} == {"2026.9.0"}
    assert succeed(converge(stack, state="updated"))["changed"] is False


# waiting
def test_slow_readiness_is_waited_for(stack: Stack) -> None:
    stack.switch("readiness_delay", 0.5)
    result = succeed(converge(stack, state="restarted", wait_timeout=10))
    told = sorted(line.partition(" after ")[0] for line in result["progress"])
    assert told == sorted(f"{name}: healthy" for name in stack.containers())


@pytest.mark.parametrize(("switch", "said"), [("unhealthy", "api: unhealthy"), ("restarting", "api: restarting, exit code 134")])
def test_a_service_that_fails_is_named_with_its_log(stack: Stack, switch: str, said: str) -> None:
    stack.switch(switch, "api")
    result = converge(stack, state="restarted", wait_timeout=0)
    assert result["failed"]
    assert said in result["msg"]
    assert "api, logs/api/Api/" in result["msg"]
    assert "web: healthy after" in result["msg"]
    assert "10 of 11 services" in result["msg"] or "11 of 11 services" in result["msg"]


def test_a_service_that_stays_starting_times_out(stack: Stack) -> None:
    stack.switch("starting", "identity")
    result = converge(stack, state="restarted", wait_timeout=0)
    assert "Not healthy after 0 s: identity: starting." in result["msg"]


def test_an_unhealthy_stack_without_drift_is_no_success(stack: Stack) -> None:
    stack.switch("unhealthy", "api")
    assert "api: unhealthy" in converge(stack, wait_timeout=0)["msg"]
    assert commands(stack) == []
    assert succeed(converge(stack, wait=False))["changed"] is False


# commands that fail
@pytest.mark.parametrize(
    ("switch", "value", "state", "said"),
    [
        ("up_fails", True, "restarted", "port is already allocated"),
        ("setup_crash", 1, "rebuilt", "code 134, which means that Setup crashed"),
        ("setup_running", 1, "rebuilt", "a container named setup exists"),
        ("daemon_down", True, "restarted", "Docker does not answer: Cannot connect to the Docker daemon"),
    ],
)
def test_a_failing_command_is_explained(stack: Stack, switch: str, value: t.Any, state: str, said: str) -> None:
    stack.switch(switch, value)
    result = converge(stack, state=state)
    assert result["failed"]
    assert said in result["msg"]


def test_a_late_failure_with_everything_up_is_a_warning(stack: Stack) -> None:
    for switch in ("print_fails", "setup_pull_fails"):
        stack.switch(switch, 1)
        result = succeed(converge(stack, state="restarted"))
        assert "bitwarden.sh restart ended with code 1" in json.dumps(result["warnings"])
        assert healthy(stack)


def test_setup_that_reports_an_error_with_exit_code_0(stack: Stack) -> None:
    edit_config(stack, "enable_scim: false", "enable_scim: true")
    stack.switch("setup_message", "Something is invalid.")
    result = converge(stack)
    assert "config.yml was not applied: enable_scim." in result["msg"]
    assert "Something is invalid." in result["msg"]
    assert healthy(stack), "the state before the rebuild is back"


def test_a_script_that_hangs_is_killed_with_its_children(stack: Stack) -> None:
    stack.switch("hang", "pull")
    begin = time.monotonic()
    result = converge(stack, state="restarted", command_timeout=1)
    assert "did not end within 1 seconds and was stopped" in result["msg"]
    assert "The stack is down." in result["msg"]
    assert time.monotonic() - begin < 8
    stack.clear_switches()
    assert succeed(converge(stack))["commands"] == ["start"]


def test_a_question_is_recognised(stack: Stack) -> None:
    stack.switch("certbot_question")
    (stack.bwdata / "letsencrypt/live").mkdir(parents=True)
    result = converge(stack, state="restarted")
    assert result["failed"]
    assert "prompt seen: " in result["msg"]
    assert "(y/N):" in result["msg"]


# bad input is refused before anything happens
def _remove(path: Path) -> None:
    path.unlink()


def _html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><title>404</title>")


def _not_executable(path: Path) -> None:
    path.chmod(0o600)


def _other(path: Path) -> None:
    path.write_text("#!/bin/sh\nexit 0\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_remove, "does not exist"), (_html, "HTML page"), (_not_executable, "chmod u+x"), (_other, "COREVERSION")],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_script_that_cannot_work_is_refused(stack: Stack, spoil: t.Callable[[Path], None], said: str, check: bool) -> None:
    spoil(stack.script)
    result = converge(stack, check=check, state="restarted")
    assert said in result["msg"]
    assert str(stack.script) in result["msg"]
    assert healthy(stack)
    assert said in " ".join(succeed(run(stack, "stack_info"))["problems"])


def test_no_installation(stack: Stack, tmp_path: Path) -> None:
    for module in ("stack", "stack_info"):
        assert "No installation" in run(stack, module, bwdata=str(tmp_path))["msg"]


def test_docker_is_missing(stack: Stack) -> None:
    result = run_module("stack", {"bwdata": str(stack.bwdata)}, environ={"PATH": "/nonexistent"})
    assert "docker cannot be run" in result["msg"]
    assert healthy(stack)


def test_a_bad_line_is_refused_while_the_stack_still_runs(stack: Stack) -> None:
    append(stack, f'{PASSWORD}="canary-77ab')
    result = converge(stack)
    assert "Compose refuses the files" in result["msg"]
    assert "env/global.override.env" in result["msg"]
    assert "canary-77ab" not in json.dumps(result)
    assert healthy(stack)


@pytest.mark.parametrize(("name", "said"), [("other.env.1~", "not the name of a backup"), ("config.yml.1~", "does not exist")])
def test_a_backup_of_something_else_is_refused(stack: Stack, name: str, said: str) -> None:
    assert said in converge(stack, restore_from=[str(stack.bwdata / name)])["msg"]


# the way back
def test_roll_back_after_a_setting_that_breaks_a_service(stack: Stack) -> None:
    backup, before = backup_of(stack), override(stack)
    append(stack, f"{CLOUD}=true", f"{PASSWORD}=canary-51d2")
    stack.switch("unhealthy", f"api:{CLOUD}=true")
    result = converge(stack, restore_from=[backup], wait_timeout=1)
    assert result["failed"]
    assert "api: unhealthy" in result["msg"]
    assert "Restored: env/global.override.env. The previous state is back." in result["msg"]
    assert "The stack is up: all 11 services are healthy." in result["msg"]
    assert "canary-51d2" not in json.dumps(result)
    assert override(stack) == before
    assert healthy(stack)
    assert effective(stack, CLOUD) is None
    assert (stack.bwdata / "env/global.override.env").stat().st_mode & 0o777 == 0o600


def test_roll_back_without_a_registry_starts_from_local_images(stack: Stack) -> None:
    backup, before = backup_of(stack), override(stack)
    append(stack, f"{CLOUD}=true")
    stack.switch("pull_fails")
    result = converge(stack, restore_from=[backup])
    assert result["failed"]
    assert "The previous state is back." in result["msg"]
    assert override(stack) == before
    assert healthy(stack)
    assert effective(stack, CLOUD) is None


def test_roll_back_of_a_rebuild_restores_what_setup_wrote(stack: Stack) -> None:
    compose = (stack.bwdata / "docker/docker-compose.yml").read_bytes()
    edit_config(stack, "enable_scim: false", "enable_scim: true")
    stack.switch("unhealthy", "scim")
    result = converge(stack, wait_timeout=1)
    assert "scim: unhealthy" in result["msg"]
    assert (stack.bwdata / "docker/docker-compose.yml").read_bytes() == compose
    assert healthy(stack)
    stack.clear_switches()
    assert succeed(converge(stack))["commands"] == ["rebuild", "start"], "the change is still wanted"


def test_roll_back_with_the_backups_of_both_files(stack: Stack) -> None:
    """The state before the play comes back whole, so that the next run without the change finds nothing to do."""
    config = stack.bwdata / "config.yml"
    backups = [backup_of(stack), str(shutil.copy(config, f"{config}.4711.2026-08-20@12:00:00~"))]
    files = {path: path.read_bytes() for path in stack.bwdata.rglob("*") if path.is_file() and "logs" not in path.parts}
    append(stack, f"{CLOUD}=true")
    edit_config(stack, "http_port: 80", "http_port: 8080")
    stack.switch("unhealthy", f"api:{CLOUD}=true")
    assert converge(stack, restore_from=backups, wait_timeout=1)["failed"]
    assert {path: path.read_bytes() for path in files} == files
    assert healthy(stack)
    assert succeed(converge(stack))["changed"] is False


def test_roll_back_of_an_update_that_never_started(stack: Stack) -> None:
    upgrade_script(stack, "2026.9.0")
    stack.switch("pull_fails")
    result = converge(stack, state="updated")
    assert "The previous state is back." in result["msg"]
    assert healthy(stack)
    assert {container.version for container in stack.containers().values() if container.service != "web"} == {"2026.8.0"}


def test_an_update_that_started_is_not_taken_back(stack: Stack) -> None:
    upgrade_script(stack, "2026.9.0")
    stack.switch("unhealthy", "api")
    result = converge(stack, state="updated", wait_timeout=0)
    assert result["failed"]
    stack.clear_switches()
    stack.clear_calls()
    succeed(converge(stack, state="started"))
    upgrade_script(stack, "2026.10.0")
    stack.switch("starting", "api")
    assert "Nothing was restored" in converge(stack, state="updated", wait_timeout=0)["msg"]
    assert stack.containers()["api"].version != "2026.8.0"


def test_no_roll_back_to_what_was_not_healthy(stack: Stack) -> None:
    backup = backup_of(stack)
    append(stack, f"{CLOUD}=true")
    stack.switch("unhealthy", "api")
    result = converge(stack, restore_from=[backup], wait_timeout=0)
    assert "Nothing was restored, because the previous state was not healthy either" in result["msg"]
    assert f"{CLOUD}=true" in override(stack)


def test_a_roll_back_that_fails_says_so(stack: Stack) -> None:
    backup = backup_of(stack)
    append(stack, f"{CLOUD}=true")
    stack.switch("up_fails")
    result = converge(stack, restore_from=[backup], wait_timeout=0)
    assert "Bringing the previous state back failed" in result["msg"]


# who runs it, and how
def test_root_answers_only_its_own_question(stack: Stack) -> None:
    succeed(converge(stack, state="restarted"))
    (call,) = [call for call in stack.calls() if call.tool == "bitwarden.sh"]
    assert (call.uid, call.stdin) == (0, "pipe") if os.geteuid() == 0 else ("null",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as somebody else")
def test_everything_runs_as_the_owner() -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        stack = Stack.install(Path(directory) / "bitwarden", owner=(NOBODY, NOBODY))
        append(stack, f"{CLOUD}=true")
        succeed(converge(stack))
        assert {call.uid for call in stack.calls()} == {NOBODY}
        assert {call.stdin for call in stack.calls()} == {"null"}
        assert effective(stack, CLOUD) == "true"


def in_a_process(stack: Stack) -> subprocess.Popen[str]:
    program = "import json, sys; from tests.integration.stack_helpers import *; print(json.dumps(converge(Stack(sys.argv[1]))))"
    environment = {**os.environ, "PYTHONPATH": "collections:."}
    command = [sys.executable, "-c", program, str(stack.directory)]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_runs_do_not_collide(stack: Stack) -> None:
    stack.switch("setup_seconds", 0.3)
    edit_config(stack, "enable_scim: false", "enable_scim: true")
    runs = [in_a_process(stack) for _unused in range(2)]
    results = [succeed(json.loads(run.communicate(timeout=30)[0])) for run in runs]
    assert sorted(result["changed"] for result in results) == [False, True]
    assert commands(stack) == ["rebuild", "start"]


def test_a_run_after_a_killed_one_waits_for_its_script(stack: Stack) -> None:
    stack.switch("setup_seconds", 0.5)
    edit_config(stack, "enable_scim: false", "enable_scim: true")
    with in_a_process(stack) as killed:
        while not any(call.tool == "bitwarden.sh" for call in stack.calls()):
            assert killed.poll() is None
        killed.kill()
    assert succeed(converge(stack))["commands"] == ["start"], "the rebuild has come to its end"
    assert commands(stack) == ["rebuild", "start"]
    assert stack.containers()["scim"].running


def test_check_mode_foresees_the_same_for_a_stopped_stack(stack: Stack) -> None:
    succeed(converge(stack, state="stopped"))
    foreseen = succeed(converge(stack, check=True, assume_changed=["env"]))
    append(stack, f"{CLOUD}=true")
    assert foreseen["diff"] == succeed(converge(stack, assume_changed=["env"]))["diff"]


# looking only
def test_info_of_a_converged_stack(stack: Stack) -> None:
    info = succeed(run(stack, "stack_info"))
    assert info["converged"]
    assert info["healthy"]
    assert info["problems"] == []
    assert info["versions"] == {"script": "2026.8.0", "compose": "2026.8.0", "running": "2026.8.0"}
    assert [service["name"] for service in info["services"]] == list(stack.containers())
    assert commands(stack) == []


def test_info_names_what_differs_but_no_value(stack: Stack) -> None:
    append(stack, f"{CLOUD}=true", f"{PASSWORD}=canary-93c0")
    edit_config(stack, "enable_scim: false", "enable_scim: true")
    upgrade_script(stack, "2026.9.0")
    stack.run("docker", "stop", "bitwarden-icons")
    info = succeed(run(stack, "stack_info"))
    assert not info["converged"]
    assert info["drift"]["api"] == [CLOUD, PASSWORD]
    assert "web" not in info["drift"]
    assert info["config_drift"] == ["enable_scim"]
    assert info["versions"]["script"] == "2026.9.0"
    assert any("icons (exited" in problem for problem in info["problems"])
    assert "canary-93c0" not in json.dumps(info)
