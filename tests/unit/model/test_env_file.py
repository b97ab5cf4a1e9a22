# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EnvFile reads like Docker Compose, and changes nothing but what it is told to change."""

from __future__ import annotations

import contextlib
import time

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.env_file import EnvFile
from ansible_collections.bw.selfhost.plugins.module_utils._model.env_value import quote
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from hypothesis import given, settings, strategies as st

from tests.lab.stack import dotenv

OUTER = {"HOME": "/root", "word": "W", "EMPTY": ""}

# What Compose 2.24 and later gives to a container for the key A. Source: measured with the parser of compose-go 2.13.
MEASURED = {
    b"A=b": "b",
    b"A=b c d": "b c d",
    b"A=b \t ": "b",
    b"A=  b": "b",
    b"A =b": "b",
    b"A = b": "b",
    b"  A=b": "b",
    b"A=": "",
    b"A=b#c": "b#c",
    b"A=b #c": "b",
    b"A=b\t#c": "b\t#c",
    b"A=#c": "#c",
    b'A="b c"': "b c",
    b'A="b #c"': "b #c",
    b'A="b" # note': "b",
    b'A="b"c': "b",
    b'A="x" A=b': "b",
    b"A='b c'": "b c",
    b"A='b$HOME'": "b$HOME",
    b'A="b$HOME"': "b/root",
    b"A=b$HOME": "b/root",
    b"A=b${HOME}": "b/root",
    b"A=b$UNSET": "b",
    b"A=pa$5word": "pa$5word",
    b"A=pass$": "pass$",
    b"A=pa$!x": "pa$!x",
    b"A=pa$$word": "pa$word",
    b'A="pa\\$word"': "pa$word",
    b"A=pa\\$word": "pa\\W",
    b"A=${X:-def}": "def",
    b"A=${X-def}": "def",
    b"A=${EMPTY:-def}": "def",
    b"A=${EMPTY-def}": "",
    b"A=${HOME:+set}${X:+unset}": "set",
    b"A=${EMPTY+set}${EMPTY:+no}": "set",
    b"A=${HOME?message}": "/root",
    b"A=${X:-${word}}/${word}": "W/W",
    b"A=${X:-a{b}c}": "a{b}c",
    b"A=C:\\dir\\new": "C:\\dir\\new",
    b'A="C:\\dir\\new"': "C:\\dir\new",
    b"A='C:\\dir\\new'": "C:\\dir\\new",
    b'A="b\\"c"': 'b"c',
    b"A='it\\'s'": "it's",
    b'A="\\0123\\09\\c\\\\"': "S\\9\\c\\",
    b"A=it's": "it's",
    b'A=b"c"d': 'b"c"d',
    b'A=bc"': 'bc"',
    b'A={"a": [`1`]}': '{"a": [`1`]}',
    b'A="l1\nl2"': "l1\nl2",
    b"A=1\nA=2": "2",
    b"A=1\r\nA=2\r": "2",
    b"a=1\nA=2": "2",
    b"export A=b": "b",
    b"export\tA=b": "b",
    b"A: b": "b",
    b"A=b=c;d:e": "b=c;d:e",
    b"# A=c\n\nA=b\n#A=d": "b",
    b"\xef\xbb\xbfA=b": "b",
    b"A-B.C[0]=c\nA=b": "b",
    b"B=1\nA=${B}2": "12",
    b"A=\xff": "\udcff",
    "A=b\u2003".encode(): "b",
}


@pytest.mark.parametrize("line", MEASURED, ids=ascii)
@pytest.mark.parametrize("end", [b"\n", b""], ids=["with newline", "without"])
def test_effective_values_are_those_of_compose(line: bytes, end: bytes) -> None:
    document = EnvFile.parse(line + end)
    assert document.effective(OUTER)["A"] == MEASURED[line]
    assert document.render() == line + end


def test_name_without_a_value_comes_from_outside() -> None:
    assert EnvFile.parse(b"A\nB\n").effective({"A": "1"}) == {"A": "1"}


