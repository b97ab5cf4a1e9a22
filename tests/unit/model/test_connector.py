# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Directory Connector's data file, answers and guards, without a program."""

from __future__ import annotations

import contextlib
import copy
import json
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_answer import Answer, answer_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_directories import KINDS
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_document import (
    check_owner,
    differences,
    merged,
    new,
    notes,
    outdated_cache,
    parse,
    render,
    rules_of,
    secrets,
    value_at,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_failures import explain
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_generations import (
    G1,
    G2,
    G3,
    Generation,
    check_layout,
    generation_of,
    layout_of,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_guard import (
    Limits,
    Listing,
    Memory,
    Rules,
    listing_of,
    refusals,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_options import Wish, base_url
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from hypothesis import given, strategies

ORGANIZATION = "11111111-2222-4333-8444-555555555555"
EVERY = pytest.mark.parametrize("generation", [G1, G2, G3])
SYNC = {"users": True, "groups": False, "userFilter": None, "inviteUsersAfterProvisioning": True}
JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(), inner, max_size=3),
    max_leaves=10,
)


def wish(**changes: t.Any) -> Wish:
    ldap = {"hostname": "ldap.example.com", "password": "secret-1", "ad": False}
    return Wish(
        **{"organization_id": ORGANIZATION, "base_url": None, "kind": KINDS["ldap"], "directory": ldap, "sync": SYNC, **changes}
    )


# --- generations ---


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        ("2023.10.0", G1),
        ("2026.4.0", G1),
        ("2026.5.0", G1),
        ("2026.6.0", G2),
        ("v2026.6.1", G2),
        ("2026.6.2", G3),
        ("2026.7.0", G3),
        ("2027.1.10", G3),
    ],
)
def test_generation_by_version(version: str, generation: Generation) -> None:
    assert generation_of(version) is generation


