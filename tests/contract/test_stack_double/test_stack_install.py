"""What the installer leaves behind, and installing."""

from __future__ import annotations

import json
import os
import pty
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.contract.test_stack_double.helpers import PREFIX, ok, override, pairs
from tests.lab.stack import Stack


def test_install_writes_the_env_file_in_setups_order(stack: Stack) -> None:
    values = pairs(override(stack))
    assert [key.removeprefix(PREFIX) for key in values] == [
        *(
            "baseServiceUri__vault",
            "baseServiceUri__cloudRegion",
            "sqlServer__connectionString",
            "identityServer__certificatePassword",
        ),
        *("internalIdentityKey", "oidcIdentityClientKey", "duo__aKey", "installation__id", "installation__key"),
        *("yubico__clientId", "yubico__key", "mail__replyToEmail", "mail__smtp__host", "mail__smtp__port", "mail__smtp__ssl"),
        *("mail__smtp__username", "mail__smtp__password", "disableUserRegistration", "hibpApiKey", "adminSettings__admins"),
    ]
    assert values[PREFIX + "baseServiceUri__cloudRegion"] == "EU"
    assert values[PREFIX + "baseServiceUri__vault"] == "https://vault.example.com"
    assert PREFIX + "installation__apiUri" not in values, "the EU URIs are the operator's job"
    password = pairs(stack.bwdata / "env/mssql.override.env")["SA_PASSWORD"]
    connection = values[PREFIX + "sqlServer__connectionString"]
    assert connection.startswith('"Data Source=tcp:mssql,1433;Initial Catalog=vault;')
    assert f"Password={password};" in connection
    assert override(stack).read_bytes().endswith(b"\n")


def test_install_writes_modes_and_files(stack: Stack) -> None:
    secret = ("docker/global.env", "docker/mssql.env", "env/global.override.env", "env/mssql.override.env")
    plain = (
        "config.yml",
        "env/uid.env",
        "docker/docker-compose.yml",
        "nginx/default.conf",
        "web/app-id.json",
        "identity/identity.pfx",
    )
    modes = {
        name: stat.S_IMODE((stack.bwdata / name).stat().st_mode)
        for name in (*secret, *plain, "scripts/run.sh", "core", "logs/api")
    }
    assert modes == {
        **dict.fromkeys(secret, 0o600),
        **dict.fromkeys(plain, 0o644),
        "scripts/run.sh": 0o700,
        **dict.fromkeys(("core", "logs/api"), 0o755),
    }
    assert (stack.bwdata / "docker/global.env").read_text().splitlines() == [
        "ASPNETCORE_ENVIRONMENT=Production",
        "globalSettings__selfHosted=true",
        "globalSettings__baseServiceUri__vault=http://localhost",
        "globalSettings__pushRelayBaseUri=https://push.bitwarden.com",
    ]
    assert json.loads((stack.bwdata / "web/app-id.json").read_text())["trustedFacets"][0]["ids"][0] == "https://vault.example.com"


def test_install_writes_config_yml_in_order(tmp_path: Path) -> None:
    def keys(version: str) -> list[str]:
        path = Stack.install(tmp_path / version, version=version, started=False).bwdata / "config.yml"
        return [line.split(":")[0] for line in path.read_text().splitlines() if not line.startswith("#")]

    new, old = keys("2026.8.0"), keys("2025.4.0")
    assert new[:6] == ["url", "generate_compose_config", "generate_nginx_config", "http_port", "https_port", "ssl"]
    assert new[-4:] == ["real_ips", "enable_key_connector", "enable_scim", "enable_built_in_ms_sql"]
    assert set(new) - set(old) == {"ssl_curves", "enable_built_in_ms_sql"}


def test_script_names_its_versions_at_column_zero(stack: Stack) -> None:
    lines = stack.script.read_text().splitlines()
    assert {'COREVERSION="2026.8.0"', 'WEBVERSION="2026.8.0"', 'KEYCONNECTORVERSION="2025.11.0"'} <= set(lines)


def test_install_refuses_a_second_time(stack: Stack) -> None:
    result = stack.run("install")
    assert (result.returncode, f"Looks like Bitwarden is already installed at {stack.bwdata}." in result.stdout) == (1, True)


ANSWERS = ("vault.example.org", "n", "", "11111111-2222-3333-4444-555555555555", "the-key", "EU", "n")


def test_install_needs_a_terminal(stack: Stack) -> None:
    shutil.rmtree(stack.bwdata)
    lines = ("y", *ANSWERS) if os.geteuid() == 0 else ANSWERS
    result = stack.run("install", answer="\n".join(lines) + "\n")
    assert (result.returncode, "the input device is not a TTY" in result.stderr) == (1, True)
    assert not (stack.bwdata / "config.yml").exists()


def test_install_on_a_terminal(stack: Stack) -> None:
    shutil.rmtree(stack.bwdata)
    controller, terminal = pty.openpty()
    lines = ("y", *ANSWERS) if os.geteuid() == 0 else ANSWERS
    os.write(controller, "".join(line + "\n" for line in lines).encode())
    result = subprocess.run([stack.script, "install"], stdin=terminal, capture_output=True, text=True, check=False)
    os.close(controller)
    os.close(terminal)
    assert "Installation complete" in ok(result)
    values = pairs(override(stack))
    assert values[PREFIX + "installation__id"] == ANSWERS[3]
    assert values[PREFIX + "baseServiceUri__cloudRegion"] == "EU"
    assert values[PREFIX + "baseServiceUri__vault"] == "http://vault.example.org"


@pytest.mark.parametrize(
    ("identity", "domain", "done"),
    [(ANSWERS[3], "a.example.org", True), ("no", "a.example.org", False), (ANSWERS[3], "192.0.2.1", False)],
)
def test_setup_image_installs_without_prompts(stack: Stack, identity: str, domain: str, done: bool) -> None:
    shutil.rmtree(stack.bwdata)
    stack.bwdata.mkdir()
    image = (
        "run",
        "--rm",
        "--name",
        "setup",
        "-v",
        f"{stack.bwdata}:/bitwarden",
        "ghcr.io/bitwarden/setup:2026.8.0",
        "/app/Setup",
    )
    arguments = (
        "-install",
        "1",
        "-domain",
        domain,
        "-corev",
        "2026.8.0",
        "-webv",
        "2026.8.0",
        "-install-id",
        identity,
        "-skip-ssl",
        "1",
    )
    output = ok(stack.run("docker", *image, *arguments))
    assert ("Installation complete" in output) == (stack.bwdata / "config.yml").exists() == done
