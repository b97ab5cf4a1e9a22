"""Options of a synchronization: defaults by kind of directory, search bases, filters, and what makes no sense."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_filter import compose, flaw, search_base
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import Problems, SelfhostError
from hypothesis import given, strategies as st

from tests.unit.model.directory_states import CONNECTION

BASE = "ou=People,dc=example,dc=com"


def params(**changes: t.Any) -> dict[str, t.Any]:
    """Options that are in order but for the changes; inner ones are named like directory__port."""
    found: dict[str, t.Any] = {"directory": dict(CONNECTION), "users": {"base": BASE}}
    for name, value in changes.items():
        outer, _dot, inner = name.partition("__")
        if inner:
            found.setdefault(outer, {})[inner] = value
        else:
            found[outer] = value
    return found


def test_defaults() -> None:
    found = parse(params(groups={"base": "ou=Groups,dc=example,dc=com"}))
    assert found.users.filter == "(&(objectClass=inetOrgPerson))"
    assert found.groups
    assert (found.groups.filter, found.groups.name, found.groups.members) == ("(&(objectClass=groupOfNames))", "cn", "member")
    assert (found.removals, found.relink, found.restore, found.invite, found.seats) == ("none", False, False, True, None)
    assert (found.max_removals, found.max_removals_percent, found.min_directory_users) == (5, 10, 1)


def test_defaults_of_active_directory() -> None:
    found = parse(params(directory__active_directory=True, directory__root_dn="DC=AD,DC=Test", users={}, groups={}))
    assert found.groups
    assert (found.users.base, found.groups.base) == ("CN=Users,dc=ad,dc=test",) * 2
    assert (found.users.filter, found.groups.filter) == ("(&(objectClass=person))", "(&(objectClass=group))")
    assert (found.users.email, found.users.prefix, found.groups.name) == ("mail", "sAMAccountName", "name")


@pytest.mark.parametrize(
    ("path", "root", "base"),
    [
        ("ou=People", "dc=Example,dc=Com", "ou=People,dc=example,dc=com"),
        (" ou=People ", "ou=Branch,dc=example,dc=com", "ou=People,dc=example,dc=com"),  # the unit in the root is dropped
        ("ou=People", "o=example", "ou=People"),
        ("", "dc=example,dc=com", "dc=example,dc=com"),
        (None, "ou=x,DC=example", "dc=example"),
        (BASE, None, BASE),
    ],
)
def test_search_base(path: str | None, root: str | None, base: str) -> None:
    assert search_base(path, root) == base


def test_filters_are_composed() -> None:
    assert compose("person", None) == compose("person", "  ") == "(&(objectClass=person))"
    assert compose("person", "(a=b)") == "(&(&(objectClass=person))(a=b))"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(a=b", "at position 1 is never closed"),
        ("(&(a=b)(c=d)", "at position 1 is never closed"),
        ("(&(a=b)(c=d", "at position 8 is never closed"),
        ("(a=b))", "at position 6 closes nothing"),
        (")", "at position 1 closes nothing"),
        ("a=b", "'a' at position 1 stands outside"),
        ("(a=b) x", "'x' at position 7 stands outside"),
    ],
)
def test_flaws_have_a_position(text: str, says: str) -> None:
    assert says in str(flaw(text))


@given(st.text(alphabet="()a ", max_size=12))
def test_only_balanced_brackets_are_no_flaw(text: str) -> None:
    rest = text.replace(" ", "").replace("a", "")
    while "()" in rest:
        rest = rest.replace("()", "")
    balanced = not rest
    assert (flaw(text) is None) <= balanced


def test_balanced_filters_pass() -> None:
    assert [flaw(text) for text in ("", " (a=b) ", "(!(a=b))", "(a=b)(c=d)", r"(cn=\28x\29)")] == [None] * 5


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"directory__hosts": []}, "directory.hosts", "not said which directory"),
        ({"directory__hosts": [" "]}, "directory.hosts", "not said which directory"),
        ({"directory__bind_dn": None}, "directory.bind_dn", "never searched anonymously"),
        ({"directory__bind_password": ""}, "directory.bind_password", "never searched anonymously"),
        ({"directory__bind_password": "  "}, "directory.bind_password", "never searched anonymously"),
        ({"directory__anonymous": True}, "directory.anonymous", "cannot be used anonymously"),
        ({"users__filter": "(a=b"}, "users.filter", "position 1"),
        ({"groups__base": "dc=x", "groups__filter": "(a=b))"}, "groups.filter", "position 6"),
        ({"users__base": None}, "users.base", "where to search"),
        ({"groups": {}}, "groups.base", "where to search"),
        ({"users__email_fallback": {"suffix": "example.com"}}, "users.email_fallback.suffix", "no e-mail address"),
        ({"directory__port": 70000}, "directory.port", "70000"),
        ({"directory__page_size": 0}, "directory.page_size", "0"),
        ({"directory__timeout": -1}, "directory.timeout", "-1"),
        ({"max_removals": -1}, "max_removals", "-1"),
        ({"max_removals_percent": 101}, "max_removals_percent", "101"),
        ({"seats": 0}, "seats", "0"),
    ],
)
def test_refused(changes: dict[str, t.Any], field: str, says: str) -> None:
    with pytest.raises(SelfhostError) as caught:
        parse(params(**changes))
    assert (caught.value.field, says in caught.value.cause, bool(caught.value.remedy)) == (field, True, True)


def test_all_problems_at_once() -> None:
    with pytest.raises(Problems) as caught:
        parse(params(users__filter="(", users__base="", max_removals=-1, directory__bind_dn=""))
    assert len(caught.value.problems) == 4


def test_anonymous_when_it_is_asked_for() -> None:
    parse(params(directory={"hosts": ["ldap.example.com"], "anonymous": True}))