@pytest.mark.parametrize("version", ["", "latest", "2026.6", "2026.6.1-beta", "26.6.1", "٢٠٢٦.6.1\n"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(SelfhostError, match="not a version"):
        generation_of(version)


@pytest.mark.parametrize(
    ("document", "generation"),
    [
        ({}, None),
        ({"appId": "x"}, None),
        ({"global": {"stateVersion": 3}}, G1),
        ({"global": {"stateVersion": 4}}, G1),
        ({"stateVersion": 5, "global": {"stateVersion": 3}}, G2),
        ({"stateVersion": 6}, G2),
        ({"stateVersion": 7}, G2),
        ({"stateVersion": 8}, G3),
    ],
)
def test_generation_by_layout(document: dict[str, t.Any], generation: Generation | None) -> None:
    assert layout_of(document) is generation


@pytest.mark.parametrize(
    "document", [{"stateVersion": 9}, {"stateVersion": "8"}, {"global": {"stateVersion": 2}}, {"global": None}]
)
def test_an_unknown_layout_is_named(document: dict[str, t.Any]) -> None:
    with pytest.raises(SelfhostError, match=r"state version .* 3 to 8 are understood"):
        layout_of(document)


def test_a_newer_layout_is_refused() -> None:
    for layout, generation in ((None, G1), (G1, G1), (G1, G3), (G2, G3)):
        check_layout(layout, generation)
    for layout, generation in ((G2, G1), (G3, G2)):
        with pytest.raises(SelfhostError, match="newer"):
            check_layout(layout, generation)


# --- the document ---


@EVERY
@given(rest=strategies.dictionaries(strategies.text(), JSON, max_size=5))
def test_everything_that_is_not_ours_is_kept(generation: Generation, rest: dict[str, t.Any]) -> None:
    sections = wish().sections(generation)
    document = {**rest, **new(generation)}
    before = copy.deepcopy(document)
    result = merged(document, sections)
    assert document == before
    ours = {section.path[0] for section in sections if section.path} | {
        name for section in sections if not section.path for name in section.fields
    }
    assert {name: value for name, value in result.items() if name not in ours} == {
        name: value for name, value in document.items() if name not in ours
    }
    assert not differences(result, sections).changed
    assert parse(render(result)) == result


@EVERY
def test_only_named_properties_of_an_object_are_set(generation: Generation) -> None:
    sections = wish().sections(generation)
    path = sections[3].path
    document = merged(new(generation), sections)
    value_at(document, path)["id"] = "kept"
    value_at(document, path)["hostname"] = "other"
    found = differences(document, sections)
    assert [(change.name, change.before, change.after) for change in found.changes] == [
        ("LDAP", {"hostname": "other"}, {"hostname": "ldap.example.com"})
    ]
    assert value_at(merged(document, sections), path)["id"] == "kept"


def test_a_switch_that_is_missing_is_a_difference_and_a_missing_text_is_none() -> None:
    sections = wish().sections(G3)
    document = merged(new(G3), sections)
    del document["sync"]["groups"]
    del document["sync"]["userFilter"]
    assert [change.after for change in differences(document, sections).changes] == [{"groups": False}]


def test_secrets_are_masked_in_plan_and_diff() -> None:
    document = merged(new(G3), wish().sections(G3))
    plan = differences(document, wish(directory={"password": "secret-2"}).sections(G3))
    assert "secret-" not in json.dumps([plan.as_list(), plan.diff()])
    assert plan.as_list()[0]["after"] == {"password": "******** (new)"}
    assert "secret-" not in json.dumps(differences({}, wish().sections(G3)).as_list())


def test_only_the_third_generation_knows_about_invitations() -> None:
    names = {generation.number: wish().sections(generation)[-1].fields for generation in (G1, G2, G3)}
    assert ["inviteUsersAfterProvisioning" in names[number] for number in (1, 2, 3)] == [False, False, True]


@EVERY
def test_the_cache_is_outdated_by_directory_and_sync_only(generation: Generation) -> None:
    sections = wish().sections(generation)
    document = merged({**new(generation), "activeUserId": ORGANIZATION}, sections)
    other = wish(sync={**SYNC, "users": False}).sections(generation)
    assert not outdated_cache(document, other), "there is none"
    settings = document[ORGANIZATION]["directorySettings"] if generation.nested else document
    settings["lastSyncHash"] = "hash"
    assert outdated_cache(document, other)
    assert not outdated_cache(document, sections)
    assert not outdated_cache(document, wish(base_url="https://other.example.com").sections(generation))
    assert notes(document).hash == "hash"


def test_notes_of_both_layouts() -> None:
    flat = {"stateVersion": 8, "organizationId": "o", "accessToken": "t", "apiKeyClientId": "c", "apiKeyClientSecret": "s"}
    account = {"tokens": {"accessToken": "t"}, "profile": {"apiKeyClientId": "c"}, "keys": {"apiKeyClientSecret": "s"}}
    nested = {"global": {"stateVersion": 3}, "activeUserId": "o", "o": account}
    assert notes(flat) == notes(nested)
    assert notes({}).organization_id is None
    assert secrets(flat) == secrets(nested) == {"t", "s"}


def test_a_file_belongs_to_one_organization() -> None:
    check_owner({}, ORGANIZATION)
    check_owner({"stateVersion": 8, "organizationId": ORGANIZATION.upper()}, ORGANIZATION)
    with pytest.raises(SelfhostError, match="belongs to the organization o,"):
        check_owner({"global": {"stateVersion": 3}, "activeUserId": "o"}, ORGANIZATION)


@given(strategies.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_parsing_gives_an_object_or_says_why_not(data: bytes) -> None:
    with contextlib.suppress(SelfhostError):
        assert isinstance(parse(data), dict)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"a": NaN}', b"\xff", b"\xef\xbb\xbf{}", b"[" * 100000])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(SelfhostError, match="not a JSON object"):
        parse(data)


@given(JSON)
def test_looking_never_breaks(value: t.Any) -> None:
    document = {"sync": value, "global": value, "activeUserId": "o", "o": value, "directoryLdap": value}
    secrets(document)
    sections = wish().sections(G3)
    assert not differences(merged(document, sections), sections).changed


@pytest.mark.parametrize(
    ("options", "base"),
    [
        ({"region": "us"}, None),
        ({"region": "eu"}, "https://vault.bitwarden.eu"),
        ({"server_url": "https://vault.bitwarden.com/"}, None),
        ({"server_url": "https://vault.bitwarden.eu"}, "https://vault.bitwarden.eu"),
        ({"server_url": "https://vault.example.com/"}, "https://vault.example.com"),
        ({"server_url": "https://example.com/bitwarden"}, "https://example.com/bitwarden"),
    ],
)
def test_base_url(options: dict[str, str], base: str | None) -> None:
    assert base_url(options) == base


# --- answers ---


def test_answers() -> None:
    synced = '{"success":true,"data":{"object":"message","title":"x","message":"Synced 2 group(s) and 3 user(s)."}}'
    assert answer_of(0, f"debug\n{synced}\n", "").synced == {"groups": 2, "users": 3}
    assert not answer_of(1, synced, "").success
    assert answer_of(1, '{"success":false,"message":"No."}', "").text == "No."
    assert answer_of(None, "", "").text == "timeout"
    thrown = "TypeError: Cannot read properties of null (reading 'message')"
    trace = f"/snapshot/bwdc.js:2\n  throw e;\n  ^\n\n{thrown}\n    at x\n\nNode.js v20"
    assert answer_of(1, "", trace).text == thrown
    assert answer_of(1, "", "error: unknown option").text == "error: unknown option"
    assert answer_of(1, "3\n[]\nnull", "").text == "null"
    assert answer_of(3, "", "").text == "exit code 3"
    assert Answer(True, {"message": None}).synced == Answer(True).synced == {"groups": 0, "users": 0}


@pytest.mark.parametrize(
    ("text", "field", "cause"),
    [
        ('{"response":{"error":"invalid_client"},"captchaRequired":false,"statusCode":400}', "client_id", "API key"),
        ('{"response":{"error":"invalid_scope"},"statusCode":400}', "client_id", "limited"),
        ('{"response":null,"statusCode":502}', "server_url", "HTTP 502"),
        ('{"response":null,"statusCode":404}', "server_url", "no directory import"),
        ("Rate limit exceeded. Try again later.", "server_url", "left alone"),
        ("fetch failed", "server_url", "cannot be reached"),
        (
            "request to https://x/identity/connect/token failed, reason: self-signed certificate",
            "server_url",
            "cannot be reached",
        ),
        ("TypeError: Cannot read properties of null (reading 'message')", "client_id", "refused the session"),
        ("JWT must have 3 parts", "server_url", "not Bitwarden"),
        ("Organization not set.", "data.json", "which organization"),
        ("Organization cannot use directory syncing.", "client_id", "no directory sync"),
        ("Organization cannot use groups.", "sync.groups", "no groups"),
        ("Cannot autoscale on self-hosted instance.", "client_id", "than the license has seats"),
        (
            "Seat limit has been reached. Contact your provider to purchase additional seats.",
            "client_id",
            "than the plan has seats",
        ),
        ("Plan does not allow additional seats.", "client_id", "than the plan has seats"),
        ("You do not have an active subscription. Reinstate your subscription to make changes", "client_id", "not active"),
        ("Organization must have at least one confirmed owner.", "client_id", "no confirmed owner"),
        (
            "Sync failed. To proceed, disable the 'Remove and re-add users during next sync' setting and try again.",
            "sync.overwrite_existing",
            "no master password",
        ),
        ("You cannot import this much data at once.", "sync.large_import", "2000"),
        ("The request's model state is invalid.", "directory", "cannot take"),
        ("An unhandled server error has occurred.", "directory", "broke"),
        (
            "Emails must be unique. Multiple entries pulled with the following emails:\na@x.example\nb@x.example\nand 3 more...",
            "directory",
            "share an address: a@x.example, b@x.example, and 3 more....",
        ),
        (
            "You cannot use the 'Remove and re-add organization users during the next sync' option with large imports.",
            "sync.large_import",
            "not possible",
        ),
        ("No directory configured.", "directory", "no complete directory"),
        ("Directory configuration incomplete.", "directory", "no complete directory"),
        ("Username/password are not configured.", "directory.ldap.username", "without an account"),
        ("Cannot read properties of null (reading 'toLowerCase')", "directory.ldap.root_path", "root is missing"),
        ("connect ECONNREFUSED 10.0.0.1:636", "directory.ldap.hostname", "Nothing listens at 10.0.0.1:636"),
        ("getaddrinfo ENOTFOUND ldap", "directory.ldap.hostname", "name is unknown"),
        (
            "80090308: LdapErr: DSID-0C09: AcceptSecurityContext error, data 52e Code: 0x31",
            "directory.ldap.username",
            "name and password",
        ),
        ("No Such Object Code: 0x20", "directory.ldap.root_path", "no such base"),
        ("Size limit exceeded Code: 0x4", "directory.ldap.username", "size limit"),
        ("confidentiality required Code: 0xd", "directory.ldap.tls", "encrypted"),
        ("self-signed certificate", "directory.ldap.ca_path", "not trusted"),
        ("Error: Lock file is already being held", "data_dir", "Another connector"),
        ("Error: Your Directory Connector data is too old to migrate (state version 2).", "data.json", "too old"),
        ("libsecret-1.so.0: cannot open shared object file", "archive", "libsecret"),
        ("Cannot find module './dc_native.linux-x64-gnu.node'", "archive", "native part"),
        ("timeout", "timeout", "in time"),
        ("Something new.\nIndeed.", "bwdc sync", "bwdc sync failed: Something new. Indeed."),
    ],
)
def test_every_known_text_has_cause_option_and_remedy(text: str, field: str, cause: str) -> None:
    error = explain("sync", Answer(False, text=text))
    assert cause in error.cause
    assert field in str(error.field)
    assert error.remedy


# --- guards ---


def listing(*enabled: int, disabled: t.Iterable[int] = (), deleted: t.Iterable[int] = (), members: int = 0) -> Listing:
    found = {"enabledUsers": enabled, "disabledUsers": disabled, "deletedUsers": deleted}
    rows = {name: [{"externalId": str(n), "displayName": f"u{n}@x.example"} for n in numbers] for name, numbers in found.items()}
    return listing_of({**rows, "groups": [{"externalId": "g", "displayName": "g", "userIds": list(map(str, range(members)))}]})


def rules(**changes: bool) -> Rules:
    return Rules(**{"users": True, "groups": True, "disabled": False, "deleted": False, "overwrite": False, **changes})


def test_who_is_removed() -> None:
    known = listing(*range(10)).memory(rules(), Memory())
    now = listing(*range(6), disabled=[6], deleted=[7], members=2)
    for number, about in (
        (0, rules()),
        (1, rules(disabled=True)),
        (1, rules(deleted=True)),
        (2, rules(disabled=True, deleted=True)),
        (3, rules(overwrite=True)),
        (4, rules(overwrite=True, disabled=True)),
    ):
        assert len(now.removed(about, known)) == number
    assert now.counts == {"users": 6, "groups": 1, "disabled": 1, "deleted": 1}


def test_who_only_disappeared_is_remembered_until_he_is_removed() -> None:
    known = listing(1, 2, 3).memory(rules(), Memory())
    later = listing(1).memory(rules(), listing(1, 2).memory(rules(), known))
    assert len(later.left) == 2
    assert len(listing(1).removed(rules(overwrite=True), later)) == 2
    assert not listing(1).memory(rules(overwrite=True), later).left
    assert not listing(1, 2, 3).memory(rules(), later).left


@pytest.mark.parametrize(
    ("now", "about", "limits", "field"),
    [
        (listing(), rules(), Limits(), "min_directory_users"),
        (listing(*range(49)), rules(), Limits(minimum=50), "min_directory_users"),
        (listing(*range(49), members=10), rules(), Limits(), "max_removals_percent"),
        (listing(*range(100), members=4), rules(), Limits(), "max_removals_percent"),
        (listing(*range(94), members=10), rules(overwrite=True), Limits(), "max_removals"),
        (listing(*range(89), members=10), rules(overwrite=True), Limits(removals=50), "max_removals"),
        (listing(disabled=range(100), members=10), rules(disabled=True), Limits(), "min_directory_users"),
    ],
)
def test_what_is_refused(now: Listing, about: Rules, limits: Limits, field: str) -> None:
    known = listing(*range(100), members=10).memory(rules(), Memory())
    found = refusals(now, about, known, limits)
    assert field in [problem.field for problem in found]
    assert all(problem.remedy for problem in found)


def test_what_is_not_refused() -> None:
    known = listing(*range(100), members=10).memory(rules(), Memory())
    for now, about, limits in (
        (listing(*range(51), members=6), rules(), Limits()),
        (listing(*range(95), members=10), rules(overwrite=True), Limits()),
        (listing(members=10), rules(users=False), Limits()),
        (listing(*range(100)), rules(groups=False), Limits()),
        (listing(1), rules(overwrite=True), Limits(removals=99, percent=100)),
        (listing(), rules(overwrite=True), Limits(minimum=0, removals=100, percent=100)),
    ):
        assert refusals(now, about, known, limits) == []
    assert refusals(listing(1), rules(overwrite=True), Memory(), Limits()) == []


@pytest.mark.parametrize(
    "answer", [None, [], {"groups": []}, {"groups": {}, "enabledUsers": [], "disabledUsers": [], "deletedUsers": []}]
)
def test_another_form_of_listing_is_named(answer: t.Any) -> None:
    with pytest.raises(SelfhostError, match="unknown form"):
        listing_of(answer)


def test_rules_of_a_data_file() -> None:
    sync = {"users": True, "removeDisabled": True}
    assert rules_of({"stateVersion": 8, "directoryType": 0, "sync": sync}) == Rules(True, False, True, False, False)
    settings = {"directoryType": 1, "sync": {"groups": True, "overwriteExisting": True}}
    nested = {"global": {"stateVersion": 3}, "activeUserId": "o", "o": {"directorySettings": settings}}
    assert rules_of(nested) == Rules(False, True, False, True, True)
