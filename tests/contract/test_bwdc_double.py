"""The stand-in for the Directory Connector against what the real one was seen to do."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import time
import typing as t
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bwdc import G1, G2, G3, Bwdc, people
from tests.bwdc.handle import READER, SUFFIX
from tests.lab import Lab

ALL = pytest.mark.parametrize("version", [G1, G2, G3])
FLAT = pytest.mark.parametrize("version", [G2, G3])
ALICE, BOB = f"uid=alice,ou=People,{SUFFIX}", f"uid=bob,ou=Eng,ou=People,{SUFFIX}"
LDAP = {
    "ssl": True,
    "startTls": False,
    "sslAllowUnauthorized": False,
    "hostname": "ldap.example.com",
    "port": 636,
    "rootPath": SUFFIX,
    "ad": False,
    "pagedSearch": True,
    **READER,
}
SYNC = {"users": True, "groups": True, "removeDisabled": False, "overwriteExisting": False, "largeImport": False}
KEYRING = {"BITWARDENCLI_CONNECTOR_PLAINTEXT_SECRETS": ""}


@dataclass
class Setup:
    """An unpacked release, its data directory, and the organization's key."""

    lab: Lab
    world: Bwdc
    folder: Path
    version: str
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data" / "data.json"

    @property
    def organization_id(self) -> str:
        return str(self.lab.facts["organization_id"])

    def run(self, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "BITWARDENCLI_CONNECTOR_APPDATA_DIR": str(self.data.parent),
            "BITWARDENCLI_CONNECTOR_PLAINTEXT_SECRETS": "true",
            "NODE_EXTRA_CA_CERTS": self.lab.ca_path,
            **variables,
        }
        command = [str(self.folder / "bwdc"), *argv]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    def answer(self, *argv: str, **variables: str) -> dict[str, t.Any]:
        done = self.run("--response", *argv, **variables)
        found: dict[str, t.Any] = json.loads(done.stdout)
        assert done.returncode == (0 if found["success"] else 1)
        return found

    def login(self) -> dict[str, t.Any]:
        key = self.lab.rows("selfhost", "organization_api_key", organizationId=self.organization_id)[0]["apiKey"]
        return self.answer("login", BW_CLIENTID=f"organization.{self.organization_id}", BW_CLIENTSECRET=key)

    def read(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads(self.data.read_text())
        return found

    def write(self, document: dict[str, t.Any]) -> None:
        self.data.parent.mkdir(mode=0o700, exist_ok=True)
        self.data.write_text(json.dumps(document))
        self.data.chmod(0o600)

    def configure(self, sync: t.Mapping[str, t.Any] | None = None, ldap: t.Mapping[str, t.Any] | None = None) -> None:
        """Log in and give it its options, in the order that its generation wants."""
        sync, ldap = sync or SYNC, ldap or LDAP
        urls = {"base": "https://vault.example.com", "api": None, "identity": None, "webVault": None}
        if self.version == G1:
            self.write({"global": {"stateVersion": 3, "environmentUrls": urls}})
            assert self.login()["success"]
            document = self.read()
            account = document[self.organization_id]
            account["directoryConfigurations"]["ldap"] = dict(ldap)
            about = {"organizationId": self.organization_id, "directoryType": 0, "sync": dict(sync)}
            account["directorySettings"] |= about
            self.write(document)
        else:
            about = {"directoryType": 0, "directoryLdap": dict(ldap), "sync": dict(sync)}
            self.write({"stateVersion": 6 if self.version == G2 else 8, "environmentUrls": urls, **about})
            assert self.login()["success"]


@pytest.fixture
def setup(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Setup:
    """A release of the version that the test asks for, G2 if it does not."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    version = parameters.get("version", G2)
    world = Bwdc(tmp_path / "world", lab.proxy_url)
    with zipfile.ZipFile(world.archive(version).path) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "bwdc").chmod(0o755)
    users = [{"dn": ALICE, "email": "Alice@example.test "}, {"dn": BOB, "email": "bob@example.test"}]
    world.populate(users, [{"dn": f"cn=devs,ou=Groups,{SUFFIX}", "name": "devs", "members": [ALICE, BOB]}])
    return Setup(lab, world, tmp_path, version)


# --- the command line ---


def test_command_line_errors(setup: Setup) -> None:
    for argv, text in (
        (["status"], "Invalid command: status\nSee --help for a list of available commands."),
        (["--response", "status"], "Invalid command: status"),
        (["--x"], "error: unknown option '--x'"),
        (["sync", "extra"], "error: too many arguments for 'sync'. Expected 0 arguments but got 1: extra."),
        (["last-sync"], "error: missing required argument 'object'"),
        ([], "Usage: bwdc"),
    ):
        done = setup.run(*argv)
        assert (done.returncode, done.stdout) == (1, "")
        assert text in done.stderr
    assert not setup.data.exists()


@ALL
def test_version_and_data_file(setup: Setup, version: str) -> None:
    assert setup.run("-v").stdout == f"{version}\n"
    assert setup.run("data-file").stdout == str(setup.data)
    assert setup.answer("data-file") == {"success": True, "data": {"object": "string", "data": str(setup.data)}}
    assert setup.data.parent.stat().st_mode & 0o777 == 0o700


@ALL
def test_what_needs_a_login_says_so(setup: Setup, version: str) -> None:
    for command in ("logout", "test", "sync"):
        done = setup.run(command)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "You are not logged in.\n")
        assert setup.answer(command) == {"success": False, "message": "You are not logged in."}
    assert setup.run("sync", "--cleanexit").returncode == 0
    assert setup.run("sync", BW_CLEANEXIT="0").returncode == 0
    assert setup.run("sync", "--quiet").stderr == ""


@ALL
def test_login_and_logout(setup: Setup, version: str) -> None:
    setup.configure()
    again = f"You are already logged in as organization.{setup.organization_id}."
    assert setup.login() == {"success": False, "message": again}
    data = {"noColor": False, "object": "message", "title": "You have logged out.", "message": None}
    assert setup.answer("logout") == {"success": True, "data": data}
    assert setup.answer("sync")["message"] == "You are not logged in."
    assert setup.answer("login")["message"] == "Client ID is required."
    assert setup.answer("login", "organization.x")["message"] == "Client Secret is required."
    wrong = setup.answer("login", BW_CLIENTID=f"organization.{setup.organization_id}", BW_CLIENTSECRET="wrong")
    assert json.loads(wrong["message"]) == {"response": {"error": "invalid_client"}, "captchaRequired": False, "statusCode": 400}


def test_a_server_that_is_not_trusted(setup: Setup) -> None:
    setup.configure()
    setup.answer("logout")
    found = setup.answer("login", BW_CLIENTID="organization.x", BW_CLIENTSECRET="x", NODE_EXTRA_CA_CERTS="")
    assert found["message"] == "fetch failed"


@ALL
def test_a_keyring_needs_a_session_bus(setup: Setup, version: str) -> None:
    assert "Cannot autolaunch D-Bus" in setup.answer("login", **KEYRING)["message"]


# --- test and sync ---


@ALL
def test_what_test_prints(setup: Setup, version: str) -> None:
    setup.configure()
    setup.lab.clear_requests()
    assert json.loads(setup.run("test").stdout) == {
        "groups": [{"externalId": f"cn=devs,ou=Groups,{SUFFIX}", "displayName": "devs", "userIds": [ALICE, BOB]}],
        "enabledUsers": [
            {"externalId": ALICE, "displayName": "alice@example.test"},
            {"externalId": BOB, "displayName": "bob@example.test"},
        ],
        "disabledUsers": [],
        "deletedUsers": [],
        "object": "test",
    }
    assert setup.lab.requests("client") == []


@ALL
def test_sync_posts_once_and_remembers_the_hash(setup: Setup, version: str) -> None:
    setup.configure({**SYNC, **({"inviteUsersAfterProvisioning": True} if version == G3 else {})})
    message = "Synced 1 group(s) and 2 user(s)."
    data = {"noColor": False, "object": "message", "title": "Syncing complete.", "message": message}
    assert setup.answer("sync") == {"success": True, "data": data}
    assert {row["email"] for row in setup.lab.rows("selfhost", "member") if row.get("externalId")} == {
        "alice@example.test",
        "bob@example.test",
    }
    request = {
        "groups": [{"name": "devs", "externalId": f"cn=devs,ou=Groups,{SUFFIX}", "memberExternalIds": [ALICE, BOB]}],
        "members": [
            {"email": "alice@example.test", "externalId": ALICE, "deleted": False},
            {"email": "bob@example.test", "externalId": BOB, "deleted": False},
        ],
        "overwriteExisting": False,
        "largeImport": False,
        **({"inviteUsersAfterProvisioning": True} if version == G3 else {}),
    }
    text = "https://vault.example.com/api" + setup.organization_id + json.dumps(request, separators=(",", ":"))
    found = setup.read()
    settings = found[setup.organization_id]["directorySettings"] if version == G1 else found
    assert settings["lastSyncHash"] == base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert settings["lastUserSync"]
    setup.lab.clear_requests()
    assert setup.answer("sync")["data"]["message"] == "Synced 0 group(s) and 0 user(s)."
    assert setup.lab.writes() == []
    setup.answer("clear-cache")
    assert setup.answer("sync")["data"]["message"] == message


@ALL
def test_a_refused_session_is_lost_with_a_stack_trace(setup: Setup, version: str) -> None:
    setup.configure()
    for status, name in ((401, "directorySettings" if version == G1 else "message"), (403, "message")):
        setup.login()
        setup.lab.fault(f"status:{status}", path="/public/organization/import")
        done = setup.run("--response", "sync", "--cleanexit")
        assert (done.returncode, done.stdout) == (1, "")
        assert f"TypeError: Cannot read properties of null (reading '{name}')\n    at " in done.stderr
        assert setup.answer("sync")["message"] == "You are not logged in."


def test_refusals_of_the_server(setup: Setup) -> None:
    setup.configure()
    setup.lab.set_organization("selfhost", setup.organization_id, useDirectory=False)
    assert setup.answer("sync")["message"] == "Organization cannot use directory syncing."
    assert setup.read().get("lastSyncHash") is None
    setup.lab.set_organization("selfhost", setup.organization_id, useDirectory=True)
    setup.configure({name: value for name, value in SYNC.items() if name != "overwriteExisting"})
    assert setup.answer("sync")["message"] == "The request's model state is invalid."


def test_an_empty_directory_with_overwrite_removes_everybody(setup: Setup) -> None:
    setup.configure()
    setup.world.populate([{"dn": f"uid={name},{SUFFIX}", "email": f"{name}@example.com"} for name in ("ann", "bob")])
    setup.answer("sync")
    assert len([row for row in setup.lab.rows("selfhost", "member") if row.get("externalId")]) == 2
    setup.configure({**SYNC, "overwriteExisting": True, "userFilter": "(typo)", "groupFilter": "(typo)"})
    assert setup.answer("sync")["data"]["message"] == "Synced 0 group(s) and 0 user(s)."
    assert not [row for row in setup.lab.rows("selfhost", "member") if row.get("externalId")]


def test_a_plain_sync_never_removes_who_disappeared(setup: Setup) -> None:
    setup.configure()
    setup.answer("sync")
    setup.world.populate([{"dn": BOB, "email": "bob@example.test"}])
    assert setup.answer("sync")["success"]
    assert len([row for row in setup.lab.rows("selfhost", "member") if row.get("externalId")]) == 2


def test_deleted_and_disabled_users(setup: Setup) -> None:
    setup.configure({**SYNC, "removeDisabled": True}, {**LDAP, "ad": True})
    gone = {"dn": "CN=Gone,CN=Deleted Objects", "email": "gone@example.test", "deleted": True}
    setup.world.populate(
        [{"dn": ALICE, "email": "alice@example.test"}, {"dn": BOB, "email": "bob@example.test", "disabled": True}, gone]
    )
    found = setup.answer("test")["data"]
    assert [[user["displayName"] for user in found[name]] for name in ("enabledUsers", "disabledUsers", "deletedUsers")] == [
        ["alice@example.test"],
        ["bob@example.test"],
        ["gone@example.test"],
    ]
    assert setup.answer("sync")["data"]["message"] == "Synced 1 group(s) and 2 user(s)."


def test_a_delta_reading_only_finds_what_has_changed(setup: Setup) -> None:
    setup.configure({**SYNC, "revisionDateAttribute": "modifyTimestamp"})
    setup.answer("sync")
    assert [len(setup.answer("test", "--last")["data"][name]) for name in ("enabledUsers", "groups")] == [0, 0]
    assert len(setup.answer("test")["data"]["enabledUsers"]) == 2


def test_nested_groups_and_circles(setup: Setup) -> None:
    setup.configure()
    first, second = f"cn=a,ou=Groups,{SUFFIX}", f"cn=b,ou=Groups,{SUFFIX}"
    users = [{"dn": ALICE, "email": "alice@example.test"}, {"dn": BOB, "email": "bob@example.test"}]
    groups = [{"dn": first, "name": "a", "members": [ALICE, second]}, {"dn": second, "name": "b", "members": [BOB, first]}]
    setup.world.populate(users, groups)
    assert [set(group["userIds"]) for group in setup.answer("test")["data"]["groups"]] == [{ALICE, BOB}, {ALICE, BOB}]


def test_large_imports(setup: Setup) -> None:
    setup.configure()
    setup.lab.set_organization("selfhost", setup.organization_id, seats=5000)
    setup.world.populate(people(2100))
    setup.configure({**SYNC, "largeImport": True, "overwriteExisting": True})
    assert "with large imports." in setup.answer("sync")["message"]
    setup.configure({**SYNC, "largeImport": True})
    setup.lab.clear_requests()
    assert setup.answer("sync")["data"]["message"] == "Synced 1 group(s) and 2100 user(s)."
    assert len(setup.lab.writes()) == 3


@pytest.mark.parametrize(
    ("ldap", "server", "text"),
    [
        ({"password": "wrong"}, {}, " Code: 0x31"),
        ({"username": None}, {}, "Username/password are not configured."),
        ({"rootPath": None}, {}, "Cannot read properties of null (reading 'toLowerCase')"),
        ({"rootPath": "dc=other"}, {}, " Code: 0x20"),
        ({"hostname": None}, {}, "Directory configuration incomplete."),
        ({"port": 389}, {}, "connect ECONNREFUSED ldap.example.com:389"),
        ({}, {"down": True}, "connect ECONNREFUSED ldap.example.com:636"),
        ({}, {"size_limit": 1}, " Code: 0x4"),
        ({}, {"ca": __file__}, "self-signed certificate"),
    ],
)
def test_directory_errors(setup: Setup, ldap: dict[str, t.Any], server: dict[str, t.Any], text: str) -> None:
    setup.configure(ldap={**LDAP, **ldap})
    setup.world.server(**server)
    assert setup.answer("test")["message"].endswith(text)


def test_duplicate_addresses(setup: Setup) -> None:
    setup.configure()
    twice = [{"dn": f"uid={n},{SUFFIX}", "email": f"x{n // 2}@example.test"} for n in range(10)]
    setup.world.populate(twice)
    first, *others = setup.answer("test")["message"].split("\n")
    assert first == "Emails must be unique. Multiple entries pulled with the following emails:"
    assert others == ["x0@example.test", "x1@example.test", "x2@example.test", "and 2 more..."]


@FLAT
def test_last_sync(setup: Setup, version: str) -> None:
    setup.configure()
    assert setup.run("last-sync", "users").stdout == ""
    assert setup.answer("last-sync", "users") == {"success": True, "data": {"object": "string", "data": None}}
    setup.answer("sync")
    assert setup.run("last-sync", "users").stdout == setup.read()["lastUserSync"]
    assert setup.answer("last-sync", "x")["message"] == "Unknown object."


# --- the data file ---


@ALL
def test_mode_of_the_data_file(setup: Setup, version: str) -> None:
    setup.configure()
    setup.data.chmod(0o600)
    old = os.umask(0o022)
    try:
        setup.answer("sync")
    finally:
        os.umask(old)
    assert setup.data.stat().st_mode & 0o777 == (0o600 if version == G1 else 0o644)


def test_a_malformed_file_is_silently_emptied(setup: Setup) -> None:
    setup.configure()
    setup.data.write_text("{")
    assert setup.answer("sync")["message"] == "You are not logged in."
    assert "directoryLdap" not in setup.data.read_text()
    assert setup.data.with_suffix(".json.bak").read_text() == "{}"


def test_a_program_keeps_what_it_does_not_know(setup: Setup) -> None:
    setup.configure()
    setup.write({**setup.read(), "window": {"x": 1}, "future": [1]})
    setup.answer("sync")
    assert (setup.read()["window"], setup.read()["future"]) == ({"x": 1}, [1])


def test_lock_of_the_program(setup: Setup) -> None:
    setup.configure()
    lock = setup.data.with_name("data.json.lock")
    lock.mkdir()
    done = setup.run("--response", "test")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: Lock file is already being held" in done.stderr
    os.utime(lock, (time.time() - 20,) * 2)
    assert setup.answer("test")["success"]
    assert not lock.exists()


@FLAT
def test_a_nested_file_is_migrated(setup: Setup, version: str) -> None:
    settings = {"organizationId": "o", "directoryType": 0, "sync": SYNC, "lastSyncHash": "h", "userDelta": "d"}
    account = {"tokens": {"accessToken": "a.b.c"}, "directoryConfigurations": {"ldap": LDAP}, "directorySettings": settings}
    urls = {"base": "https://vault.example.com"}
    setup.write({"global": {"stateVersion": 3, "environmentUrls": urls}, "activeUserId": "o", "o": account})
    setup.answer("data-file")
    found = setup.read()
    assert found["stateVersion"] == (6 if version == G2 else 8)
    assert (found["accessToken"], found["directoryLdap"], found["environmentUrls"]) == ("a.b.c", LDAP, urls)
    assert (found["lastSyncHash"], found["userDeltaToken"]) == ("h", "d")
    assert found["o"]["tokens"]
    assert found["sync"].get("inviteUsersAfterProvisioning") is (None if version == G2 else True)


@FLAT
def test_too_old_a_file_stops_every_command(setup: Setup, version: str) -> None:
    setup.write({"global": {"stateVersion": 2}})
    done = setup.run("data-file")
    assert done.returncode == 1
    assert "too old to migrate (state version 2)" in done.stderr


# --- config ---


@FLAT
def test_config_of_a_secret(setup: Setup, version: str) -> None:
    assert setup.run("config", "LDAP.Password", "pw").stdout == "Saved setting `ldap.password`.\n"
    assert setup.read()["directoryLdap"]["password"] == "pw"
    assert setup.run("config", "ldap.password", "--secretenv", "NOT_SET").returncode == 0
    assert setup.read()["directoryLdap"]["password"] is None
    missing = setup.run("config", "ldap.password", "--secretfile", "/none")
    assert (missing.returncode, "ENOENT" in missing.stderr) == (1, True)


def test_config_of_the_first_generation_stores_no_secret(lab: Lab, tmp_path: Path) -> None:
    world = Bwdc(tmp_path / "world", lab.proxy_url)
    with zipfile.ZipFile(world.archive(G1).path) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "bwdc").chmod(0o755)
    setup = Setup(lab, world, tmp_path, G1)
    assert setup.answer("config", "directory", "0")["message"] == "Cannot read properties of null (reading 'directorySettings')"
    assert setup.answer("clear-cache")["message"] == "Cannot read properties of null (reading 'directorySettings')"
    setup.configure(ldap={})
    assert setup.answer("config", "ldap.password", "pw")["success"]
    assert "pw" not in setup.data.read_text()


def test_first_generation_needs_the_organization_by_hand(lab: Lab, tmp_path: Path) -> None:
    world = Bwdc(tmp_path / "world", lab.proxy_url)
    with zipfile.ZipFile(world.archive(G1).path) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "bwdc").chmod(0o755)
    setup = Setup(lab, world, tmp_path, G1)
    setup.configure()
    document = setup.read()
    document[setup.organization_id]["directorySettings"]["organizationId"] = None
    setup.write(document)
    assert setup.answer("sync")["message"] == "Organization not set."


def test_config_of_the_rest(setup: Setup) -> None:
    for value, stored in (
        ("https://vault.example.com/", "https://vault.example.com"),
        ("vault.example.com", "https://vault.example.com"),
        ("bitwarden.com", None),
    ):
        setup.answer("config", "server", value)
        assert setup.read()["environmentUrls"] == {"base": stored, "api": None, "identity": None, "webVault": None}
    assert setup.answer("config", "directory", "9")["message"] == "Invalid directory type value."
    assert setup.answer("config", "directory", "x")["success"]
    assert setup.read()["directoryType"] is None
    assert setup.answer("config", "nothing", "x")["message"] == "Unknown setting."
    assert setup.answer("config", "sync.inviteUsersAfterProvisioning", "true")["message"] == "Unknown setting."


def test_config_forces_the_attributes_of_an_active_directory(setup: Setup) -> None:
    setup.configure({**SYNC, "userObjectClass": "user", "interval": 2}, {**LDAP, "ad": True})
    setup.answer("config", "okta.token", "x")
    found = setup.read()["sync"]
    assert (found["userObjectClass"], found["userPath"], found["interval"]) == ("person", "CN=Users", 5)
    assert setup.read()["directoryEntra"] == {}
