"""Export files: the official importer's conversions, and a named place for everything that is wrong."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import import_file
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.import_file import FORMATS, Entry
from hypothesis import example, given, settings, strategies as st

Members = dict[str, t.Any]
HEADER = "collections,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp"


def parse(data: bytes, file_format: str = "auto", target: str | None = None) -> list[Entry]:
    return import_file.parse(data, "src", file_format, target)


def as_json(*items: t.Any, **more: t.Any) -> bytes:
    return json.dumps({"encrypted": False, "collections": [], "items": list(items), **more}).encode()


def as_csv(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines]).encode()


def one(data: bytes, **options: t.Any) -> Entry:
    """The only item of a file."""
    (entry,) = parse(data, **options)
    return entry


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_json_of_an_organization() -> None:
    collections = [{"id": "a", "name": "Ops"}, {"id": "b", "name": " Web/Live "}, {"id": None, "name": "lost"}]
    first = {"type": 1, "name": "db", "collectionIds": ["b", "unknown", None, "a", "b"], "id": "x", "key": "raw"}
    entries = parse(as_json(first, {"type": 2, "name": "note"}, collections=collections))
    assert [(entry.place, entry.item.name, entry.collections) for entry in entries] == [
        ("item 1", "db", ("Web/Live", "Ops")),
        ("item 2", "note", ()),
    ]


def test_json_of_a_person() -> None:
    data = as_json(
        {"type": 1, "name": "x", "folderId": "f", "collectionIds": None}, collections=None, folders=[{"id": "f", "name": "F"}]
    )
    assert one(data).collections == ("F",)


def test_target_collection() -> None:
    items = ({"type": 2, "name": "x"}, {"type": 2, "name": "y", "collectionIds": ["a"]})
    entries = parse(as_json(*items, collections=[{"id": "a", "name": "Ops"}]), target="Old vault")
    assert [entry.collections for entry in entries] == [("Old vault",), ("Old vault/Ops",)]


# --- CSV -------------------------------------------------------------------------------------------------------------


def test_csv_of_an_organization() -> None:
    line = (
        'Ops\\Db,login,db,"a\n\nb","x: 1\nurl: http: //y: 2\nno separator\nempty: ",1,"db.local,""a,b"",localhost, ",root,pw,otp'
    )
    entry = one(as_csv(line))
    assert (entry.place, entry.collections) == ("line 2", ("Ops/Db",))
    assert entry.item.content == {
        "name": "db",
        "notes": "a\n\nb",
        "reprompt": 1,
        "fields": [
            {"name": "x", "value": "1", "type": 0},
            {"name": "url: http: //y", "value": "2", "type": 0},
            {"name": "empty", "type": 0},
        ],
        "login": {
            "username": "root",
            "password": "pw",
            "totp": "otp",
            "uris": [{"uri": u} for u in ("http://db.local", "a,b", "localhost")],
        },
    }


def test_csv_of_a_person_with_old_columns_and_other_line_ends() -> None:
    header = "folder,favorite,type,name,notes,fields,uri,username,password,totp"
    data = f"\ufeff{header}\r\n/F/G,1,note,,text,,,,,\r\n\r\n,,x,y,,,,u,,\r".encode()
    note, login = parse(data)
    assert (note.place, note.collections, note.item.type, note.item.name) == ("line 2", ("F/G",), 2, "--")
    assert (login.place, login.collections, login.item.content["login"]) == ("line 4", (), {"username": "u"})


def test_long_uri_is_cut() -> None:
    uri = one(as_csv(f",login,x,,,,https://{'x' * 2000},,,")).item.content["login"]["uris"][0]["uri"]
    assert len(uri) == 1000


def test_several_collections() -> None:
    assert one(as_csv('"A, B/C,A",note,x,,,,,,,')).collections == ("A", "B/C")


# --- what is refused -------------------------------------------------------------------------------------------------

LOGIN = {"type": 1, "name": "x", "login": {"password": "s3cret"}}


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (b"", None, "empty"),
        (b"\xef\xbb\xbf \n", None, "empty"),
        (HEADER.encode() + b"\n,login,\xff", None, r"not UTF-8 \(line 2, byte \d+\)"),
        ('{"items": []}'.encode("utf-16"), None, "not UTF-8"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162", None, "Ansible Vault"),
        (b'{"items": [\n  {"type": 1,,', "line 2, column 14", "not JSON"),
        (b'{"items": ' + b"[" * 100_000, None, "not JSON"),
        (b'{"items": ' + b"1" * 5000 + b"}", None, "not JSON|no list"),
        (b"[]", None, "no object"),
        (b"{}", "items", "no list of items"),
        (as_json(items={}), "items", "no list of items"),
        (as_json(), None, "no items"),
        (as_json(encrypted=True, passwordProtected=True, data="2.x"), None, "protected with a password"),
        (as_json(encrypted=True), None, "encrypted with the key"),
        (as_json(LOGIN, {"type": 9, "name": "new one"}), r"item 2 (new one), type", "type is unknown"),
        (as_json(LOGIN, 5), "item 2, the item itself", "must be an object"),
        (as_json({**LOGIN, "notes": "s3cret" * 5000}), "item 1 (x), notes", "30000 bytes"),
        (
            as_json({**LOGIN, "collectionIds": ["a"]}, collections=[{"id": "a", "name": ""}]),
            "item 1 (x), collections",
            "must be a text",
        ),
        (
            as_json({**LOGIN, "collectionIds": ["a"]}, collections=[{"id": "a", "name": "n" * 688}]),
            "item 1 (x), collections",
            "688 bytes",
        ),
        (as_json({"type": 1}, {"type": 1, "name": ""}), None, "neither names nor passwords"),
        (as_csv("x", header="collections,type,name"), "line 1", "lacks login_uri, login_username, login_password"),
        (
            as_csv("x", header="url,username,password,totp,extra,name,grouping,fav"),
            "line 1",
            "lacks login_uri and has unknown .*: url, extra",
        ),
        (as_csv("x", header=f"{HEADER},name"), "line 1", "repeated columns: name, name"),
        (as_csv(",login,a,,,,,,,", "", ",login,b,c"), "line 4", "4 columns, the header has 10"),
        (as_csv(',login,"a"b,,,,,,,'), "line 2", "not CSV"),
        (as_csv(",login,a,,,7,,,,"), "line 2 (a), reprompt", "from 0 to 1"),
        (as_csv(), None, "no items"),
    ],
)
def test_bad_files(data: bytes, where: str | None, what: str) -> None:
    with pytest.raises(SelfhostError, match=what) as caught:
        parse(data)
    assert caught.value.field == (f"src, {where}" if where else "src")
    assert "s3cret" not in str(caught.value)


def test_all_problems_are_told_but_not_without_end() -> None:
    with pytest.raises(SelfhostError, match=r"^2 problems") as caught:
        parse(as_json({"type": 0, "name": "a"}, LOGIN, {"type": 1, "name": 1}))
    assert caught.value.field == "src, item 1 (a), type, src, item 3, name"
    with pytest.raises(SelfhostError, match=r"^20 problems"):
        parse(as_json(*[{"type": 0}] * 1000))


def test_most_items(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_file.MOST_ITEMS == 100_000
    monkeypatch.setattr(import_file, "MOST_ITEMS", 3)
    line = ",note,x,,,,,,,"
    assert len(parse(as_csv(*[line] * 3))) == 3
    with pytest.raises(SelfhostError, match="more than 3 items"):
        parse(as_csv(*[line] * 4))


# --- anything at all -------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "type", "login", "uris", "collectionIds", "fields"]), inner, max_size=5)
    ),
    max_leaves=20,
)
FILES = (
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
    | st.lists(JSON, max_size=5).flatmap(lambda items: JSON.map(lambda groups: as_json(*items, collections=groups)))
    | st.text(st.sampled_from('a,"\n\r\\/: .\0'), max_size=200).map(as_csv)
)


@given(FILES, st.sampled_from(["auto", *FORMATS]), st.none() | st.just("T"))
@example(b'{"items": [NaN, Infinity, {"type": 1e999}]}', "auto", None)
@example(b"\0", "bitwarden_csv", None)
@settings(deadline=2000)
def test_any_file_is_read_or_refused(data: bytes, file_format: str, target: str | None) -> None:
    try:
        entries = parse(data, file_format, target)
    except SelfhostError:
        return
    assert all(entry.place and entry.item.name and all(entry.collections) for entry in entries)
