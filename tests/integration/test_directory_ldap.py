# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The door to directories, with each library, against a real server: what it finds, and how each failure is told."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._directory import ldap
from ansible_collections.bw.selfhost.plugins.module_utils._directory.connection import Query, Result
from ansible_collections.bw.selfhost.plugins.module_utils._directory.failures import search_failed
from ansible_collections.bw.selfhost.plugins.module_utils._directory.way import Way
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import connection
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

from tests.directory import LIMITED, OPENLDAP, Broken, Person, Slapd, Team, Tree
from tests.integration.directory_world import LIBRARIES, only

PEOPLE = tuple(Person(f"u{number:04}", unit="Engineering" if number % 2 else "") for number in range(1200))
TREE = Tree(OPENLDAP, PEOPLE, (Team("all", tuple(person.uid for person in PEOPLE)),))
BASE = f"ou=People,{OPENLDAP}"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("slapd") / "good", TREE) as found:
        yield found


@pytest.fixture(params=LIBRARIES, autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    only(request.param, monkeypatch)
    return str(request.param)


def search(options: dict[str, t.Any], base: str = BASE, filter: str = "(objectClass=inetOrgPerson)", *more: str) -> list[Entry]:
    with ldap.connect(connection({"directory": options})) as found:
        return found.search(base, filter, ["mail", *more], "users")


# --- what it finds -----------------------------------------------------------------------------------------------------


def test_the_library_is_the_one_that_is_there(library: str) -> None:
    assert ldap._library().__module__.endswith({"python-ldap": "with_python_ldap", "ldap3": "with_ldap3"}[library])


@pytest.mark.parametrize("tls", ["ldaps", "starttls", "none"])
@pytest.mark.parametrize("page_size", [100, 5000])
def test_all_entries_in_the_servers_order(slapd: Slapd, tls: str, page_size: int) -> None:
    found = search(slapd.options(tls=tls, page_size=page_size))
    assert [entry.dn for entry in found] == [TREE.person_dn(person) for person in PEOPLE]
    assert found[0].attributes == {"mail": [b"u0000@example.test"]}


def test_operational_attributes_only_when_they_are_asked_for(slapd: Slapd) -> None:
    (found,) = search(slapd.options(), BASE, "(uid=u0001)", "entryUUID")
    assert len(found.text("entryUUID") or "") == 36


def test_a_later_host_when_the_first_is_away(slapd: Slapd) -> None:
    assert search(slapd.options(hosts=["nobody.invalid", "127.0.0.1"]), BASE, "(uid=u0001)")


def test_anonymously_when_it_is_asked_for(slapd: Slapd) -> None:
    nobody = {"anonymous": True, "bind_dn": None, "bind_password": None}
    assert search(slapd.options(**nobody), BASE, "(uid=u0001)")


def test_a_bad_certificate_when_nobody_cares(slapd: Slapd) -> None:
    assert search(slapd.options(ca_path=None, validate_certs=False), BASE, "(uid=u0001)")


def test_referrals_are_left_alone(slapd: Slapd) -> None:
    slapd.change(
        f"dn: ou=Away,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: Away\nref: ldap://nobody.invalid/ou=Away\n"
    )
    try:
        assert len(search(slapd.options())) == len(PEOPLE)
    finally:
        slapd.change(f"dn: ou=Away,{BASE}\nchangetype: delete\n", manage_referrals=True)


# --- how failures are told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "query", "field", "says"),
    [
        ({"hosts": ["nobody.invalid"]}, (), "directory.hosts", "The name of nobody.invalid:"),
        ({"port": 1}, (), "directory.hosts", "127.0.0.1:1 refuses connections"),
        ({"ca_path": None}, (), "directory.ca_path", "is signed by an unknown authority"),
        ({"ca_path": None, "tls": "starttls"}, (), "directory.ca_path", "is signed by an unknown authority"),
        ({"hosts": ["localhost"]}, (), "directory.hosts", "is for another name"),
        ({"hosts": ["localhost"], "tls": "starttls"}, (), "directory.hosts", "is for another name"),
        ({"ca_path": "/nowhere/ca.pem"}, (), "directory.ca_path", "no CA certificates to read"),
        ({"bind_password": "wrong"}, (), "directory.bind_password", "does not accept the password of cn=sync"),
        ({"bind_dn": "cn=nobody,dc=example,dc=test"}, (), "directory.bind_password", "0x31"),
        ({"bind_dn": "somebody"}, (), "directory.bind_dn", "somebody is not a distinguished name"),
        ({}, ("ou=Nowhere,dc=example,dc=test",), "users.base", "There is no ou=Nowhere"),
        ({}, ("dc=elsewhere",), "users.base", "There is no dc=elsewhere"),
        ({}, ("nonsense",), "users.base", "nonsense is not a distinguished name"),
        ({}, (BASE, "(abc)"), "users.filter", "not one of LDAP"),
        ({"account": LIMITED}, (), "users.base", "cut off after at least 500 entries by the directory's size limit (0x04"),
    ],
)
def test_failures(slapd: Slapd, changes: dict[str, t.Any], query: tuple[str, ...], field: str, says: str) -> None:
    refused(slapd.options(**changes), field, says, *query)


