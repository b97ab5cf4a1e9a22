# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stack module asks the server at its public URL, through proxy and TLS, whether it is well."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest

from tests.integration.module_runner import run_module
from tests.integration.stack_helpers import CLOUD, append, healthy, override, succeed
from tests.lab import Lab
from tests.lab.stack import Stack


@pytest.fixture
def served(stack: Stack, tmp_path: Path) -> t.Iterator[Lab]:
    with Lab(tmp_path / "lab", stack=stack) as lab:
        yield lab


def restart(stack: Stack, lab: Lab, **params: t.Any) -> dict[str, t.Any]:
    params = {"bwdata": str(stack.bwdata), "state": "restarted", "wait_timeout": 0, **params}
    return run_module("stack", params, environ=lab.environment())


def test_every_address_answers(stack: Stack, served: Lab) -> None:
    result = succeed(restart(stack, served, wait_timeout=10))
    told = [line.partition(" after ")[0] for line in result["progress"] if line.startswith("https")]
    paths = ["/alive", "/api/alive", "/identity/.well-known/openid-configuration", "/api/config"]
    assert told == [f"https://vault.example.com{path}: answers" for path in paths]
    assert served.writes() == []


def test_nothing_to_do_asks_nothing(stack: Stack, served: Lab) -> None:
    assert succeed(restart(stack, served, state="converged"))["changed"] is False
    assert served.requests() == []


@pytest.mark.parametrize(
    ("kind", "path", "said"),
    [
        ("html", "/config", "api: https://vault.example.com/api/config: the answer is not JSON"),
        ("redirect", "/alive", "redirect to another host (elsewhere.example.org) refused"),
        (
            "status:502",
            "/openid",
            "vault.example.com/identity/.well-known/openid-configuration: HTTP status 502",
        ),
        ("torn", "/config", "api: https://vault.example.com/api/config: "),
    ],
)
def test_a_wrong_answer_is_named(stack: Stack, served: Lab, kind: str, path: str, said: str) -> None:
    served.fault(kind, path=path, times=None)
    result = restart(stack, served)
    assert result["failed"]
    assert said in result["msg"]


def test_certificates_are_verified(stack: Stack, served: Lab, tmp_path: Path) -> None:
    served.wrong_certificate()
    assert "certificate" in restart(stack, served)["msg"]
    assert not restart(stack, served, validate_certs=False)["failed"]
    (tmp_path / "empty.pem").write_text("nothing")
    result = restart(stack, served, ca_path=str(tmp_path / "empty.pem"))
    assert result["error"]["field"] == "ca_path"


def test_ca_path_is_used(stack: Stack, served: Lab) -> None:
    environment = {key: value for key, value in served.environment().items() if "SSL" not in key}
    params = {"bwdata": str(stack.bwdata), "state": "restarted", "wait_timeout": 0}
    assert "certificate" in run_module("stack", params, environ=environment)["msg"]
    succeed(run_module("stack", {**params, "ca_path": served.ca_path}, environ=environment))


def test_a_url_that_stops_answering_rolls_back(stack: Stack, served: Lab) -> None:
    backup = shutil.copy(stack.bwdata / "env/global.override.env", stack.bwdata / "env/global.override.env.1.bak~")
    before = override(stack)
    append(stack, f"{CLOUD}=true")
    for index in range(4, 8):  # the first four requests look how it was before
        served.fault("status:500", index=index)
    served.clear_requests()
    result = restart(stack, served, state="converged", restore_from=[str(backup)])
    assert "The previous state is back." in result["msg"]
    assert override(stack) == before
    assert healthy(stack)


def test_a_url_that_never_answered_is_no_reason_to_roll_back(stack: Stack, served: Lab) -> None:
    backup = shutil.copy(stack.bwdata / "env/global.override.env", stack.bwdata / "env/global.override.env.1.bak~")
    append(stack, f"{CLOUD}=true")
    params = {"url": "https://unknown.example.com", "restore_from": [str(backup)], "state": "converged"}
    result = restart(stack, served, **params)
    assert "Nothing was restored, because that address did not answer before either." in result["msg"]
    assert f"{CLOUD}=true" in override(stack)
    assert healthy(stack)
