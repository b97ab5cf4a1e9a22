# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests of the stack modules share."""

from __future__ import annotations

import typing as t

from tests.integration.module_runner import run_module
from tests.lab.stack import Stack

CLOUD = "globalSettings__enableCloudCommunication"
PASSWORD = "globalSettings__mail__smtp__password"


def run(stack: Stack, module: str, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    """Run a host module on a stand-in installation."""
    return run_module(module, {"bwdata": str(stack.bwdata), **params}, check=check, environ=stack.environment())


def converge(stack: Stack, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
    """Run C(stack), asking only the containers for their health."""
    return run(stack, "stack", check, **{"url": "", "wait_timeout": 2, **params})


def succeed(result: dict[str, t.Any]) -> dict[str, t.Any]:
    assert not result["failed"], result["msg"]
    return result


def commands(stack: Stack) -> list[str]:
    """The commands bitwarden.sh was called with since the last look."""
    called = [call.argv[0] for call in stack.calls() if call.tool == "bitwarden.sh"]
    stack.clear_calls()
    return called


def effective(stack: Stack, key: str, service: str = "api") -> str | None:
    """What a container really has."""
    return stack.containers()[service].environment.get(key)


def healthy(stack: Stack) -> bool:
    containers = stack.containers()
    return len(containers) == 11 and all(container.health == "healthy" for container in containers.values())


def override(stack: Stack) -> str:
    return (stack.bwdata / "env/global.override.env").read_text(encoding="utf-8")


def append(stack: Stack, *lines: str) -> None:
    """Edit global.override.env by hand."""
    with (stack.bwdata / "env/global.override.env").open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def edit_config(stack: Stack, old: str, new: str) -> None:
    """Edit config.yml by hand."""
    path = stack.bwdata / "config.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def upgrade_script(stack: Stack, version: str) -> None:
    """Let bitwarden.sh be newer than what runs."""
    stack.switch("release", version)
    assert stack.run("updateself").returncode == 0
    stack.clear_calls()