def refused(options: dict[str, t.Any], field: str, says: str, *query: str) -> SelfhostError:
    with pytest.raises(SelfhostError) as caught:
        search(options, *query)
    assert (caught.value.field, bool(caught.value.remedy)) == (field, True)
    assert says in caught.value.cause
    assert "a password of services" not in str(caught.value)
    return caught.value


def test_ports_of_the_wrong_kind(slapd: Slapd) -> None:
    refused(slapd.options(port=slapd.port), "directory.port", "does not speak TLS as expected")
    refused(slapd.options(tls="none", port=slapd.tls_port), "directory.port", "does not answer in LDAP")


def test_expired_certificate(tmp_path: Path) -> None:
    with Slapd(tmp_path / "old", certificate="expired") as old:
        refused(old.options(), "directory.hosts", "has expired")


def test_no_start_tls(tmp_path: Path) -> None:
    with Slapd(tmp_path / "bare", certificate="none") as bare:
        refused(bare.options(tls="starttls"), "directory.tls", "does not offer StartTLS")


def test_lost_in_the_middle_of_paging(slapd: Slapd) -> None:
    with Broken(slapd.port, 40000) as way:
        error = refused(slapd.options(tls="none", port=way.port, page_size=100), "directory.hosts", "was lost after")
    count = int(error.cause.partition(" was lost after ")[2].partition(" ")[0])
    assert 0 < count < len(PEOPLE)
    assert count % 100 == 0
    assert "Nothing was changed" in str(error.remedy)


def test_silent_in_the_middle_of_paging(slapd: Slapd) -> None:
    with Broken(slapd.port, 40000, silent=True) as way:
        refused(
            slapd.options(tls="none", port=way.port, page_size=100, timeout=1), "directory.timeout", "was silent for 1 s, after "
        )


def test_all_hosts_are_told(slapd: Slapd) -> None:
    with pytest.raises(SelfhostError) as caught:
        search(slapd.options(hosts=["nobody.invalid", "localhost"]))
    assert "nobody.invalid" in str(caught.value)
    assert "is for another name" in str(caught.value)


def test_a_wrong_password_is_tried_once(slapd: Slapd) -> None:
    """Otherwise a directory would lock the account."""
    refused(slapd.options(hosts=["127.0.0.1", "nobody.invalid"], bind_password="wrong"), "directory.bind_password", "0x31")


def test_no_library(monkeypatch: pytest.MonkeyPatch, slapd: Slapd) -> None:
    only("", monkeypatch)
    refused(slapd.options(), "directory", "no Python library for LDAP")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (0x03, "time limit"),
        (0x0B, "administrative limit"),
        (0x32, "may not search"),
        (0x0D, "takes no password over an unencrypted connection"),
        (0x0A, "kept by another server"),
        (0x34, "refuses the search"),
    ],
)
def test_results_that_this_server_does_not_give(code: int, says: str) -> None:
    found = search_failed(Result(code, "words"), host="h", timeout="1", who="cn=x", base="dc=y", option="users", count=3)
    assert says in found.cause
    assert f"(0x{code:02x}: words)" in found.cause


# --- Active Directory's way to give many values ----------------------------------------------------------------------------


class Ranged:
    """A connection that gives three values of an attribute at a time."""

    VALUES: t.ClassVar = [b"%d" % number for number in range(8)]

    def __init__(self, way: Way) -> None:
        self.queries: list[Query] = []

    def bind(self, who: str, password: str) -> None:
        """Let anybody in."""

    def close(self) -> None:
        """Nothing is open."""

    def page(self, query: Query, size: int, cookie: bytes) -> tuple[list[Entry], bytes]:
        self.queries.append(query)
        start = int(query.attributes[0].partition("range=")[2].partition("-")[0] or 0)
        part = self.VALUES[start : start + 3]
        last = "*" if start + 3 >= len(self.VALUES) else str(start + 2)
        return [Entry("cn=big", {"cn": [b"big"], f"member;range={start}-{last}": part, "member": []})], b""


def test_values_that_come_in_ranges() -> None:
    way = Way("h", 1, "none", True, None, 1)
    made = Ranged(way)
    (found,) = ldap.Directory(made, way, "cn=x", 100).search("dc=x", "(a=b)", ["member"], "groups")
    assert found.texts("member") == [str(number) for number in range(8)]
    assert [(query.base, query.attributes[0]) for query in made.queries] == [
        ("dc=x", "member"),
        ("cn=big", "member;range=3-*"),
        ("cn=big", "member;range=6-*"),
    ]
