"""Every failure switch."""

from __future__ import annotations

import json
import os
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from tests.contract.test_stack_double.helpers import ok, tree
from tests.lab.stack import SWITCHES, Stack


def test_every_switch_is_checked_by_name(stack: Stack) -> None:
    with pytest.raises(KeyError, match="pull_fails"):
        stack.switch("pul_fails")
    stack.switch("pull_fails")
    stack.clear_switches()
    ok(stack.run("restart"))


class Failure(t.NamedTuple):
    switch: str
    command: str
    code: int
    up: int
    text: str


FAILURES = [
    Failure("pull_fails", "restart", 1, 0, "dial tcp"),
    Failure("up_fails", "restart", 1, 5, "port is already allocated"),
    Failure("setup_pull_fails", "restart", 1, 11, "request canceled"),
    Failure("print_fails", "restart", 1, 11, ""),
    Failure("setup_crash", "rebuild", 134, 0, "Unhandled exception."),
    Failure("setup_crash", "updateconf", 134, 0, "Unhandled exception."),
    Failure("setup_running", "rebuild", 125, 0, 'The container name "/setup" is already in use'),
    Failure("setup_running", "restart", 125, 11, "Conflict."),
    Failure("daemon_down", "restart", 1, 11, "Cannot connect to the Docker daemon"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=[f"{one.switch}-{one.command}" for one in FAILURES])
def test_failures_once(stack: Stack, failure: Failure) -> None:
    before = tree(stack)
    stack.switch(failure.switch, True if failure.switch == "daemon_down" else 1)
    result = stack.run(failure.command)
    assert result.returncode == failure.code
    assert failure.text in result.stderr
    assert len(stack.containers()) == failure.up
    assert tree(stack) == before, "no file is touched"
    stack.switch("daemon_down", False)
    ok(stack.run("restart"))
    assert len(stack.containers()) == 11


def test_setup_message_exits_zero(stack: Stack) -> None:
    before = tree(stack)
    stack.switch("setup_message", "Invalid installation id for EU region.")
    assert "Invalid installation id for EU region." in ok(stack.run("rebuild"))
    assert tree(stack) == before


def begin(stack: Stack, command: str) -> subprocess.Popen[str]:
    """Start bitwarden.sh, the root question answered, and do not wait for it."""
    process = subprocess.Popen(
        [stack.script, command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin
    process.stdin.write("y\n")
    process.stdin.close()
    return process


def await_condition(condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


def test_second_script_instance_collides(stack: Stack) -> None:
    stack.switch("setup_seconds", 30)
    first = begin(stack, "rebuild")
    try:
        await_condition(lambda: stack.state.read("setup.json").get("pid") == first.pid)
        result = stack.run("rebuild")
        assert (result.returncode, "Conflict. The container name" in result.stderr) == (125, True)
    finally:
        first.kill()
        first.wait()
    assert stack.calls()[0].exit_code is None, "a killed call has no exit code"
    stack.switch("setup_seconds", False)
    ok(stack.run("rebuild"))


@pytest.mark.parametrize(
    ("switch", "value", "status", "health"),
    [
        ("unhealthy", "api", "running", "unhealthy"),
        ("restarting", ["api", "web"], "restarting", "unhealthy"),
        ("starting", "api", "running", "starting"),
        ("unhealthy", "api:globalSettings__disableUserRegistration=false", "running", "unhealthy"),
        ("unhealthy", "api:globalSettings__disableUserRegistration=true", "running", "healthy"),
    ],
)
def test_one_service_in_trouble(stack: Stack, switch: str, value: t.Any, status: str, health: str) -> None:
    stack.switch(switch, value)
    api, admin = stack.containers()["api"], stack.containers()["admin"]
    assert (api.status, api.health, admin.status, admin.health) == (status, health, "running", "healthy")
    logged = list((stack.bwdata / "logs/api").rglob("*.txt"))
    assert bool(logged) == (health == "unhealthy")


def test_missing_service(stack: Stack) -> None:
    stack.switch("missing", "mssql")
    ok(stack.run("restart"))
    assert "mssql" not in stack.containers()
    result = stack.run("updatedb")
    assert (result.returncode, "docker: Error response from daemon" in result.stderr) == (125, True)
    stack.clear_switches()
    ok(stack.run("restart"))
    assert "Database update complete" in ok(stack.run("updatedb"))


def test_certbot_question_leaves_the_stack_down(stack: Stack) -> None:
    stack.switch("certbot_question")
    root = "y\n" if os.geteuid() == 0 else ""
    assert stack.run("restart", answer=root).returncode == 1
    assert stack.containers() == {}
    ok(stack.run("restart", answer=root + "n\n"))
    assert stack.containers()


@pytest.mark.parametrize(("phase", "down"), [("start", False), ("pull", True), ("up", True)])
def test_hanging_script(stack: Stack, phase: str, down: bool) -> None:
    stack.switch("hang", phase)
    process = begin(stack, "restart")
    await_condition(lambda: bool(stack.calls()) and (not down or not stack.containers()))
    assert process.poll() is None
    assert stack.calls()[0].exit_code is None
    stack.clear_switches()
    assert process.wait(timeout=10) == 0
    assert len(stack.containers()) == 11


def test_image_environment_switch(stack: Stack) -> None:
    stack.switch("image_env", {"globalSettings__siteName": "image"})
    ok(stack.run("restart"))
    assert stack.containers()["api"].environment["globalSettings__siteName"] == "image"
    (image,) = json.loads(ok(stack.run("docker", "image", "inspect", "ghcr.io/bitwarden/api:2026.8.0")))
    assert "globalSettings__siteName=image" in image["Config"]["Env"]


def test_every_switch_is_tried_here() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in SWITCHES if f'"{name}"' not in text] == []


def test_call_log(stack: Stack) -> None:
    stack.run("stop")
    stack.run("docker", "inspect", "nobody")
    assert [(call.tool, call.argv, call.stdin, call.exit_code) for call in stack.calls()] == [
        ("bitwarden.sh", ["stop"], "pipe", 0),
        ("docker", ["inspect", "nobody"], "pipe", 1),
    ]
    assert stack.calls()[0].uid == os.geteuid()
    stack.clear_calls()
    assert stack.calls() == []
