# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nine acceptance examples for settings, config.yml and the running stack."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.stack_helpers import (
    CLOUD,
    PASSWORD,
    append,
    commands,
    converge,
    effective,
    healthy,
    override,
    run,
    succeed,
    upgrade_script,
)
from tests.lab.stack import Stack


def test_example_1_setting_applied_once(stack: Stack) -> None:
    for changed in (True, False):
        assert succeed(run(stack, "override_env", settings={CLOUD: True}))["changed"] is changed
        assert succeed(converge(stack))["changed"] is changed
        assert commands(stack) == (["restart"] if changed else [])
    assert effective(stack, CLOUD) == "true"
    assert effective(stack, CLOUD, "web") is None


def test_example_2_containers_older_than_the_file(stack: Stack) -> None:
    append(stack, f"{CLOUD}=true")
    assert succeed(run(stack, "override_env", settings={CLOUD: True}))["changed"] is False
    result = succeed(converge(stack))
    assert result["changed"]
    assert commands(stack) == ["restart"]
    assert effective(stack, CLOUD) == "true"


def test_example_3_operator_comment(stack: Stack) -> None:
    append(stack, "# set by the mail team")
    succeed(run(stack, "override_env", settings={CLOUD: True}))
    assert "# set by the mail team\n" in override(stack)
    succeed(converge(stack, state="rebuilt"))
    assert "# set by the mail team" not in override(stack)
    assert succeed(run(stack, "override_env", settings={CLOUD: True}))["changed"] is False
    assert succeed(converge(stack))["changed"] is False


def test_example_4_value_with_special_characters(stack: Stack) -> None:
    value = "pa$word#1 x"
    succeed(run(stack, "override_env", settings={PASSWORD: value}))
    assert f"{PASSWORD}='{value}'\n" in override(stack)
    succeed(converge(stack))
    assert effective(stack, PASSWORD) == value
    succeed(converge(stack, state="rebuilt"))
    assert effective(stack, PASSWORD) == value
    assert succeed(run(stack, "override_env", settings={PASSWORD: value}))["changed"] is False
    assert succeed(converge(stack))["changed"] is False


def test_example_5_config_change_only(stack: Stack) -> None:
    succeed(run(stack, "server_config", config={"http_port": "8080"}))
    result = succeed(converge(stack))
    assert result["commands"] == ["rebuild", "start"]
    assert commands(stack) == ["rebuild", "start"]
    assert healthy(stack)
    assert "'8080:8080'" in (stack.bwdata / "docker/docker-compose.yml").read_text()
    assert succeed(converge(stack))["changed"] is False


def test_example_6_hidden_upgrade(stack: Stack) -> None:
    upgrade_script(stack, "2026.9.0")
    assert succeed(converge(stack))["changed"] is False
    succeed(run(stack, "server_config", config={"enable_scim": True}))
    result = converge(stack)
    assert result["failed"]
    assert "api 2026.8.0 to 2026.9.0" in result["msg"]
    assert result["error"]["field"] == "allow_update"
    assert commands(stack) == []
    assert succeed(converge(stack, allow_update=True))["commands"] == ["update"]
    assert stack.containers()["scim"].version == "2026.9.0"
    assert succeed(converge(stack, state="updated"))["changed"] is False


def test_example_7_pull_fails(stack: Stack) -> None:
    succeed(run(stack, "override_env", settings={CLOUD: True}))
    stack.switch("pull_fails")
    result = converge(stack)
    assert result["failed"]
    assert "The stack is down." in result["msg"]
    assert "lookup ghcr.io: no such host" in result["msg"]
    assert stack.containers() == {}
    stack.clear_switches()
    commands(stack)
    assert succeed(converge(stack))["commands"] == ["start"]
    assert commands(stack) == ["start"]
    assert healthy(stack)


def test_example_8_removal(stack: Stack) -> None:
    succeed(run(stack, "override_env", settings={CLOUD: True}))
    succeed(converge(stack))
    before = override(stack)
    refused = run(stack, "override_env", absent=["globalSettings__installation__id"])
    assert refused["failed"]
    assert "globalSettings__installation__id" in refused["msg"]
    assert override(stack) == before
    commands(stack)
    assert succeed(run(stack, "override_env", absent=[CLOUD]))["changed"]
    assert succeed(converge(stack))["changed"]
    assert commands(stack) == ["restart"]
    assert effective(stack, CLOUD) is None


def test_example_9_check_mode(stack: Stack, tmp_path: Path) -> None:
    secret = "canary-8f1c"
    settings = {CLOUD: True, PASSWORD: secret}
    files = {path: path.read_bytes() for path in stack.bwdata.rglob("*") if path.is_file()}
    planned = succeed(run(stack, "override_env", check=True, settings=settings))
    assert planned["changed"]
    would = succeed(converge(stack, check=True, assume_changed=["env"]))
    assert would["changed"]
    assert would["commands"] == ["restart"]
    assert {path: path.read_bytes() for path in stack.bwdata.rglob("*") if path.is_file()} == files
    assert commands(stack) == []

    succeed(run(stack, "override_env", settings=settings))
    named = succeed(converge(stack, check=True))
    done = succeed(converge(stack))
    assert named["diff"] == done["diff"]
    assert commands(stack) == ["restart"]
    for key in settings:
        assert key in json.dumps(planned["diff"])
        assert key in named["diff"]["after"]
    for result in (planned, would, named, done):
        public = {key: value for key, value in result.items() if key != "invocation"}
        assert secret not in json.dumps(public)
