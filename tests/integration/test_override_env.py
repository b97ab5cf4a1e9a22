# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module override_env on a bwdata as Setup writes it."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.integration.module_runner import run_module
from tests.lab.stack import Stack
from tools import metrics

CLOUD = "globalSettings__enableCloudCommunication"
API_URI = "globalSettings__installation__apiUri"
LABEL = "globalSettings__baseServiceUri__cloudRegion"
ID, KEY = "globalSettings__installation__id", "globalSettings__installation__key"
PASSWORD = "globalSettings__mail__smtp__password"
NEW_ID = "11111111-2222-4333-8444-555555555555"
EU = {
    LABEL: "EU",
    "globalSettings__installation__identityUri": "https://identity.bitwarden.eu",
    API_URI: "https://api.bitwarden.eu",
    "globalSettings__pushRelayBaseUri": "https://push.bitwarden.eu",
}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """An installation for the EU that was never started."""
    return Stack.install(tmp_path / "bitwarden", domain="vault.example.com", region="EU", started=False)


@pytest.fixture
def path(stack: Stack) -> Path:
    return Path(stack.bwdata) / "env/global.override.env"


def run(path: Path, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    return run_module("override_env", {"bwdata": str(path.parent.parent), **options}, check=check)


def tree(path: Path) -> dict[str, tuple[str, int]]:
    """Every file below bwdata: hash of its bytes, and when it was changed."""
    files = (item for item in path.parent.parent.rglob("*") if item.is_file())
    return {str(item): (hashlib.sha256(item.read_bytes()).hexdigest(), item.stat().st_mtime_ns) for item in files}


def refused(path: Path, field: str, cause: str, **options: t.Any) -> dict[str, t.Any]:
    """Run the module, which must fail with cause, field and remedy and leave everything as it is, check mode or not."""
    before = tree(path)
    result = run(path, check=True, **options)
    assert run(path, **options) == result
    assert tree(path) == before
    assert result["failed"]
    assert field in result["msg"]
    assert cause in result["msg"]
    if "\n" not in result["msg"]:
        assert result["error"]["field"] == field
        assert result["error"]["remedy"]
    return result


def warnings(result: dict[str, t.Any]) -> str:
    return json.dumps(result.get("warnings", []))


def test_settings_are_set_and_the_second_run_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    options = {"settings": {CLOUD: True, "globalSettings__mail__smtp__host": "mail.example.com"}, "region": "eu"}
    planned, done, again = run(path, check=True, **options), run(path, **options), run(path, **options)
    assert planned["changes"] == done["changes"]
    assert [(change["action"], change["name"]) for change in done["changes"]] == [
        *(("create", name) for name in EU if name != LABEL),
        ("create", CLOUD),
        ("update", "globalSettings__mail__smtp__host"),
    ]
    assert (done["changed"], done["restart_required"], done["path"]) == (True, True, str(path))
    assert (again["changed"], again["restart_required"], again["changes"]) == (False, False, [])
    added = "".join(f"{name}={value}\n" for name, value in EU.items() if name != LABEL)
    assert (
        path.read_bytes()
        == before.replace(b"smtp__host=REPLACE", b"smtp__host=mail.example.com") + f"{added}{CLOUD}=true\n".encode()
    )
    assert "warnings" not in again


def test_check_mode_touches_nothing(path: Path) -> None:
    before = tree(path)
    assert run(path, check=True, settings={CLOUD: True}, backup=True)["changed"]
    assert tree(path) == before


def test_diff_is_that_of_the_file(path: Path) -> None:
    path.write_bytes(b"# about it\nA=1\r\n" + path.read_bytes())
    result = run(path, check=True, settings={CLOUD: True, "globalSettings__siteName": "Vault"})
    before, after = result["diff"]["before"], result["diff"]["after"]
    assert after == before + f"{CLOUD}=true\nglobalSettings__siteName=Vault\n"
    assert before.startswith("# about it\nA=1\r\n")
    assert result["diff"]["before_header"] == result["diff"]["after_header"] == str(path)


def test_no_secret_is_shown(path: Path) -> None:
    canaries = [f"canary-{number}-9f8e" for number in range(9)]
    path.write_text(
        f"{PASSWORD}={canaries[0]}\n"
        f'globalSettings__sqlServer__connectionString="Data Source=db;Password={canaries[1]}"\n'
        f"# old password was {canaries[2]}\n"
        f"# {KEY}={canaries[3]}\n"
        f"globalSettings__knownProxies=http://user:{canaries[4]}@proxy\n"
        f"some__apiToken={canaries[5]}\n"
        f"globalSettings__siteName=Vault # its password is {canaries[8]}\n"
    )
    options: dict[str, t.Any] = {"settings": {PASSWORD: canaries[6], "other__secret": canaries[7]}, "allow_unknown": True}
    for result in (
        run(path, check=True, **options),
        run(path, **options),
        run(path, **options),
        run(path, settings={**options["settings"], "x": 1}),
        run(path, absent=["globalSettings__knownProxies", "some__apiToken"]),
    ):
        assert not [canary for canary in canaries if canary in json.dumps(result)]
    assert canaries[6] in path.read_text()


def test_a_misspelled_option_does_not_show_the_others(path: Path) -> None:
    result = run_module("override_env", {"bwdata": str(path.parents[1]), "setings": {}, "settings": {PASSWORD: "first-secret"}})
    assert result["failed"]
    assert "setings" in result["msg"]
    assert "first-secret" not in json.dumps(result)


def test_short_and_common_secrets_are_left_out_without_garbling_the_rest(path: Path) -> None:
    for value in ("true", "1", "eu", "REPLACE"):
        result = run(path, settings={PASSWORD: value, CLOUD: True}, region="eu")
        assert "bitwarden.eu" in result["diff"]["after"]
        assert f"{PASSWORD}=********" in result["diff"]["after"]


def test_a_changed_secret_shows_as_changed(path: Path) -> None:
    run(path, settings={PASSWORD: "first-secret"})
    result = run(path, settings={PASSWORD: "second-secret"})
    assert f"{PASSWORD}=******** (old)\n" in result["diff"]["before"]
    assert f"{PASSWORD}=******** (new)\n" in result["diff"]["after"]
    assert result["changes"][0]["after"] == {"value": "******** (new)"}


def test_what_an_operator_wrote_stays_byte_for_byte(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf# Ours\r\n\r\nexport A = 'b' # c\r\n" + path.read_bytes() + b"B=\xff\n  C=$A #")
    before = path.read_bytes()
    assert run(path, settings={CLOUD: True})["changed"]
    assert path.read_bytes() == before + f"\n{CLOUD}=true".encode()
    assert run(path, settings={CLOUD: None})["changed"]
    assert path.read_bytes() == before
    assert not run(path, absent=[CLOUD])["changed"]


def test_removal(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"globalSettings__captcha__hCaptchaSiteKey=a\nODD=1\nODD=2\n")
    result = run(path, absent=["ODD"], settings={"globalSettings__captcha__hCaptchaSiteKey": None})
    assert {(change["action"], change["name"]) for change in result["changes"]} == {
        ("delete", "ODD"),
        ("delete", "globalSettings__captcha__hCaptchaSiteKey"),
    }
    assert b"ODD" not in path.read_bytes()
    assert b"hCaptcha" not in path.read_bytes()


def test_a_misspelled_removal_gives_a_warning(path: Path) -> None:
    assert f"Did you mean {CLOUD}?" in warnings(run(path, absent=["globalSettings__enableCloudComunication"]))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_mode_are_kept_by_file_and_backup(path: Path) -> None:
    os.chown(path, 1234, 2345)
    before = path.read_bytes()
    result = run(path, settings={CLOUD: True}, backup=True)
    for file in (path, Path(result["backup_file"])):
        status = file.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o600, 1234, 2345)
    assert Path(result["backup_file"]).read_bytes() == before
    assert "backup_file" not in run(path, settings={CLOUD: True}, backup=True)
    assert len(list(path.parent.glob("global.override.env*"))) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    ("ids", "owner"), [("LOCAL_UID=1234\nLOCAL_GID=2345\n", (1234, 2345)), ("LOCAL_UID=0\nLOCAL_GID=0\n", (65534, 65534))]
)
def test_a_new_file_is_private_and_belongs_to_the_installation(path: Path, ids: str, owner: tuple[int, int]) -> None:
    path.unlink()
    path.with_name("uid.env").write_text(ids)
    assert run(path, settings={CLOUD: True}, backup=True)["changed"]
    status = path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o600, *owner)