def test_last_name_without_line_end_has_no_name() -> None:
    document = EnvFile.parse(b"B=1\nA")
    assert document.effective({"A": "1"}) == {"B": "1", "": "A"}
    with pytest.raises(SelfhostError, match="Line 2 has a value without a name"):
        document.check()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'# c\nA="secret\nB=1\n', "Line 2 opens a quote that nothing closes"),
        (b"A=1\n\n  B= 'secret\n", "Line 3 opens a quote that nothing closes"),
        (b"A=1\nB secret=2\n", "Line 2 has a character or blank"),
        (b"A=1\n\xffsecret=2\n", "Line 2 has a character or blank"),
        (b'A=1\nB"secret"=2\n', "Line 2 has a character or blank"),
    ],
)
def test_what_compose_refuses_is_refused_by_line(data: bytes, message: str) -> None:
    with pytest.raises(SelfhostError, match=message) as caught:
        EnvFile.parse(data)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", [b"secret${word", b"${1}", b"${X?secret}", b"${X:-${word}", b"${A:-" * 5000 + b"}" * 5000])
def test_interpolation_that_compose_refuses_names_key_and_line(value: bytes) -> None:
    with pytest.raises(SelfhostError, match="A: Compose refuses the variables in line 2") as caught:
        EnvFile.parse(b"# c\nA=" + value + b"\n").effective({})
    assert "secret" not in str(caught.value)


def test_a_broken_value_can_be_repaired() -> None:
    document = EnvFile.parse(b"A=pa${word\n")
    assert document.get("A") is None
    assert document.set("A", "pa${word")
    document.check()
    assert document.render() == b"A='pa${word'\n"


def test_a_value_that_refers_to_variables_is_never_taken_for_a_literal_one() -> None:
    document = EnvFile.parse(b"B=x\nA=$B\n")
    assert document.get("A") is None
    assert document.set("A", "x")
    assert document.render() == b"B=x\nA=x\n"


@pytest.mark.parametrize("line", [b"A=b c", b"A='b c'", b'A="b c" # why', b"export A: b c \t", b"  A =b c #x"])
def test_set_to_the_present_value_leaves_the_bytes_alone(line: bytes) -> None:
    document = EnvFile.parse(line)
    assert not document.set("A", "b c")
    assert document.render() == line


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        (b"A=1\nB=2\n", "3", b"A=3\nB=2\n"),
        (b"A=1\nA=2\nB=2\n", "3", b"A=1\nA=3\nB=2\n"),
        (b"A=1 # why\nB=2\n", "3", b"A=3 # why\nB=2\n"),
        (b"A=1 # why\n", "", b'A="" # why\n'),
        (b"A='1'  # why\n", "x y ", b"A='x y '  # why\n"),
        (b'A="1\n2"\nB=2\n', "3", b"A=3\nB=2\n"),
        (b"  export A : 1\n", "3", b"A=3\n"),
        (b"B=2\r\nA=1\r\n", "3", b"B=2\r\nA=3\r\n"),
        (b"B=2\r\n", "3", b"B=2\r\nA=3\r\n"),
        (b"B=2", "3", b"B=2\nA=3"),
        (b"B=2\r\nC=1", "3", b"B=2\r\nC=1\r\nA=3"),
        (b"B=2\nA=1", "3", b"B=2\nA=3"),
        (b"\xef\xbb\xbfB=2\n", "3", b"\xef\xbb\xbfB=2\nA=3\n"),
        (b"", "3", b"A=3\n"),
        (b"# c", "3", b"# c\nA=3"),
        (b"a=1\n", "3", b"a=1\nA=3\n"),
    ],
)
def test_set_changes_one_line(before: bytes, value: str, after: bytes) -> None:
    document = EnvFile.parse(before)
    assert document.set("A", value)
    assert document.render() == after
    assert EnvFile.parse(after).effective({})["A"] == value
    assert document.get("A") == value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"A=1\nB=2\n", b"B=2\n"),
        (b"B=2\nA=1", b"B=2"),
        (b"A=1\n# c\nA=2\r\nB=2\n", b"# c\nB=2\n"),
        (b'A="1\n2" # c\nB=2\n', b"B=2\n"),
        (b"A=1", b""),
        (b"a=1\n", b"a=1\n"),
    ],
)
def test_unset_removes_every_assignment(before: bytes, after: bytes) -> None:
    document = EnvFile.parse(before)
    assert document.unset("A") is (before != after)
    assert document.render() == after
    assert "A" not in document


@pytest.mark.parametrize("line", [b"A='1'B=2\n", b"B='1' A=2\n", b"A='1'rest\n"])
def test_a_line_with_two_statements_is_read_but_not_edited(line: bytes) -> None:
    document = EnvFile.parse(b"# c\n" + line)
    assert document.render() == b"# c\n" + line
    for edit in (lambda: document.set("A", "3"), lambda: document.unset("A")):
        with pytest.raises(SelfhostError, match="Line 2 has text behind a closing quote"):
            edit()


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("", ""),
        ("b c", "b c"),
        ("C:\\dir\\new", "C:\\dir\\new"),
        ("it's", "it's"),
        ('say "x"', 'say "x"'),
        ("pa$word#1 x", "'pa$word#1 x'"),
        ("b#c", "'b#c'"),
        (" b", "' b'"),
        ("b\t", "'b\t'"),
        ('"b"', "'\"b\"'"),
        ("\\d#", "'\\d#'"),
        ("it's #1", '"it\'s #1"'),
        ("'b'", "\"'b'\""),
    ],
)
def test_first_form_that_every_reader_understands(value: str, form: str) -> None:
    assert quote("A", value) == form


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "'\"#", "' $", "'#\\d", "#\\", 'a\\"b', "a\ud800"], ids=ascii)
def test_what_cannot_be_written_safely_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(SelfhostError) as caught:
        quote("A", value)
    assert value not in str(caught.value)
    assert caught.value.field == "A"
    assert caught.value.remedy


