"""Items: the official client's own vectors, every member of every type there and back, limits, and when two are the same."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import encrypt
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import longest_text, open_text, seal_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_item import (
    Recognition,
    differences,
    open_item,
    read_item,
    seal_item,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.vault_schema import DATE, SCHEMAS, TYPES
from hypothesis import given, settings, strategies as st

from tests.unit.crypto.vectors import FIXTURE

KEY = bytes.fromhex(FIXTURE["organization"]["org_key_hex"])
VECTOR = FIXTURE["cipher"]
Members = dict[str, t.Any]


def example(schema: t.Any, name: str = "") -> t.Any:
    """Something for every member that a schema has."""
    if isinstance(schema, dict):
        return {member: example(rule, member) for member, rule in schema.items()}
    if isinstance(schema, list):
        return [example(schema[0], name)] * 2
    if isinstance(schema, int):
        return f"{name} äöü ☃"
    return "2026-01-02T03:04:05Z" if schema == DATE else schema[-1]


def full(kind: int) -> Members:
    return {**example(SCHEMAS[kind]), "type": kind}


def leaves(value: t.Any) -> t.Iterator[t.Any]:
    """Every single value in something that JSON can say."""
    if isinstance(value, dict):
        yield from (leaf for member in value.values() for leaf in leaves(member))
    elif isinstance(value, list):
        yield from (leaf for element in value for leaf in leaves(element))
    else:
        yield value


# --- there and back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: TYPES[kind][0])
def test_every_member_survives(kind: int) -> None:
    item = read_item(full(kind))
    wire = json.loads(json.dumps(seal_item(item, KEY)))
    assert open_item(wire, KEY) == item
    assert item.content == {name: value for name, value in full(kind).items() if name != "type"}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: TYPES[kind][0])
def test_no_text_leaves_in_clear(kind: int) -> None:
    texts = {leaf for leaf in leaves(full(kind)) if isinstance(leaf, str) and not leaf.startswith("2026-")}
    sent = json.dumps(seal_item(read_item(full(kind)), KEY), ensure_ascii=False)
    assert len(texts) > 2
    assert not [text for text in texts if text in sent]


def test_vectors_of_the_official_client() -> None:
    wire = {
        "type": 1,
        "name": VECTOR["name_enc"],
        "login": {
            "username": VECTOR["username_enc"],
            "password": VECTOR["password_enc"],
            "uris": [{"uri": VECTOR["uri_enc"], "uriChecksum": VECTOR["uri_checksum_enc"], "match": None}],
        },
    }
    login = {name: VECTOR[name] for name in ("username", "password")} | {"uris": [{"uri": VECTOR["uri"]}]}
    assert open_item(wire, KEY).content == {"name": "db root", "reprompt": 0, "login": login}


def test_item_with_a_key_of_its_own() -> None:
    variant = VECTOR["cipher_key_variant"]
    own = bytes.fromhex(variant["cipher_key_hex"])
    wire = {"type": 2, "key": variant["key"], "name": variant["name_enc"], "notes": seal_text("note", own)}
    assert (open_item(wire, KEY).name, open_item(wire, KEY).content["notes"]) == ("db root", "note")


def test_checksum_of_a_uri() -> None:
    item = read_item({"type": 1, "name": "x", "login": {"uris": [{"uri": VECTOR["uri"]}, {"match": 1}]}})
    first, second = seal_item(item, KEY)["login"]["uris"]
    assert open_text(first["uriChecksum"], KEY) == VECTOR["uri_checksum_b64"]
    assert base64.b64decode(VECTOR["uri_checksum_b64"]) == hashlib.sha256(VECTOR["uri"].encode()).digest()
    assert second == {"match": 1}


@pytest.mark.parametrize("kind", TYPES)
def test_what_a_server_needs_is_there_even_for_an_empty_item(kind: int) -> None:
    wire = seal_item(read_item({"type": kind}), KEY)
    assert wire[TYPES[kind][0]] == ({"type": 0} if kind == 2 else {})
    assert (wire["type"], wire["key"], wire["favorite"], wire["reprompt"]) == (kind, None, False, 0)
    assert open_text(wire["name"], KEY) == "--"


def test_a_ciphertext_that_does_not_open_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import text

    monkeypatch.setattr(text, "encrypt", lambda plain, key: encrypt(plain + b"?", key))
    with pytest.raises(SelfhostError, match="nothing was sent"):
        seal_item(read_item({"type": 1, "name": "x"}), KEY)


# --- the official client's conversions -------------------------------------------------------------------------------


def test_conversions() -> None:
    history = [{"password": str(number), "lastUsedDate": "2026-01-02T03:04:05.1234567Z"} for number in range(7)]
    members = {
        "type": 2,
        "id": "11111111-1111-4111-8111-111111111111",
        "name": " ",
        "notes": "\n ",
        "key": "raw key",
        "favorite": True,
        "login": {"username": "dropped"},
        "secureNote": None,
        "fields": [{"name": "", "value": None}, {"name": "n", "value": "v"}],
        "passwordHistory": history,
    }
    kept = [{"password": str(number), "lastUsedDate": "2026-01-02T03:04:05Z"} for number in range(5)]
    fields = [{"name": "n", "value": "v", "type": 0}]
    expected = {"name": "--", "reprompt": 0, "fields": fields, "passwordHistory": kept, "secureNote": {"type": 0}}
    assert read_item(members).content == expected


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1000, 5000, 10000])
def test_limit_by_bytes(limit: int) -> None:
    longest = longest_text(limit)
    assert longest == {1000: 687, 5000: 3695, 10000: 7439}[limit]
    assert len(encrypt(b"x" * longest, KEY)) <= limit < len(encrypt(b"x" * (longest + 1), KEY))


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"type": 9}, "type"),
        ({"type": True}, "type"),
        ({"type": "1"}, "type"),
        ({"type": [1]}, "type"),
        ({}, "type"),
        ({"type": 1, "name": 5}, "name"),
        ({"type": 1, "name": "\ud800"}, "name"),
        ({"type": 1, "name": "é" * 344}, "name"),
        ({"type": 1, "notes": "x" * 7440}, "notes"),
        ({"type": 1, "reprompt": 2}, "reprompt"),
        ({"type": 1, "reprompt": True}, "reprompt"),
        ({"type": 1, "login": []}, "login"),
        ({"type": 1, "login": {"password": "x" * 3696}}, "login.password"),
        ({"type": 1, "login": {"uris": {}}}, "login.uris"),
        ({"type": 1, "login": {"uris": [{"uri": "u"}, {"uri": "u", "match": 6}]}}, "login.uris[1].match"),
        ({"type": 2, "passwordHistory": [{"password": "x", "lastUsedDate": "yesterday"}]}, "passwordHistory[0].lastUsedDate"),
        ({"type": 1, "login": {"fido2Credentials": [{"rpId": "x"}]}}, "fido2Credentials[0].creationDate"),
        ({"type": 2, "passwordHistory": [{"password": "x"}]}, "passwordHistory[0].lastUsedDate"),
        ({"type": 3, "fields": [{"linkedId": 99}]}, "fields[0].linkedId"),
        ({"type": 3, "card": {"expMonth": 4}}, "card.expMonth"),
    ],
)
def test_bad_members_are_named_without_their_value(members: Members, field: str) -> None:
    with pytest.raises(SelfhostError) as caught:
        read_item(members)
    assert caught.value.field == field
    assert "yesterday" not in str(caught.value)
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize(
    "wire",
    [
        {"type": 99, "name": VECTOR["name_enc"]},
        {"type": 1, "name": None, "data": '{"format_version": 1}'},
        {"type": 1, "name": "7.AAAA"},
        {"type": 1, "name": "clear text"},
        {"type": 1, "name": VECTOR["cipher_key_variant"]["name_enc"]},
        {"type": 1, "name": VECTOR["name_enc"], "key": VECTOR["name_enc"]},
        {"type": 1, "name": VECTOR["name_enc"], "login": []},
        {"type": 1, "name": VECTOR["name_enc"], "login": {"username": 5}},
        {"type": 1, "name": encrypt(b"\xff", KEY)},
    ],
)
def test_items_that_cannot_be_read(wire: Members) -> None:
    with pytest.raises(SelfhostError):
        open_item(wire, KEY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(
    st.sampled_from(list(SCHEMAS)).flatmap(lambda kind: st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMAS[kind], JSON)))
)
@settings(deadline=None)
def test_no_content_makes_it_crash(members: Members) -> None:
    for kind in TYPES:
        try:
            item = read_item({**members, "type": kind})
        except SelfhostError:
            continue
        assert open_item(seal_item(item, KEY), KEY) == item


# --- when two are the same -------------------------------------------------------------------------------------------

LOGIN = {
    "type": 1,
    "name": "db",
    "notes": "n",
    "login": {"username": "root", "password": "p", "uris": [{"uri": "a"}, {"uri": "b"}]},
}


def changed(path: str, value: t.Any) -> Members:
    """A login that differs in one place."""
    members = json.loads(json.dumps(LOGIN))
    *way, last = path.split(".")
    inner = members
    for name in way:
        inner = inner[name]
    inner[last] = value
    return t.cast("Members", members)


@pytest.mark.parametrize(
    ("path", "value", "same"),
    [
        ("name", " db ", True),
        ("notes", "other", True),
        ("login.password", "other", True),
        ("login.uris", [{"uri": "b"}, {"uri": "a", "match": 3}, {"uri": "a"}], True),
        ("name", "DB", False),
        ("login.username", "admin", False),
        ("login.uris", [{"uri": "a"}], False),
        ("type", 2, False),
    ],
)
def test_recognised_by_content(path: str, value: t.Any, same: bool) -> None:
    rule = Recognition(KEY)
    other = open_item(seal_item(read_item(changed(path, value)), KEY), KEY)
    assert (rule.fingerprint(other) == rule.fingerprint(read_item(LOGIN))) is same
    part = open_item(seal_item(other, KEY), KEY, rule.part(other.type))
    assert rule.fingerprint(part) == rule.fingerprint(other), "the part that is opened for it is enough"


def test_recognised_by_a_field() -> None:
    rule = Recognition(KEY, "id")
    one, other = (read_item({"type": 2, "name": name, "fields": [{"name": "id", "value": "7"}]}) for name in ("a", "b"))
    assert rule.fingerprint(one) is not None
    assert rule.fingerprint(one) == rule.fingerprint(other)
    assert rule.fingerprint(read_item({"type": 2, "fields": [{"name": "id", "value": "8"}]})) != rule.fingerprint(one)
    assert rule.fingerprint(read_item(LOGIN)) is None


def test_fingerprint_says_nothing_without_the_key() -> None:
    item = read_item(LOGIN)
    assert Recognition(KEY).fingerprint(item) != Recognition(b"k" * 64).fingerprint(item)
    assert "root" not in repr((item, Recognition(KEY)))


def test_differences_are_names() -> None:
    other = {**changed("login.password", "s3cret"), "fields": [{"name": "f", "value": "s3cret"}]}
    assert differences(read_item(LOGIN).content, read_item(other).content) == ["login.password", "fields"]
    assert differences(read_item(LOGIN).content, read_item(LOGIN).content) == []
