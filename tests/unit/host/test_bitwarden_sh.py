# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running the script: as whom, with what, how long, and what its end means."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host.bitwarden_sh import BitwardenSh, explain
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account, Finished, execute
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

VERSIONS = 'COREVERSION="2026.8.0"\nWEBVERSION="2026.8.1"\nKEYCONNECTORVERSION="2025.11.0"\n'
ME = Account(os.geteuid(), os.getegid(), "", "/")


@pytest.fixture
def script(tmp_path: Path) -> BitwardenSh:
    (tmp_path / "bwdata").mkdir()
    return BitwardenSh(tmp_path / "bitwarden.sh", tmp_path / "bwdata")


def write(script: BitwardenSh, body: str = "", versions: str = VERSIONS) -> BitwardenSh:
    script.path.write_text(f"#!/usr/bin/env bash\nset -e\n{versions}{body}\n")
    script.path.chmod(0o700)
    return script


def test_versions(script: BitwardenSh) -> None:
    versions = write(script).versions()
    assert [versions.of(name) for name in ("api", "web", "key-connector")] == ["2026.8.0", "2026.8.1", "2025.11.0"]


def test_arguments_and_directory(script: BitwardenSh, tmp_path: Path) -> None:
    write(script, 'echo "$# $1 $2"; pwd')
    assert script.run("restart", 10).stdout == f"1 restart \n{tmp_path}\n"
    elsewhere = BitwardenSh(script.path, tmp_path / "data")
    assert elsewhere.run("restart", 10).stdout == f"2 restart {tmp_path}/data\n{tmp_path}\n"


def test_environment_is_small_and_right(script: BitwardenSh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BW_PASSWORD", "canary")
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    variables = dict(line.partition("=")[::2] for line in write(script, "env").run("start", 10).stdout.splitlines())
    assert variables["https_proxy"] == "http://proxy.example.com:3128"
    assert variables["USER"] == Account.running_for(script.path).name
    assert set(variables) <= {
        "PATH", "PWD", "SHLVL", "_", "OLDPWD", "HOME", "USER", "LOGNAME", "LC_ALL", "https_proxy",
        "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "NO_PROXY", "no_proxy", "all_proxy", "ALL_PROXY",
        "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR",
    }  # fmt: skip


def test_stdin_ends_at_once(script: BitwardenSh) -> None:
    """Root answers one question; after that, and for everybody else, there is nothing to read."""
    finished = write(script, "read a || true; read b || echo end; echo answered $a").run("start", 10)
    assert finished.stdout == ("end\nanswered y\n" if os.geteuid() == 0 else "end\nanswered\n")


def test_timeout_kills_the_children_too(script: BitwardenSh, tmp_path: Path) -> None:
    write(script, f"echo begun; (sleep 60; touch {tmp_path}/late) & echo $! > {tmp_path}/child; wait")
    begin = time.monotonic()
    finished = script.run("start", 0.5)
    assert time.monotonic() - begin < 5
    assert (finished.code, finished.stdout) == (None, "begun\n")
    child = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    while child.exists() and ") Z " not in child.read_text():  # until the kernel has ended it; init reaps it
        assert time.monotonic() - begin < 5


def test_no_terminal_is_inherited() -> None:
    assert execute(["sh", "-c", "read answer </dev/tty"], ME, timeout=10).code != 0


def test_missing_program() -> None:
    with pytest.raises(SelfhostError, match="docker-of-nowhere cannot be run"):
        execute(["docker-of-nowhere"], ME, timeout=10)


@pytest.mark.parametrize(
    ("code", "output", "said"),
    [
        (1, "", "ended with code 1."),
        (1, "Would you like to purge it? (y/N): ", "(prompt seen: Would you like to purge it? (y/N):)."),
        (
            None,
            "Enter your installation id: ",
            "did not end within 5 seconds and was stopped (prompt seen: Enter your installation id:).",
        ),
        (134, "Unhandled exception.", "ended with code 134, which means that Setup crashed."),
        (125, 'Conflict. The container name "/setup" is already in use', "a container named setup exists"),
    ],
)
def test_explain(code: int | None, output: str, said: str) -> None:
    assert said in explain("restart", Finished(code, output), 5)


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0, "does not exist"),
        ("<html>404</html>", 0o700, "HTML page"),
        ("404: Not Found", 0o700, "first line does not start with #!"),
        ("#!/bin/sh\n", 0o700, "without COREVERSION"),
        (f"#!/bin/sh\n{VERSIONS}", 0o600, "not executable"),
    ],
)
def test_a_script_that_cannot_work(script: BitwardenSh, content: str | None, mode: int, said: str) -> None:
    if content is not None:
        script.path.write_text(content)
        script.path.chmod(mode)
    with pytest.raises(SelfhostError, match=said) as caught:
        script.check()
    assert caught.value.field == str(script.path)
    assert caught.value.remedy


def test_a_blank_in_the_path_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "bit warden"
    directory.mkdir()
    with pytest.raises(SelfhostError, match="does not quote"):
        write(BitwardenSh(directory / "bitwarden.sh", directory / "bwdata")).check()
