"""bitwarden.sh: questions, exit codes, and what each command does."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.contract.test_stack_double.helpers import PREFIX, append, needs_root, ok, override, pairs, set_config, tree
from tests.lab.stack import Stack


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("help",)])
def test_help_and_unknown_commands_exit_zero(stack: Stack, arguments: tuple[str, ...]) -> None:
    output = ok(stack.run(*arguments))
    assert "Available commands:" in output
    assert "bitwarden.sh version 2026.8.0\nDocker version " in output
    assert "Docker Compose version v" in output
    assert ("No command found." in output) == (arguments != ("help",))


@needs_root
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("YES\n", 0), ("Yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1), ("y", 1)])
def test_root_is_asked(stack: Stack, answer: str, code: int) -> None:
    result = stack.run("stop", answer=answer)
    assert "WARNING: This script is running as the root user!" in result.stdout
    assert result.returncode == code
    assert bool(stack.containers()) == (code == 1), "refused: nothing happened"


@needs_root
def test_closed_stdin_is_a_refusal(stack: Stack) -> None:
    result = subprocess.run(["bash", "-c", f"exec {stack.script} stop <&-"], check=False, capture_output=True)
    assert result.returncode == 1
    assert stack.calls()[-1].stdin == "closed"


@needs_root
def test_another_user_is_not_asked_and_keeps_its_files() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        stack = Stack.install(folder / "bw", owner=(4242, 4343))
        assert (stack.bwdata / "env/uid.env").read_text() == "LOCAL_UID=4242\nLOCAL_GID=4343\n"
        result = subprocess.run(
            [stack.script, "rebuild"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=4242,
            group=4343,
            cwd="/",
        )
        assert "root" not in ok(result)
        call = stack.calls()[-1]
        assert (call.tool, call.argv, call.uid, call.stdin, call.exit_code) == ("bitwarden.sh", ["rebuild"], 4242, "null", 0)
        assert {(path.stat().st_uid, path.stat().st_gid) for path in stack.bwdata.rglob("*")} == {(4242, 4343)}
    finally:
        shutil.rmtree(folder)


@needs_root
@pytest.mark.parametrize("command", ["restart", "rebuild", "updatedb"])
def test_root_runs_give_everything_to_the_local_ids(stack: Stack, command: str) -> None:
    (stack.bwdata / "env/uid.env").write_text("LOCAL_UID=4242\nLOCAL_GID=4343\n")
    override(stack).chmod(0o644)
    ok(stack.run(command))
    assert {(path.stat().st_uid, path.stat().st_gid) for path in stack.bwdata.rglob("*")} == {(4242, 4343)}
    assert stat.S_IMODE(override(stack).stat().st_mode) == (0o600 if command == "rebuild" else 0o644)


def test_uid_env_is_created_when_a_key_is_missing(stack: Stack) -> None:
    (stack.bwdata / "env/uid.env").write_text("LOCAL_UID=4242\n")
    ok(stack.run("stop"))
    assert pairs(stack.bwdata / "env/uid.env") == {
        "LOCAL_UID": str(os.geteuid() or 65534),
        "LOCAL_GID": str(os.getegid() or 65534),
    }


def test_missing_bwdata(stack: Stack, tmp_path: Path) -> None:
    result = stack.run("restart", str(tmp_path / "none"))
    assert (result.returncode, f"Cannot find a Bitwarden installation at {tmp_path / 'none'}." in result.stdout) == (1, True)
    ok(stack.run("updateself", str(tmp_path / "none")))
    ok(stack.run("help", str(tmp_path / "none")))


def test_second_argument_is_the_output_directory(stack: Stack, tmp_path: Path) -> None:
    ok(stack.run("stop"))
    shutil.copytree(stack.bwdata, tmp_path / "other")
    ok(stack.run("start", str(tmp_path / "other")))
    labels = json.loads(ok(stack.run("docker", "inspect", "bitwarden-api")))[0]["Config"]["Labels"]
    assert labels["com.docker.compose.project.working_dir"] == str(tmp_path / "other/docker")


@pytest.mark.parametrize("command", ["start", "restart"])
def test_restart_prints_and_creates(stack: Stack, command: str) -> None:
    shutil.rmtree(stack.bwdata / "logs/portal")
    before = stack.containers()["api"].created
    output = ok(stack.run(command))
    assert f"Creating directory {stack.bwdata}/logs/portal\n" in output
    assert "Bitwarden is up and running!" in output
    assert "visit https://vault.example.com" in output
    assert stack.containers()["api"].created > before
    assert (stack.bwdata / "logs/portal").is_dir()


def test_stop_needs_two_running_containers(stack: Stack) -> None:
    for name in list(stack.containers())[1:]:
        ok(stack.run("docker", "stop", f"bitwarden-{name}"))
    ok(stack.run("stop"))
    assert len(stack.containers()) == 11, "with one running container nothing is stopped"
    ok(stack.run("start"))
    ok(stack.run("stop"))
    assert stack.containers() == {}
    ok(stack.run("stop"))


@pytest.mark.parametrize("command", ["rebuild", "updateconf"])
def test_rebuild_rewrites_and_leaves_the_stack_down(stack: Stack, command: str) -> None:
    append(stack, "# a note\nglobalSettings__enableCloudCommunication=true\n")
    set_config(stack, "url", "https://other.example.com")
    set_config(stack, "https_port", "8443")
    set_config(stack, "enable_scim", "true")
    output = ok(stack.run(command))
    assert stack.containers() == {}
    assert "Building docker-compose.yml." in output
    assert f"Updated {PREFIX}baseServiceUri__vault to match value in config.yml" in output
    assert "# a note" not in override(stack).read_text()
    assert pairs(override(stack))[PREFIX + "enableCloudCommunication"] == "true"
    assert "server_name other.example.com;" in (stack.bwdata / "nginx/default.conf").read_text()
    assert "- '8443:8443'" in (stack.bwdata / "docker/docker-compose.yml").read_text()
    assert "other.example.com" in (stack.bwdata / "web/app-id.json").read_text()
    ok(stack.run("start"))
    assert "scim" in stack.containers()
    assert stack.containers()["api"].environment[PREFIX + "baseServiceUri__vault"] == "https://other.example.com"


def test_rebuild_is_idempotent(stack: Stack) -> None:
    ok(stack.run("rebuild"))
    before = tree(stack)
    ok(stack.run("rebuild"))
    assert tree(stack) == before


def test_config_yml_is_reserialised(stack: Stack) -> None:
    path = stack.bwdata / "config.yml"
    original = path.read_text()
    path.write_text(
        "# mine\nunknown_key: 1\nreal_ips: [10.0.0.0/8, '192.0.2.1']\n"
        + original.replace("real_ips: \n", "").replace("http_port: 80\n", "")
    )
    ok(stack.run("rebuild"))
    assert path.read_text() == original.replace("real_ips: \n", "real_ips:\n- 10.0.0.0/8\n- 192.0.2.1\n")


def test_generate_switches_leave_files_alone(stack: Stack) -> None:
    set_config(stack, "generate_compose_config", "false")
    set_config(stack, "generate_nginx_config", "false")
    set_config(stack, "http_port", "8080")
    before = {name: (stack.bwdata / name).read_text() for name in ("docker/docker-compose.yml", "nginx/default.conf")}
    assert ok(stack.run("rebuild")).count("...skipped") == 2
    assert {name: (stack.bwdata / name).read_text() for name in before} == before


@pytest.mark.parametrize(
    ("key", "value"), [("ssl", "maybe"), ("nginx_header_content_security_policy", "img {1}"), ("url", "[a"), ("ssl", "")]
)
def test_broken_config_yml_crashes_setup(stack: Stack, key: str, value: str) -> None:
    set_config(stack, key, value)
    result = stack.run("rebuild")
    assert result.returncode == 134
    assert "Unhandled exception." in result.stderr
    assert stack.containers() == {}


def test_missing_config_yml_is_made_again(stack: Stack) -> None:
    (stack.bwdata / "config.yml").unlink()
    assert "No existing `config.yml` detected. Let's generate one." in ok(stack.run("rebuild"))
    assert "url: https://vault.example.com\n" in (stack.bwdata / "config.yml").read_text()


def test_update_not_needed(stack: Stack) -> None:
    created = stack.containers()["api"].created
    assert "Update not needed" in ok(stack.run("update"))
    assert stack.containers()["api"].created == created


def test_updateself_and_update(stack: Stack) -> None:
    stack.switch("release", "2026.9.0")
    assert "Updated self." in ok(stack.run("updateself"))
    assert 'COREVERSION="2026.9.0"' in stack.script.read_text()
    ok(stack.run("restart"))
    assert stack.containers()["api"].version == "2026.8.0", "the compose file still names the old tag"
    began = time.monotonic()
    output = ok(stack.run("update"))
    assert "Pausing 60 seconds" in output
    assert time.monotonic() - began < 10
    assert output.rstrip().endswith("Database update complete")
    assert stack.containers()["api"].version == stack.containers()["web"].version == "2026.9.0"
    assert PREFIX + "sqlServer__migrationExecutionTimeoutSeconds" in pairs(override(stack)), "a key Setup has since 2026.8.0"


def test_rebuild_after_updateself_upgrades(stack: Stack) -> None:
    stack.switch("release", "2026.9.0")
    ok(stack.run("updateself"))
    ok(stack.run("rebuild"))
    ok(stack.run("start"))
    assert stack.containers()["api"].version == "2026.9.0"


@pytest.mark.parametrize("failure", ["404", "503", "curl:6"])
def test_download_failures(stack: Stack, failure: str) -> None:
    stack.switch("download", failure)
    old = stack.script.read_text(), (stack.bwdata / "scripts/run.sh").read_text()
    result = stack.run("updaterun")
    assert result.returncode == (6 if failure == "curl:6" else 1)
    assert ("Received status code" in result.stdout) == (failure != "curl:6")
    assert stack.run("updateself").returncode == 1
    assert (stack.script.read_text(), (stack.bwdata / "scripts/run.sh").read_text()) == old
    assert stack.run("update").returncode != 0
    assert stack.containers()


def test_updaterun_replaces_run_sh(stack: Stack) -> None:
    (stack.bwdata / "scripts/run.sh").unlink()
    ok(stack.run("updaterun"))
    assert stat.S_IMODE((stack.bwdata / "scripts/run.sh").stat().st_mode) == 0o700


@pytest.mark.parametrize(("answers", "code", "gone"), [("n\ny\nn\n", 0, True), ("n\nn\n", 1, False), ("", 1, False)])
def test_uninstall_asks_three_times(stack: Stack, answers: str, code: int, gone: bool) -> None:
    result = stack.run("uninstall", answer=("y\n" if os.geteuid() == 0 else "") + answers)
    assert result.returncode == code
    assert (not stack.bwdata.exists(), stack.containers() == {}) == (gone, gone)


def test_compresslogs(stack: Stack, tmp_path: Path) -> None:
    ok(stack.run("compresslogs", "20260101", "20260102", cwd=tmp_path))
    assert (tmp_path / "bitwarden-logs-20260101-to-20260102.tar.gz").exists()
    result = stack.run("compresslogs", "20240101")
    assert (result.returncode, "Cannot find a Bitwarden installation at 20240101." in result.stdout) == (1, True)