def test_a_killed_run_can_be_repeated(path: Path) -> None:
    before = path.read_bytes()
    script = (
        "import os\nfrom tests.integration.module_runner import run_module\n"
        "os.replace = lambda *a: os.kill(os.getpid(), 9)\n"
        f"run_module('override_env', {{'bwdata': {str(path.parent.parent)!r}, 'settings': {{{CLOUD!r}: True}}}})\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{metrics.ROOT / 'collections'}:{metrics.ROOT}"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == -9, done.stderr
    assert path.read_bytes() == before
    assert run(path, settings={CLOUD: True})["changed"]
    assert path.read_bytes() == before + f"{CLOUD}=true\n".encode()
    assert not [item for item in path.parent.iterdir() if "bw-selfhost" in item.name]


# --- bad input ---


@pytest.mark.parametrize(
    ("settings", "field", "cause"),
    [
        ({"globalSettings__enableCloudComunication": True}, "globalSettings__enableCloudComunication", f"Did you mean {CLOUD}?"),
        ({"no_such_thing": 1}, "no_such_thing", "no such setting"),
        ({CLOUD: "yes"}, CLOUD, "not true or false"),
        ({API_URI: "https://api.bitwarden .eu"}, API_URI, "without blanks"),
        ({"globalSettings__siteName": "a\nb"}, "globalSettings__siteName", "line break or a NUL"),
        ({"globalSettings__siteName": "a\0b"}, "globalSettings__siteName", "line break or a NUL"),
        ({PASSWORD: "'\"#"}, PASSWORD, "mixes quotes"),
        (
            {"globalSettings__identityServer__certificatePassword": "pa$word"},
            "globalSettings__identityServer__certificatePassword",
            "Setup",
        ),
        ({ID: None}, ID, "Setup owns this setting"),
        ({CLOUD: True, CLOUD.upper(): True}, CLOUD.upper(), f"same setting as {CLOUD}"),
        ({CLOUD.lower(): True}, CLOUD.lower(), f"Write {CLOUD}"),
        ({"iconsSettings__cacheHours": 1}, "iconsSettings__cacheHours", "service icons"),
        ({"globalSettings__sentry__dsn": "x"}, "globalSettings__sentry__dsn", "v2025.12.0"),
    ],
)
def test_a_wrong_setting_is_refused(path: Path, settings: dict[str, t.Any], field: str, cause: str) -> None:
    refused(path, field, cause, settings=settings)


def test_all_problems_are_reported_at_once(path: Path) -> None:
    result = refused(path, CLOUD, "4 problems", settings={CLOUD: "yes", "nope": 1, ID: "1"}, absent=[KEY])
    for name in ("nope", ID, KEY):
        assert name in result["msg"]


def test_a_setting_to_set_and_to_remove_is_refused(path: Path) -> None:
    refused(path, CLOUD, "in settings and in absent", settings={CLOUD: True}, absent=[CLOUD])


def test_another_spelling_in_the_file_is_refused_until_it_is_removed(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"globalsettings__enablecloudcommunication=false\n")
    refused(path, CLOUD, "which spelling wins is not defined", settings={CLOUD: True})
    assert run(path, settings={CLOUD: True}, absent=[CLOUD.lower()])["changed"]
    assert not run(path, settings={CLOUD: True}, absent=[CLOUD.lower()])["changed"]
    path.write_bytes(path.read_bytes() + b"a=1\nA=1\n")
    assert "is not defined: a and A." in warnings(run(path, settings={CLOUD: True}))


def test_duplicates_give_a_warning_and_the_last_one_is_changed(path: Path) -> None:
    path.write_bytes(f"{CLOUD}=false\n# c\n{CLOUD}=false\n".encode())
    result = run(path, settings={CLOUD: True})
    assert f"the last one counts: {CLOUD} (lines 1, 3)." in warnings(result)
    assert path.read_bytes() == f"{CLOUD}=false\n# c\n{CLOUD}=true\n".encode()
    assert not run(path, settings={CLOUD: True})["changed"]


def test_booleans_in_the_file_may_have_any_case(path: Path) -> None:
    path.write_bytes(f"{CLOUD}=True\n".encode())
    assert not run(path, settings={CLOUD: True})["changed"]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b'B="hidden\n', "opens a quote that nothing closes"),
        (b"B hidden=1\n", "has a character or blank"),
        (b"B=${hidden\n", "a brace is not closed"),
        (b"hidden", "has a value without a name"),
    ],
)
def test_a_file_that_compose_would_refuse_is_refused_by_line(path: Path, line: bytes, cause: str) -> None:
    path.write_bytes(b"A=1\n# c\n" + line)
    result = run(path, settings={CLOUD: True})
    assert result["failed"]
    assert "ine 3" in result["msg"]
    assert cause in result["msg"]
    assert "hidden" not in result["msg"]
    assert result["error"]["remedy"]
    assert path.read_bytes() == b"A=1\n# c\n" + line


