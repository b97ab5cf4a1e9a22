"""Containers: the environment they keep, and what docker shows of them."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.contract.test_stack_double.helpers import PREFIX, READS_OVERRIDE, append, ok
from tests.lab.stack import Stack


def test_snapshot_outlives_edits(stack: Stack) -> None:
    key = PREFIX + "enableCloudCommunication"
    append(stack, f"{key}=true\n")
    assert key not in stack.containers()["api"].environment
    ok(stack.run("docker", "restart", "bitwarden-api"))
    assert key not in stack.containers()["api"].environment, "a mere restart keeps the environment"
    ok(stack.run("restart"))
    containers = stack.containers()
    assert {name for name, one in containers.items() if key in one.environment} == READS_OVERRIDE - {"scim"}
    assert "LOCAL_UID" in containers["nginx"].environment
    assert not any(name.startswith(PREFIX) for name in containers["nginx"].environment)
    assert containers["web"].environment[PREFIX + "baseServiceUri__vault"] == "http://localhost"
    assert set(containers["mssql"].environment) >= {"SA_PASSWORD", "DATABASE", "ACCEPT_EULA", "MSSQL_PID"}
    assert containers["mssql"].environment["SA_PASSWORD"] != "SECRET"


def test_up_recreates_only_what_changed(stack: Stack) -> None:
    before = {name: one.created for name, one in stack.containers().items()}
    append(stack, "A=b\n")
    ok(stack.run("docker", "compose", "-f", str(stack.bwdata / "docker/docker-compose.yml"), "up", "-d"))
    changed = {name for name, one in stack.containers().items() if one.created != before[name]}
    assert changed == READS_OVERRIDE - {"scim"}


def test_override_file_is_merged(stack: Stack) -> None:
    text = "services:\n  api:\n    environment:\n      A: from $${file}  # note\n      B: 'true'\n"
    text += "  web:\n    environment:\n      - C=d\n"
    (stack.bwdata / "docker/docker-compose.override.yml").write_text(text)
    append(stack, "A=b\n")
    ok(stack.run("restart"))
    containers = stack.containers()
    assert (containers["api"].environment["A"], containers["api"].environment["B"]) == ("from ${file}", "true")
    assert containers["admin"].environment["A"] == "b"
    assert containers["web"].environment["C"] == "d"


def test_names_images_networks(stack: Stack) -> None:
    containers = stack.containers()
    assert set(containers) == (READS_OVERRIDE - {"scim"}) | {"mssql", "web", "attachments", "icons", "nginx"}
    assert {one.name for one in containers.values()} == {f"bitwarden-{name}" for name in containers}
    found = {
        item["Name"][1:]: item
        for item in json.loads(ok(stack.run("docker", "inspect", *(one.name for one in containers.values()))))
    }
    internal = {name for name, item in found.items() if set(item["NetworkSettings"]["Networks"]) == {"docker_default"}}
    assert internal == {"bitwarden-mssql", "bitwarden-web", "bitwarden-attachments"}
    assert set(found["bitwarden-api"]["NetworkSettings"]["Networks"]) == {"docker_default", "docker_public"}


def test_inspect_fields(stack: Stack) -> None:
    (item,) = json.loads(ok(stack.run("docker", "inspect", "--type", "container", "bitwarden-api")))
    state = item["State"]
    assert (state["Status"], state["Running"], state["ExitCode"], state["Health"]["Status"]) == ("running", True, 0, "healthy")
    assert state["Health"]["FailingStreak"] == 0
    assert item["Created"].endswith("Z")
    assert item["RestartCount"] == 0
    assert item["Config"]["Image"] == "ghcr.io/bitwarden/api:2026.8.0"
    assert f"{PREFIX}selfHosted=true" in item["Config"]["Env"]
    labels = item["Config"]["Labels"]
    assert labels["com.docker.compose.project"] == "docker"
    assert labels["com.docker.compose.service"] == "api"
    assert labels["com.docker.compose.project.config_files"] == str(stack.bwdata / "docker/docker-compose.yml")
    (image,) = json.loads(ok(stack.run("docker", "image", "inspect", item["Config"]["Image"])))
    assert set(image["Config"]["Env"]) < set(item["Config"]["Env"])
    result = stack.run("docker", "inspect", "bitwarden-web", "nobody")
    assert (result.returncode, len(json.loads(result.stdout)), result.stderr) == (1, 1, "Error: No such object: nobody\n")
    assert ok(stack.run("docker", "inspect", "--format", "{{.Config.Image}}:", item["Id"])) == "ghcr.io/bitwarden/api:2026.8.0:\n"


def test_listings(stack: Stack) -> None:
    environment = {"COMPOSE_FILE": str(stack.bwdata / "docker/docker-compose.yml")}
    lines = ok(stack.run("docker", "compose", "ps", env=environment)).splitlines()
    assert (len(lines), lines[0].split()[0]) == (12, "NAME")
    identity = ok(stack.run("docker", "compose", "ps", "-q", "api", env=environment)).strip()
    assert json.loads(ok(stack.run("docker", "inspect", identity)))[0]["Name"] == "/bitwarden-api"
    ok(stack.run("docker", "stop", "bitwarden-api"))
    assert stack.containers()["api"].status == "exited"
    assert ok(stack.run("docker", "compose", "ps", "-q", "api", env=environment)) == ""
    assert len(ok(stack.run("docker-compose", "ps", env=environment)).splitlines()) == 11
    assert len(ok(stack.run("docker", "ps", "-q")).splitlines()) == 10
    names = ok(stack.run("docker", "ps", "-a", "--filter", "label=com.docker.compose.project=docker", "--format", "{{.Names}}"))
    assert "bitwarden-api" in names.split()


def test_config_doubles_dollars(stack: Stack) -> None:
    append(stack, "A='pa$word#1 x'\n")
    output = ok(
        stack.run("docker", "compose", "-f", str(stack.bwdata / "docker/docker-compose.yml"), "config", "--format", "json")
    )
    assert json.loads(output)["services"]["api"]["environment"]["A"] == "pa$$word#1 x"
    ok(stack.run("restart"))
    assert stack.containers()["api"].environment["A"] == "pa$word#1 x"
    ok(stack.run("rebuild"))
    ok(stack.run("start"))
    assert stack.containers()["api"].environment["A"] == "pa$word#1 x"


def test_readiness_delay(tmp_path: Path) -> None:
    stack = Stack.install(tmp_path / "bw", readiness_delay=0.2)
    assert {one.health for one in stack.containers().values()} == {"starting"}
    deadline = time.monotonic() + 5
    while {one.health for one in stack.containers().values()} != {"healthy"}:
        assert time.monotonic() < deadline
    assert time.time() >= stack.containers()["api"].started + 0.2


def test_readiness_delay_switch(stack: Stack) -> None:
    stack.switch("readiness_delay", 600)
    assert stack.containers()["api"].health == "healthy", "only containers created from now on"
    ok(stack.run("restart"))
    assert stack.containers()["api"].health == "starting"


def test_a_value_that_is_no_bool_stops_the_service(stack: Stack) -> None:
    append(stack, "globalSettings__enableCloudCommunication=yes\n")
    ok(stack.run("restart"))
    api = stack.containers()["api"]
    assert (api.running, api.status, api.health) == (False, "restarting", "unhealthy")
    assert json.loads(ok(stack.run("docker", "inspect", "bitwarden-api")))[0]["State"]["ExitCode"] == 134
    text = "Failed to convert configuration value 'yes' at 'globalSettings:enableCloudCommunication'"
    assert text in ok(stack.run("docker", "logs", "bitwarden-api", "--tail", "5"))
    (path,) = (stack.bwdata / "logs/api/Api").glob("*.txt")
    assert text in path.read_text()


def test_nginx_needs_every_upstream(stack: Stack) -> None:
    ok(stack.run("docker", "stop", "bitwarden-icons"))
    assert stack.containers()["nginx"].running, "it has found the address before"
    ok(stack.run("docker", "restart", "bitwarden-nginx"))
    assert stack.containers()["nginx"].status == "restarting"
    assert "host not found in upstream" in ok(stack.run("docker", "logs", "bitwarden-nginx"))
    ok(stack.run("docker", "start", "bitwarden-icons"))
    assert stack.containers()["nginx"].running
