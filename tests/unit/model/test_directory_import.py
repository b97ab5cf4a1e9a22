"""Bodies of imports and their hash: what the official connector was seen to send, octet by octet."""

from __future__ import annotations

import base64
import hashlib
import json

from ansible_collections.bw.selfhost.plugins.module_utils._model import directory_import as wire
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import map_entries

from tests.unit.model.directory_states import entry, options, person, team

API, ORGANIZATION = "https://bw.example.com/api", "11111111-2222-3333-4444-555555555555"
ROOT = "dc=example,dc=test"
ALICE, BOB = f"uid=alice,ou=People,{ROOT}", f"uid=bob,ou=Eng,ou=People,{ROOT}"
# The official connector's request for Alice, and Bob without an address, in the group devs.
TRANSCRIPT = (
    '{"groups":[{"name":"devs","externalId":"cn=devs,ou=Groups,dc=example,dc=test","memberExternalIds":'
    '["uid=alice,ou=People,dc=example,dc=test","uid=bob,ou=Eng,ou=People,dc=example,dc=test"]}],'
    '"members":[{"email":"alice@example.test","externalId":"uid=alice,ou=People,dc=example,dc=test","deleted":false}],'
    '"overwriteExisting":false,"largeImport":false,"inviteUsersAfterProvisioning":true}'
)


def compact(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def hash_of(text: str) -> str:
    return base64.b64encode(hashlib.sha256(f"{API}{ORGANIZATION}{text}".encode()).digest()).decode()


def test_transcript() -> None:
    wanted = options()
    people = [entry(ALICE, uid="alice", mail="Alice@example.test"), entry(BOB, uid="bob")]
    groups = [entry(f"cn=devs,ou=Groups,{ROOT}", cn="devs", member=[ALICE, BOB])]
    bodies = wire.import_requests(map_entries(people, groups, wanted.users, wanted.groups), remove_disabled=False)
    assert [compact(body) for body in bodies] == [TRANSCRIPT]
    assert wire.sync_hash(API, ORGANIZATION, bodies) == hash_of(TRANSCRIPT)
    # Computed with openssl from the same text.
    assert hash_of(TRANSCRIPT) == "jZvFkjbZvFZhGBzpWMe8MtlSK4+ilJAdOalbV/sdmrQ="


def test_disabled_people_are_sent_as_deleted() -> None:
    wanted = options()
    found = map_entries([person("ann", userAccountControl="514"), person("bob")], [], wanted.users, wanted.groups)
    sent = {
        removed: [one["deleted"] for one in wire.import_requests(found, remove_disabled=removed)[0]["members"]]
        for removed in (True, False)
    }
    assert sent == {True: [True, False], False: [False, False]}


def test_many_entries_are_sent_in_slices_people_first() -> None:
    wanted = options()
    people, teams = [person(f"u{number}") for number in range(2100)], [team("a"), team("b")]
    bodies = wire.import_requests(map_entries(people, teams, wanted.users, wanted.groups), remove_disabled=False, invite=False)
    assert [(len(body["members"]), len(body["groups"])) for body in bodies] == [(2000, 0), (100, 0), (0, 2)]
    assert {(body["largeImport"], body["overwriteExisting"], body["inviteUsersAfterProvisioning"]) for body in bodies} == {
        (True, False, False)
    }
    assert wire.sync_hash(API, ORGANIZATION, bodies) == hash_of(compact(bodies))


def test_letters_of_all_kinds() -> None:
    """As JSON.stringify writes them: nothing but quotes, backslashes and control characters is escaped."""
    body = wire.requests([], [wire.group('Büro "Süd" \\ ☃ \u2028 \x1f', "cn=x", [])])
    expected = (
        '{"groups":[{"name":"Büro \\"Süd\\" \\\\ ☃ \u2028 \\u001f","externalId":"cn=x","memberExternalIds":[]}],"members":[],'
    )
    assert compact(body[0]).startswith(expected)
    assert wire.sync_hash(API, ORGANIZATION, body) == hash_of(compact(body[0]))