def test_crlf_and_bom_are_kept_and_work(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfA=1\r\nB=2\r\n")
    assert run(path, settings={CLOUD: True})["changed"]
    assert path.read_bytes() == b"\xef\xbb\xbfA=1\r\nB=2\r\n" + f"{CLOUD}=true\r\n".encode()
    assert not run(path, settings={CLOUD: True})["changed"]


@pytest.mark.parametrize("kind", ["symlink", "large", "directory"])
def test_a_path_that_is_no_configuration_file_is_refused(path: Path, kind: str) -> None:
    if kind == "large":
        os.truncate(path, 10 * 1024 * 1024)
    else:
        kept = path.rename(path.with_name("kept"))
        path.symlink_to(kept) if kind == "symlink" else path.mkdir()
    causes = {"symlink": "symbolic link", "large": "10485760 bytes", "directory": "not a regular file"}
    refused(path, str(path), causes[kind], settings={CLOUD: True})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_that_may_not_be_read_is_refused(path: Path) -> None:
    for directory in [path.parent, *path.parent.parents]:
        if directory == Path("/tmp"):
            break
        directory.chmod(0o755)
    script = (
        "import os, json\nfrom tests.integration.module_runner import run_module\n"
        "from ansible_collections.bw.selfhost.plugins.modules import override_env\n"
        "os.setgid(65534); os.setuid(65534)\n"
        f"print(run_module('override_env', {{'bwdata': {str(path.parent.parent)!r}, 'settings': {{{CLOUD!r}: True}}}})['msg'])\n"
    )
    os.chown(path, 0, 0)
    environment = {**os.environ, "PYTHONPATH": f"{metrics.ROOT / 'collections'}:{metrics.ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.startswith(f"{path}: Permission denied."), done.stderr


def test_a_directory_that_is_no_installation_is_refused(tmp_path: Path) -> None:
    result = run_module("override_env", {"bwdata": str(tmp_path), "settings": {CLOUD: True}})
    assert result["error"]["field"] == str(tmp_path / "env")
    assert result["error"]["remedy"]


# --- region ---


def test_a_region_that_differs_from_the_installations_is_refused(path: Path) -> None:
    refused(path, "region", "registered in region eu", region="us")
    refused(path, "region", "registered in region eu", region="us", settings={ID: NEW_ID})


def test_a_region_may_change_together_with_the_installation(path: Path) -> None:
    assert run(path, region="us", settings={ID: NEW_ID, KEY: "a-new-installation-key"})["changed"]
    text = path.read_text()
    assert f"{LABEL}=US\n" in text
    assert f"{API_URI}=https://api.bitwarden.com\n" in text
    assert not run(path, region="us")["changed"]


@pytest.mark.parametrize("value", ["https://api.bitwarden.com", "https://API.bitwarden.com:443/", None])
def test_settings_that_contradict_the_region_are_refused(path: Path, value: str | None) -> None:
    refused(path, API_URI, "contradicts region: eu", region="eu", settings={API_URI: value})


@pytest.mark.parametrize("value", ["REPLACE", "https://relay.example.com"])
def test_settings_may_refine_the_region(path: Path, value: str) -> None:
    assert run(path, region="eu", settings={"globalSettings__pushRelayBaseUri": value})["changed"]
    assert f"globalSettings__pushRelayBaseUri={value}\n" in path.read_text()


def test_a_label_without_its_addresses_gives_a_warning(path: Path) -> None:
    assert "Set region: eu." in warnings(run(path, settings={CLOUD: True}))
    assert "Set region: eu." not in warnings(run(path, region="eu"))
