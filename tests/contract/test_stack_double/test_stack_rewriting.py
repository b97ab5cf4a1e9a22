"""What Setup makes of global.override.env in rebuild, update and updateconf."""

from __future__ import annotations

import stat

import pytest

from tests.contract.test_stack_double.helpers import PREFIX, append, ok, override, pairs, set_config
from tests.lab.stack import Stack


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("# plain comment", None),
        ("#key=value", "#key=value"),
        ("NOEQUALS", None),
        ("", None),
        ("a='it  '", "a='it  '"),
        ("a=b  ", "a=b  "),
        ("  a=b", "  a=b"),
        ("a=x\na=y", "a=y"),
        ('a="x\\"y"', 'a="x"y"'),
        ('a="l1\nl2"', 'a="l1'),
        ("a=x=y;z", "a=x=y;z"),
        ("a=b\r", "a=b"),
    ],
)
def test_rebuild_rewrites_operator_lines(stack: Stack, line: str, kept: str | None) -> None:
    before = override(stack).read_text()
    append(stack, line + "\n")
    ok(stack.run("rebuild"))
    assert override(stack).read_text() == before + (kept + "\n" if kept is not None else "")


def test_rebuild_keeps_setup_values_verbatim_and_in_place(stack: Stack) -> None:
    original = override(stack).read_text()
    text = original.replace("smtp__host=REPLACE", 'smtp__host="a\\"b"  ')
    override(stack).write_text("mine=1\n" + text + "globalSettings__mail__smtp__port=25\n", encoding="utf-8-sig")
    ok(stack.run("rebuild"))
    assert override(stack).read_text() == text.replace("smtp__port=587", "smtp__port=25") + "mine=1\n"


@pytest.mark.parametrize(
    "spelling", ["globalSettings__hibpApiKey =x", "export globalSettings__hibpApiKey=x", "globalsettings__hibpapikey=x"]
)
def test_other_spellings_are_new_keys(stack: Stack, spelling: str) -> None:
    override(stack).write_text(override(stack).read_text().replace("globalSettings__hibpApiKey=REPLACE", spelling))
    ok(stack.run("rebuild"))
    lines = override(stack).read_text().splitlines()
    assert "globalSettings__hibpApiKey=REPLACE" in lines
    assert lines[-1] == spelling


def test_removed_setup_keys_come_back_with_new_values(stack: Stack) -> None:
    before = pairs(override(stack))
    lines = override(stack).read_text().splitlines()
    override(stack).write_text("\n".join([*lines[9:], "globalSettings__hibpApiKey=mine"]) + "\n")
    ok(stack.run("rebuild"))
    after = pairs(override(stack))
    assert list(after) == list(before)
    assert after[PREFIX + "installation__key"] == ""
    assert after[PREFIX + "baseServiceUri__cloudRegion"] == "US"
    assert after[PREFIX + "identityServer__certificatePassword"] == ""
    assert after[PREFIX + "installation__id"] == "00000000-0000-0000-0000-000000000000"
    for key in ("sqlServer__connectionString", "internalIdentityKey", "oidcIdentityClientKey", "duo__aKey"):
        assert after[PREFIX + key] != before[PREFIX + key]
    ok(stack.run("start"))
    assert stack.containers()["api"].status == "restarting", "Installation Id must be set for self-hosted installations."


def test_push_notifications(stack: Stack) -> None:
    key = PREFIX + "pushRelayBaseUri"
    set_config(stack, "push_notifications", "false")
    ok(stack.run("rebuild"))
    assert list(pairs(override(stack)).items())[-1] == (key, "REPLACE")
    set_config(stack, "push_notifications", "true")
    ok(stack.run("rebuild"))
    assert key not in pairs(override(stack))
    append(stack, f"{key}=https://push.bitwarden.eu\n")
    ok(stack.run("rebuild"))
    assert pairs(override(stack))[key] == "https://push.bitwarden.eu"


def test_key_connector_and_external_database(stack: Stack) -> None:
    set_config(stack, "enable_key_connector", "true")
    set_config(stack, "enable_built_in_ms_sql", "false")
    ok(stack.run("rebuild"))
    path = stack.bwdata / "env/key-connector.override.env"
    password = pairs(path)["keyConnectorSettings__certificate__filesystemPassword"]
    ok(stack.run("rebuild"))
    assert pairs(path)["keyConnectorSettings__certificate__filesystemPassword"] == password
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ok(stack.run("start"))
    containers = stack.containers()
    assert "mssql" not in containers
    assert containers["key-connector"].image == "ghcr.io/bitwarden/key-connector:2025.11.0"
    assert containers["key-connector"].environment["keyConnectorSettings__database__provider"] == "json"
