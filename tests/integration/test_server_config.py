# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module server_config on a config.yml as Setup writes it."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from tests.integration.module_runner import run_module
from tests.lab.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """An installation that was never started."""
    return Stack.install(tmp_path / "bitwarden", domain="vault.example.com", started=False)


@pytest.fixture
def path(stack: Stack) -> Path:
    return Path(stack.bwdata) / "config.yml"


def run(path: Path, config: dict[str, t.Any], *, check: bool = False, backup: bool = False) -> dict[str, t.Any]:
    return run_module("server_config", {"bwdata": str(path.parent), "config": config, "backup": backup}, check=check)


def test_keys_are_set_and_the_second_run_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    config = {"enable_scim": True, "http_port": 8080, "real_ips": ["192.0.2.0/24"], "ssl": "true"}
    planned = run(path, config, check=True)
    assert path.read_bytes() == before
    done, again = run(path, config), run(path, config)
    assert planned["changes"] == done["changes"]
    assert [(change["name"], change["before"], change["after"]) for change in done["changes"]] == [
        ("enable_scim", {"value": False}, {"value": True}),
        ("http_port", {"value": "80"}, {"value": "8080"}),
        ("real_ips", {"value": []}, {"value": ["192.0.2.0/24"]}),
    ]
    assert (done["changed"], done["rebuild_required"], done["path"]) == (True, True, str(path))
    assert (again["changed"], again["rebuild_required"]) == (False, False)
    assert done["diff"] == {
        "before": before.decode(),
        "after": path.read_text(),
        "before_header": str(path),
        "after_header": str(path),
    }


def test_a_rebuild_by_setup_changes_nothing_in_the_meaning(stack: Stack, path: Path) -> None:
    config = {
        "enable_scim": True,
        "http_port": "",
        "ssl_ciphersuites": "A:B",
        "url": "https://other.example.com",
        "ssl_versions": None,
    }
    path.write_bytes(b"# ours\n" + path.read_bytes())
    assert run(path, config)["changed"]
    written = path.read_bytes()
    assert stack.run("rebuild").returncode == 0
    assert path.read_bytes() != written
    assert not run(path, config)["changed"]


def test_null_brings_back_the_default(path: Path) -> None:
    assert run(path, {"http_port": 8080, "enable_scim": True})["changed"]
    assert run(path, {"http_port": None, "enable_scim": None})["changed"]
    assert b"http_port:" not in path.read_bytes()
    assert not run(path, {"http_port": 80, "enable_scim": False})["changed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_mode_are_kept_by_file_and_backup(path: Path) -> None:
    os.chown(path, 1234, 2345)
    path.chmod(0o640)
    before = path.read_bytes()
    result = run(path, {"enable_scim": True}, backup=True)
    for file in (path, Path(result["backup_file"])):
        status = file.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, 1234, 2345)
    assert Path(result["backup_file"]).read_bytes() == before


def test_moving_the_database_gives_a_warning(path: Path) -> None:
    result = run(path, {"database_docker_volume": True}, check=True)
    assert "starts with an empty one" in str(result["warnings"])


@pytest.mark.parametrize(
    ("config", "field", "cause"),
    [
        ({"enable_skim": True}, "enable_skim", "Did you mean enable_scim?"),
        ({"ssl": "yes"}, "ssl", "not true or false"),
        ({"url": "https://vault. example.com"}, "url", "not a URL"),
        ({"ssl_versions": "a\nb"}, "ssl_versions", "one line"),
        ({"compose_version": 3}, "compose_version", "v2024.4.2"),
    ],
)
def test_bad_input_is_refused(path: Path, config: dict[str, t.Any], field: str, cause: str) -> None:
    before = path.read_bytes()
    result = run(path, {**config, "enable_scim": True})
    assert result["failed"]
    assert (result["error"]["field"], cause in result["msg"], bool(result["error"]["remedy"])) == (field, True, True)
    assert path.read_bytes() == before


def test_all_problems_are_reported_at_once(path: Path) -> None:
    assert "2 problems" in run(path, {"ssl": "yes", "whatever": 1})["msg"]


def test_a_file_that_is_not_understood_is_refused_by_line(path: Path) -> None:
    path.write_bytes(b"url: https://a.example.com\nssl: {a: b}\n")
    result = run(path, {"ssl": True})
    assert "Line 2 of config.yml" in result["msg"]
    assert result["error"]["remedy"]
    assert run(path, {"enable_scim": True})["changed"]


@pytest.mark.parametrize("kind", ["missing", "symlink", "large"])
def test_a_path_that_is_no_configuration_file_is_refused(path: Path, kind: str) -> None:
    if kind == "large":
        os.truncate(path, 10 * 1024 * 1024)
    else:
        kept = path.rename(path.with_name("kept"))
        if kind == "symlink":
            path.symlink_to(kept)
    result = run(path, {"enable_scim": True})
    assert result["error"]["field"] == str(path)
    assert result["error"]["remedy"]
