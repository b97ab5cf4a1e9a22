# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module directory_connector on a stand-in of the program, a directory of people, and the lab."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest

from tests.bwdc import G1, G2, G3, Bwdc, people
from tests.bwdc.handle import SUFFIX
from tests.integration.connector_helpers import OVERWRITE, SYNC, Host, kinds, ldap
from tests.lab import Lab

ALL = pytest.mark.parametrize("version", [G1, G2, G3])
ANN_AND_BOB = [{"dn": f"uid={name},ou=people,{SUFFIX}", "email": f"{name}@example.com"} for name in ("ann", "bob")]


@pytest.fixture
def host(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Host:
    """A machine where nothing is installed yet; the test says which release."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return Host(lab, Bwdc(tmp_path / "world", lab.proxy_url), tmp_path, parameters.get("version", G2))


# --- the way it should be ---


@ALL
def test_installs_configures_and_syncs_and_the_second_run_changes_nothing(host: Host, version: str) -> None:
    done = host.succeed(run="sync")
    assert done["changed"]
    assert (done["version"], done["generation"]) == (version, {G1: 1, G2: 2, G3: 3}[version])
    assert done["directory"] == {"users": 3, "groups": 1, "disabled": 0, "deleted": 0}
    assert done["synced"] == {"users": 3, "groups": 1}
    assert done["last_sync"]["users"]
    assert host.members() == {"u1@example.com", "u2@example.com", "u3@example.com"}
    before = host.document()
    host.lab.clear_requests()
    again = host.succeed(run="sync")
    assert (again["changed"], again["changes"], again["synced"]) == (False, [], {"users": 0, "groups": 0})
    assert host.lab.writes() == []
    moving = {"lastUserSync", "lastGroupSync"}
    if version == G1:
        before, now = (found[host.organization_id]["directorySettings"] for found in (before, host.document()))
    else:
        now = host.document()
    assert {name: value for name, value in now.items() if name not in moving} == {
        name: value for name, value in before.items() if name not in moving
    }


@ALL
def test_check_mode_touches_nothing(host: Host, version: str) -> None:
    host.lab.forbid_writes(True)
    planned = host.succeed(check=True, run="sync")
    assert not [path for path in (host.data, host.program) if path.exists()]
    assert host.world.commands() == []
    host.lab.forbid_writes(False)
    done = host.succeed(run="sync")
    assert kinds(planned) == kinds(done)
    before = host.tree()
    host.lab.clear_requests()
    host.lab.forbid_writes(True)
    options = {"sync": {**SYNC, "remove_disabled": True}, "run": "sync"}
    planned = host.succeed(check=True, **options)
    assert host.tree() == before
    assert host.lab.writes() == []
    host.lab.forbid_writes(False)
    assert kinds(host.succeed(**options)) == kinds(planned)
    assert kinds(planned) == [("sync cache", "clear"), ("connector option", "sync"), ("sync", host.organization_id)]


def test_check_mode_knows_whether_a_sync_would_send_anything(host: Host) -> None:
    host.succeed(run="sync")
    assert not host.succeed(check=True, run="sync")["changed"]
    host.world.populate(people(4))
    assert kinds(host.succeed(check=True, run="sync")) == [("sync", host.organization_id)]
    assert kinds(host.succeed(run="sync")) == [("sync", host.organization_id)]


def test_run_test_shows_the_directory_and_writes_nothing_to_the_server(host: Host) -> None:
    host.lab.forbid_writes(True)
    done = host.succeed(run="test")
    assert [user["displayName"] for user in done["listing"]["enabledUsers"]] == [f"u{n}@example.com" for n in (1, 2, 3)]
    assert done["listing"]["groups"][0]["displayName"] == "staff"
    assert host.lab.writes() == []
    again = host.succeed(run="test")
    assert not again["changed"]
    host.world.populate([])
    host.world.server(bases=[f"ou=people,{SUFFIX}"])
    assert "1 is the least to be believed" in json.dumps(host.succeed(run="test")["warnings"])


@ALL
def test_a_change_of_options_clears_the_cache_once(host: Host, version: str) -> None:
    host.succeed(run="sync")
    host.world.clear_calls()
    options = {"sync": {**SYNC, "remove_disabled": True}}
    assert kinds(host.succeed(**options)) == [("sync cache", "clear"), ("connector option", "sync")]
    assert host.world.commands() == ["clear-cache"]
    assert not host.succeed(**options)["changed"]
    assert host.world.commands() == []
    assert host.succeed(**options, run="sync")["synced"] == {"users": 3, "groups": 1}
    host.world.clear_calls()
    assert kinds(host.succeed(**options, directory={"ldap": ldap(validate_certs=False)})) == [
        ("sync cache", "clear"),
        ("connector option", "LDAP"),
    ]


def test_what_is_not_managed_is_kept(host: Host) -> None:
    host.succeed(run="sync")
    document = {**host.document(), "window": {"x": 1}, "directoryOkta": {"id": "1"}, "userDeltaToken": "token"}
    document["sync"]["interval"] = 7
    host.file.write_text(json.dumps(document))
    assert not host.succeed()["changed"]
    assert host.document() == document
    host.succeed(sync={**SYNC, "user_filter": "(a=b)"})
    document["sync"]["userFilter"] = "(a=b)"
    forgotten = dict.fromkeys(("userDeltaToken", "groupDeltaToken", "lastUserSync", "lastGroupSync", "lastSyncHash"))
    assert host.document() == {**document, **forgotten}


def test_every_switch_is_written_out(host: Host) -> None:
    host.succeed()
    switches = {name for name, value in host.document()["sync"].items() if isinstance(value, bool)}
    assert switches == {"users", "groups", "removeDisabled", "overwriteExisting", "largeImport", "useEmailPrefixSuffix"}


@pytest.mark.parametrize(
    ("options", "key", "secret"),
    [
        (
            {"entra": {"tenant": "t.onmicrosoft.com", "application_id": "a", "key": "secret-1"}},
            "directoryEntra",
            ("key", "secret-1"),
        ),
        (
            {
                "google": {
                    "client_email": "s@x.example",
                    "private_key": "  BEGIN\\nEND",
                    "domain": "x.example",
                    "admin_user": "a@x.example",
                }
            },
            "directoryGsuite",
            ("privateKey", "BEGIN\nEND"),
        ),
        ({"okta": {"org_url": "https://x.okta.com", "token": "secret-1"}}, "directoryOkta", ("token", "secret-1")),
        ({"onelogin": {"client_id": "i", "client_secret": "secret-1"}}, "directoryOnelogin", ("clientSecret", "secret-1")),
    ],
)
def test_other_directories(host: Host, options: dict[str, t.Any], key: str, secret: tuple[str, str]) -> None:
    name, value = secret
    host.world.server(secrets={key: value})
    about = {"directory": options, "sync": {"user_filter": "include: u1@example.com, u2@example.com"}, "run": "sync"}
    done = host.succeed(**about)
    assert done["directory"]["users"] == 2
    assert host.document()[key][name] == value
    assert value not in json.dumps(done)
    assert not host.succeed(**about)["changed"]


def test_an_active_directory_has_its_own_attributes(host: Host) -> None:
    host.succeed(directory={"ldap": ldap(active_directory=True)}, sync={})
    found = host.document()["sync"]
    assert (found["userPath"], found["userObjectClass"], found["revisionDateAttribute"]) == ("CN=Users", "person", "whenChanged")


def test_starttls_needs_both_switches(host: Host) -> None:
    host.succeed(directory={"ldap": ldap(tls="starttls", ca_path=host.lab.ca_path)})
    found = host.document()["directoryLdap"]
    assert (found["ssl"], found["startTls"], found["tlsCaPath"], found["sslCaPath"], found["port"]) == (
        True,
        True,
        host.lab.ca_path,
        None,
        389,
    )


# --- traps of the program ---


@ALL
def test_only_the_owner_can_read_it_after_every_run(host: Host, version: str) -> None:
    old = os.umask(0o022)
    try:
        host.succeed(run="sync")
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (host.data, *host.data.iterdir())}
    assert modes.pop("bwdc") == 0o700
    assert set(modes.values()) == {0o600}
    assert {call.umask for call in host.world.calls()} == {0o077}


def test_a_file_that_others_can_read_is_a_change(host: Host) -> None:
    host.succeed()
    host.file.chmod(0o644)
    assert kinds(host.succeed(check=True)) == [("file", str(host.file))]
    assert kinds(host.succeed()) == [("file", str(host.file))]
    assert not host.succeed()["changed"]


@pytest.mark.parametrize("text", ["{", "[]", "", '{"a": NaN}', "\ufeff{}", '{"a": "\\ud800'])
def test_a_malformed_file_is_refused_before_the_program_empties_it(host: Host, text: str) -> None:
    host.succeed()
    host.file.write_text(text)
    host.world.clear_calls()
    host.refuse("data.json", "not a JSON object", run="sync")
    assert {tuple(call.argv) for call in host.world.calls()} <= {("--version",)}


@ALL
@pytest.mark.parametrize("status", [401, 403])
def test_a_session_that_is_refused_is_renewed_once(host: Host, version: str, status: int) -> None:
    host.succeed()
    host.lab.fault(f"status:{status}", path="/public/organization/import", times=1)
    assert host.succeed(run="sync")["synced"]["users"] == 3
    host.world.populate(people(4))
    host.lab.fault(f"status:{status}", path="/public/organization/import", times=2)
    host.world.clear_calls()
    host.fail("client_id", "refused the session", run="sync")
    assert host.world.commands() == ["login", "test", "sync", "login", "sync"]
    host.lab.clear_faults()
    assert host.succeed(run="sync")["synced"]["users"] == 4


@ALL
def test_a_new_secret_ends_the_old_session(host: Host, version: str) -> None:
    host.succeed(run="sync")
    row = host.lab.rows("selfhost", "organization_api_key", organizationId=host.organization_id)[0]
    host.fail("client_id", "does not accept the API key", run="test", client_secret="another-secret-1")
    assert row["apiKey"] not in host.file.read_text()
    assert not host.succeed(run="sync")["changed"]


def test_a_failed_import_is_repeated_by_the_next_run(host: Host) -> None:
    host.lab.set_organization("selfhost", host.organization_id, seats=3)
    host.fail("client_id", "seats", run="sync")
    assert host.members() == set()
    host.lab.set_organization("selfhost", host.organization_id, seats=10)
    assert host.succeed(run="sync")["synced"]["users"] == 3
    assert len(host.members()) == 3


def test_a_data_directory_belongs_to_one_organization(host: Host) -> None:
    host.succeed()
    host.refuse("data.json", "belongs to the organization", client_id="organization.11111111-2222-4333-8444-555555555555")


def test_an_upgrade_takes_everything_along_and_a_downgrade_is_refused(host: Host) -> None:
    host.version = G1
    host.succeed(run="sync")
    for version in (G2, G3):
        host.version = version
        planned = host.succeed(check=True, run="sync")
        host.lab.clear_requests()
        done = host.succeed(run="sync")
        assert ("program", str(host.program)) in kinds(done)
        assert ("file", "data.json") in kinds(done)
        assert {("program", str(host.program)), ("file", "data.json")} <= set(kinds(planned))
        assert not host.succeed(run="sync")["changed"]
    assert host.document()["stateVersion"] == 8
    host.version = G2
    host.refuse("data.json", "written by a newer Directory Connector")


# --- guards ---


def test_an_empty_directory_is_refused_with_the_numbers(host: Host) -> None:
    host.world.populate(ANN_AND_BOB, [])
    host.world.server(bases=[f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"])
    host.succeed(run="sync")
    host.world.populate([])
    host.refuse("min_directory_users", "The directory has 0 users, and 1 is the least", run="sync")
    host.succeed(**OVERWRITE)
    host.refuse("min_directory_users", "The directory has 0 users, and 1 is the least", run="sync", **OVERWRITE)
    assert host.members() == {"ann@example.com", "bob@example.com"}


def test_a_wiping_import_that_is_meant_counts_as_a_change(host: Host) -> None:
    host.world.populate(ANN_AND_BOB, [])
    host.world.server(bases=[f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"])
    meant = {**OVERWRITE, "min_directory_users": 0, "max_removals": 2, "max_removals_percent": 100}
    host.succeed(run="sync", **meant)
    host.world.populate([])
    done = host.succeed(run="sync", **meant)
    assert (done["synced"], done["changed"]) == ({"users": 0, "groups": 0}, True)
    assert host.members() == set()


def test_a_shrunken_directory_is_refused_even_where_nobody_would_be_removed(host: Host) -> None:
    host.world.populate(people(10))
    host.lab.set_organization("selfhost", host.organization_id, seats=50)
    host.succeed(run="sync")
    host.world.populate(people(4))
    host.refuse("max_removals_percent", "6 of 10 (60 %) people of the last sync are missing", run="sync")
    host.succeed(run="sync", max_removals_percent=60)
    assert not host.succeed(run="sync")["changed"]


def test_groups_that_have_lost_their_members_are_refused(host: Host) -> None:
    host.succeed(run="sync")
    host.world.populate(people(3), [{"dn": f"cn=staff,ou=groups,{SUFFIX}", "name": "staff", "members": []}])
    host.refuse("max_removals_percent", "1 of 1 (100 %) memberships in groups", run="sync")


def test_removals_are_counted_also_of_those_who_left_long_ago(host: Host) -> None:
    host.lab.set_organization("selfhost", host.organization_id, seats=100)
    host.world.populate(people(60))
    host.succeed(run="sync")
    host.world.populate(people(57))
    host.succeed(run="sync")
    host.world.populate(people(54))
    host.succeed(run="sync")
    host.succeed(**OVERWRITE)
    host.refuse(
        "max_removals", "6 of 60 (10 %) people would be removed, and at most 5, and 10 %, may be", run="sync", **OVERWRITE
    )


def test_disabled_people_are_removed_within_limits(host: Host) -> None:
    host.world.populate(people(20), [])
    host.world.server(bases=[f"ou=groups,{SUFFIX}"])
    host.lab.set_organization("selfhost", host.organization_id, seats=50)
    options = {"sync": {**SYNC, "remove_disabled": True}, "run": "sync"}
    host.succeed(**options)
    host.world.populate([*people(17), *[{**one, "disabled": True} for one in people(20)[17:]]])
    host.refuse("max_removals", "3 of 20 (15 %) people would be removed", **options)
    host.succeed(**options, max_removals_percent=15)
    assert len(host.members()) == 17
    assert not host.succeed(**options)["changed"]


# --- bad input ---


@pytest.mark.parametrize(
    ("options", "field", "cause"),
    [
        ({"client_id": "user.11111111-2222-4333-8444-555555555555"}, "client_id", "user's personal API key"),
        ({"client_id": "organization.1"}, "client_id", "not the client id of an organization"),
        ({"client_id": f"organization.{'1' * 8}-2222-4333-8444-{'5' * 12}.key"}, "client_id", "not the client id"),
        ({"server_url": "vault.example.com"}, "server_url", "is not the URL of a server"),
        ({"ca_path": "/none.pem"}, "ca_path", "There is no file"),
        ({"sha256": "x"}, "sha256", "not a sha256"),
        ({"sha256": "0" * 64}, "sha256", "not the one given"),
        ({"archive": "/none.zip"}, "archive", "cannot be read: No such file"),
        ({"version": "latest"}, "version", "not a version of the Directory Connector"),
        ({"archive": None, "sha256": None, "version": None}, "program", "There is no connector here"),
        ({"user": "nobody-at-all"}, "user", "There is no user"),
        ({"data_dir": "/none/bwdc"}, "data_dir", "does not exist"),
        ({"timeout": 0}, "timeout", "out of range"),
        ({"max_removals": -1}, "max_removals", "out of range"),
        ({"directory": {"ldap": ldap(port=0)}}, "directory.ldap.port", "out of range"),
        ({"directory": {"ldap": ldap(password="")}}, "directory.ldap.password", "is empty"),
        ({"directory": {"ldap": ldap(ca_path="/none.pem")}}, "directory.ldap.ca_path", "There is no file"),
        ({"directory": {"ldap": ldap(root_path=f"ou=corp,{SUFFIX}")}}, "directory.ldap.root_path", "ignores 'ou=corp,'"),
        ({"directory": {"ldap": ldap(root_path="o=corp")}, "sync": {}}, "directory.ldap.root_path", "there is none"),
        ({"sync": {**SYNC, "user_filter": "(&(a=b)"}}, "sync.user_filter", "is never closed"),
        ({"sync": {**SYNC, "user_filter": "a=b)"}}, "sync.user_filter", "outside of brackets"),
        ({"sync": {**SYNC, "group_filter": "(a=b))"}}, "sync.group_filter", "closes nothing"),
        ({"sync": {"users": False, "groups": False}}, "sync.users", "Neither users nor groups"),
        (
            {"sync": {**SYNC, "overwrite_existing": True}, "min_directory_users": 1},
            "sync.overwrite_existing",
            "removes every member",
        ),
        ({**OVERWRITE, "min_directory_users": None}, "min_directory_users", "must be said"),
        ({**OVERWRITE, "sync": {**OVERWRITE["sync"], "large_import": True}}, "sync.large_import", "exclude each other"),
        ({"sync": {**SYNC, "use_email_prefix_suffix": True, "email_suffix": "@x"}}, "sync.email_prefix_attribute", "no address"),
        ({"sync": {**SYNC, "invite_users_after_provisioning": False}}, "sync.invite_users_after_provisioning", "always lets"),
        (
            {"directory": {"ldap": ldap(active_directory=True)}, "sync": {"user_object_class": "user"}},
            "sync.user_object_class",
            "always sets person",
        ),
        (
            {"directory": {"okta": {"org_url": "https://x", "token": "tttt"}}, "sync": {"user_path": "ou=x"}},
            "sync.user_path",
            "means nothing with Okta",
        ),
        (
            {"directory": {"okta": {"org_url": "https://x", "token": "tttt"}}, "sync": {"user_filter": "includes:a@x"}},
            "sync.user_filter",
            "would read everybody",
        ),
    ],
)
def test_bad_options_are_refused_before_anything_is_touched(
    host: Host, options: dict[str, t.Any], field: str, cause: str
) -> None:
    host.refuse(field, cause, **options)
    assert not host.data.exists()


def test_all_problems_are_reported_at_once(host: Host) -> None:
    result = host.refuse("client_id", "3 problems", client_id="x", ca_path="/none", sync={**SYNC, "user_filter": "("})
    for name in ("client_id", "ca_path", "sync.user_filter"):
        assert name in result["msg"]


@pytest.mark.parametrize(
    ("options", "server", "field", "cause"),
    [
        (
            {"directory": {"ldap": ldap(password="wrong-password")}},
            {},
            "directory.ldap.username",
            "does not accept name and password",
        ),
        ({"directory": {"ldap": ldap(port=3269)}}, {}, "directory.ldap.hostname", "Nothing listens at ldap.example.com:3269"),
        ({}, {"down": True}, "directory.ldap.hostname", "Nothing listens"),
        ({}, {"size_limit": 1}, "directory.ldap.username", "size limit"),
        ({}, {"ca": __file__}, "directory.ldap.ca_path", "certificate is not trusted"),
        ({"sync": {**SYNC, "user_path": "ou=none"}}, {}, "directory.ldap.root_path", "no such base"),
        ({"client_secret": "wrong-secret"}, {}, "client_id", "does not accept the API key"),
        ({"ca_path": None}, {}, "server_url", "certificate is not trusted"),
    ],
)
def test_failures_name_cause_option_and_remedy(
    host: Host, options: dict[str, t.Any], server: dict[str, t.Any], field: str, cause: str
) -> None:
    host.world.server(**server)
    result = host.fail(field, cause, run="sync", **options)
    assert "password" not in result["msg"].replace("name and password", "").replace("its password", "")
    assert host.members() == set()


def test_two_people_with_one_address(host: Host) -> None:
    host.world.populate([{"dn": f"uid={n},ou=people,{SUFFIX}", "email": "same@example.com"} for n in range(3)])
    host.fail("directory", "share an address: same@example.com", run="sync")


@pytest.mark.parametrize(
    ("fault", "field", "cause"),
    [
        ("status:500", "bwdc sync", ""),
        ("page:413", "bwdc sync", "413"),
        ("page:502", "server_url", "not well"),
        ("reset_before", "server_url", "cannot be reached"),
    ],
)
def test_a_broken_server(host: Host, fault: str, field: str, cause: str) -> None:
    host.lab.fault(fault, path="/public/organization/import")
    result = host.run(run="sync")
    assert result["failed"]
    assert result["error"]["remedy"]
    host.lab.clear_faults()
    assert host.succeed(run="sync")["synced"]["users"] == 3


def test_an_organization_without_directory_sync(host: Host) -> None:
    host.lab.set_organization("selfhost", host.organization_id, useDirectory=False)
    host.fail("client_id", "plan has no directory sync", run="sync")
