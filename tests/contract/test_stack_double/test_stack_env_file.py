"""What Compose 2.11.2 and later makes of a line in an env file."""

from __future__ import annotations

import json
import os

import pytest

from tests.contract.test_stack_double.helpers import append, ok, override
from tests.lab.stack import Stack

READABLE = [
    ("A=b", "b"),
    ("A=b c d", "b c d"),
    ("A=b \t ", "b"),
    ("A=  b", "b"),
    ("A =b", "b"),
    ("A = b", "b"),
    ("  A=b", "b"),
    ("A=", ""),
    ("A=b#c", "b#c"),
    ("A=b #c", "b"),
    ("A=b\t#c", "b\t#c"),
    ("A=#c", "#c"),
    ('A="b c"', "b c"),
    ('A="b #c"', "b #c"),
    ('A="b" # note', "b"),
    ('A="b"c', "b"),
    ("A='b c'", "b c"),
    ("A='b$HOST'", "b$HOST"),
    ('A="b$HOST"', "bvalue"),
    ("A=b$HOST", "bvalue"),
    ("A=b${HOST}", "bvalue"),
    ("A=b$UNSET", "b"),
    ("A=pa$5word", "pa$5word"),
    ("A=pass$", "pass$"),
    ("A=pa$!x", "pa$!x"),
    ("A=pa$$word", "pa$word"),
    ('A="pa\\$word"', "pa$word"),
    ("A=pa\\$HOST", "pa\\value"),
    ("A=${UNSET:-def}", "def"),
    ("A=${UNSET-${HOST}}x", "valuex"),
    ("A=${HOST:-def}", "value"),
    ("A=${HOST:+set}${UNSET:+set}", "set"),
    ("A=C:\\dir\\new", "C:\\dir\\new"),
    ('A="C:\\dir\\new"', "C:\\dir\new"),
    ("A='C:\\dir\\new'", "C:\\dir\\new"),
    ('A="b\\"c"', 'b"c'),
    ("A='it\\'s'", "it's"),
    ("A=it's", "it's"),
    ('A=b"c"d', 'b"c"d'),
    ('A=bc"', 'bc"'),
    ('A={"k":"v"}', '{"k":"v"}'),
    ("A=`b`", "`b`"),
    ('A="l1\nl2"', "l1\nl2"),
    ("A=b\r\nB=c\r", "b"),
    ("A=1\nA=2", "2"),
    ("a=1\nA=2", "2"),
    ("export A=b", "b"),
    ("A: b", "b"),
    ("HOST", None),
    ("UNSET", None),
    ("# A=c\n\n#\nA=b", "b"),
    ("B=x\nA=$B-y", "x-y"),
    ("HOST=file\nA=$HOST", "value"),
    ("A=$LOCAL_UID", str(os.geteuid() or 65534)),
    ("A=b;c=d:e", "b;c=d:e"),
]
ERRORS = [
    ("A=pa${word", 'Invalid template: "pa${word"'),
    ('A="bc', 'unterminated quoted value "bc'),
    ("A B=c", "key cannot contain a space"),
    ("some words", "key cannot contain a space"),
    ("A/B=c", 'unexpected character "/" in variable name "A/B=c"'),
]


def resolved(stack: Stack, text: str) -> tuple[dict[str, str], str]:
    """The api service's environment and stderr for an env file with this text."""
    override(stack).write_text(text, newline="")
    arguments = ("compose", "-f", str(stack.bwdata / "docker/docker-compose.yml"), "config", "--format", "json")
    result = stack.run("docker", *arguments, env={"HOST": "value"})
    environment = json.loads(ok(result))["services"]["api"]["environment"]
    return {key: value.replace("$$", "$") for key, value in environment.items()}, result.stderr


@pytest.mark.parametrize(("line", "value"), READABLE, ids=[line for line, _value in READABLE])
def test_compose_reads(stack: Stack, line: str, value: str | None) -> None:
    environment, stderr = resolved(stack, f"{line}\nEND=1\n")
    assert environment.get("A") == value
    assert environment["END"] == "1"
    assert ('The \\"UNSET\\" variable is not set. Defaulting to a blank string.' in stderr) == ("$UNSET" in line)


@pytest.mark.parametrize(("line", "message"), ERRORS)
def test_compose_refuses(stack: Stack, line: str, message: str) -> None:
    append(stack, line + "\n")
    number = override(stack).read_text().count("\n")
    for command in ("ps", "up -d", "down", "pull", "config"):
        result = stack.run("docker", "compose", "-f", str(stack.bwdata / "docker/docker-compose.yml"), *command.split())
        assert result.returncode == 1
        assert result.stderr == f"failed to read {override(stack)}: line {number}: {message}\n"
    assert stack.run("restart").returncode == 1
    assert stack.run("restart").returncode == 1


def test_compose_keys(stack: Stack) -> None:
    environment, _stderr = resolved(stack, "\ufeffA-b=1\nA.b=2\nA[0]=3\na=4\nHOST\nlast")
    wanted = {"A-b": "1", "A.b": "2", "A[0]": "3", "a": "4", "HOST": "value", "": "last"}
    assert {key: environment.get(key) for key in wanted} == wanted


def test_a_bad_line_and_releases_that_read_late(stack: Stack) -> None:
    append(stack, "A=${\n")
    assert stack.run("restart").returncode == 1
    assert stack.containers(), "ps fails, so nothing is stopped"
    stack.switch("lazy_env")
    assert stack.run("restart").returncode == 1
    assert stack.containers() == {}, "ps and down work, up does not"