@pytest.mark.parametrize("value", ["a$b", "a#'$", 'a#"b', 'ab"', "a# \\"])
def test_a_key_that_setup_reads_is_never_single_quoted(value: str) -> None:
    with pytest.raises(SelfhostError, match="Setup reads this key"):
        quote("A", value, single_quotes=False)


def test_a_connection_string_keeps_its_double_quotes() -> None:
    assert (
        quote("A", "Data Source=tcp:mssql,1433;Password=x#1", single_quotes=False) == '"Data Source=tcp:mssql,1433;Password=x#1"'
    )


def test_where_keys_stand() -> None:
    document = EnvFile.parse(b"# c\nA=1\nB=1\n\nA=2\n")
    document.set("C", "3")
    document.set("A", "3")
    assert document.lines == {"A": [2, 5], "B": [3], "C": []}


@pytest.mark.parametrize(
    "data",
    [
        b" " * 300_000 + b"!",
        b"A=" + b" " * 300_000 + b'"',
        b"export" + b" " * 300_000 + b"!",
        b"A" * 300_000 + b"!",
        b"A='b'" + b" " * 300_000 + b"!",
        b'A="' + b"\\" * 300_000,
        b"A=" + b"${a:-" * 60_000,
        b"A=" + b"${a:-}" * 60_000,
    ],
    ids=range(8),
)
def test_no_input_takes_long(data: bytes) -> None:
    start = time.process_time()
    with contextlib.suppress(SelfhostError):
        EnvFile.parse(data).effective({})
    assert time.process_time() - start < 10, "it takes milliseconds, or what grows faster than the input has come back"


# --- properties ---

_TEXTS = st.text(st.sampled_from(list("AB_ =:#$\"'\\{}-+?\n\r\tn09")), max_size=30).map(str.encode)
_VALUES = st.text(st.one_of(st.sampled_from(list("ab #$\"'\\{}\t\n")), st.characters()), max_size=20)
_KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
_LINES = st.one_of(
    st.builds(
        "{}={}".format, _KEYS, st.text(st.characters(blacklist_characters="\n\"'$", blacklist_categories=("Cs",)), max_size=12)
    ),
    st.builds("{} = '{}' # {}".format, _KEYS, st.from_regex(r"[^'\\\n]{0,8}", fullmatch=True), _KEYS),
    st.builds('export {}="{}"'.format, _KEYS, st.from_regex(r'[^"\\$]{0,8}', fullmatch=True)),
    st.from_regex(r"#[^\n]{0,20}", fullmatch=True),
    st.sampled_from(["", "   ", "\t", "NAME"]),
)
_FILES = st.builds(
    lambda lines, random, end, last, bom: bom + end.join(random.choices(lines, k=300)).encode() + (end.encode() if last else b""),
    st.lists(_LINES, min_size=5, max_size=20),
    st.randoms(use_true_random=False),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)


@given(st.one_of(_TEXTS, st.binary(max_size=40), st.lists(_LINES, max_size=5).map(lambda lines: "\n".join(lines).encode())))
@settings(max_examples=300, deadline=None)
def test_parse_then_render_is_the_identity(data: bytes) -> None:
    try:
        document = EnvFile.parse(data)
    except SelfhostError:
        return
    assert document.render() == data


@given(_TEXTS)
@settings(max_examples=300, deadline=None)
def test_two_independent_readers_agree(data: bytes) -> None:
    try:
        expected = dotenv.parse(data, OUTER.get, lambda warning: None)
    except dotenv.EnvError:
        with pytest.raises(SelfhostError):
            EnvFile.parse(data).effective(OUTER)
        return
    assert EnvFile.parse(data).effective(OUTER) == expected


@given(_FILES, _KEYS, _VALUES)
@settings(max_examples=30, deadline=None)
def test_a_large_file_survives_setting_and_unsetting_one_key(data: bytes, key: str, value: str) -> None:
    document = EnvFile.parse(data)
    known = key in document
    before = document.pieces
    try:
        changed = document.set(key, value)
    except SelfhostError:
        assert document.render() == data
        return
    assert document.get(key) == EnvFile.parse(document.render()).effective({})[key] == value
    assert not document.set(key, value)
    others = [piece for piece in document.pieces if piece.key != key]
    assert [piece.text.rstrip("\r\n") for piece in others] == [piece.text.rstrip("\r\n") for piece in before if piece.key != key]
    if not known:
        assert changed
        assert document.unset(key)
        assert document.render() == data


@given(_VALUES, st.booleans())
@settings(max_examples=300, deadline=None)
def test_what_was_written_is_what_containers_get(value: str, single_quotes: bool) -> None:
    document = EnvFile.parse(b"# c\nB=1\n")
    try:
        document.set("A", value, single_quotes=single_quotes)
    except SelfhostError:
        return
    written = document.render()
    assert written.startswith(b"# c\nB=1\nA=")
    assert (
        EnvFile.parse(written).effective(OUTER)
        == dotenv.parse(written, OUTER.get, lambda warning: None)
        == {"A": value, "B": "1"}
    )
