# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever is wrong with a directory, the options or the organization is told with its numbers, and before the first write."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.directory import ACTIVE_DIRECTORY, LIMITED, OPENLDAP, Broken, Person, Slapd, Team, Tree
from tests.integration.directory_world import Organization, Result, searches
from tests.integration.module_runner import run_module
from tests.integration.page_a import at_server, ok
from tests.lab import Lab

Options = dict[str, t.Any]
COUNT = 600  # more than an answer of OpenLDAP holds without a permission
PEOPLE = tuple(Person(f"p{number:03}") for number in range(COUNT))
MANY = Tree(OPENLDAP, PEOPLE, (Team("all", tuple(person.uid for person in PEOPLE)),))
TWINS = (Person("twin1", mails=("same@example.test",)), Person("twin2", mails=("SAME@example.test",)))
ODD = Tree(
    ACTIVE_DIRECTORY,
    (*TWINS, Person("long", surname="x" * 301), Person("refused", mails=("odd@example.123",)), Person("good")),
    (Team("n" * 101, ("good",)), Team("plain", ("good",))),
)
SHRUNK = {"filter": "(|(uid=p0*)(uid=p1*)(uid=p20*)(uid=p21*)(uid=p22*)(uid=p23*))"}  # 240 of 600


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("slapd") / "both", MANY, ODD) as found:
        yield found


@dataclass
class Case:
    """One mistake: changes to the options, how the lab is prepared, and what the error must contain."""

    name: str
    says: str
    field: str
    directory: Options = dataclasses.field(default_factory=dict)
    users: Options = dataclasses.field(default_factory=dict)
    groups: Options | None = dataclasses.field(default_factory=dict)
    options: Options = dataclasses.field(default_factory=dict)
    tree: str = OPENLDAP
    prepare: t.Sequence[t.Callable[[Organization], object]] = ()
    account: t.Callable[[Organization], Options] = lambda _organization: {}

    def run(self, organization: Organization, slapd: Slapd, *, check: bool = False) -> Result:
        for step in self.prepare:
            step(organization)
        organization.lab.clear_requests()
        wanted = searches(self.tree, users=self.users, groups=self.groups or {}, **self.options)
        if self.groups is None:
            del wanted["groups"]
        way = slapd.options(self.tree, **self.directory)
        return run_module(
            "directory_sync", {**organization.options, **self.account(organization), "directory": way, **wanted}, check=check
        )

    def told(self, result: Result) -> None:
        """Demand the error, with all its parts."""
        assert result["failed"], result
        assert self.says in result["error"]["cause"], result["msg"]
        assert self.field in str(result["error"]["field"]), result["error"]
        assert result["error"]["remedy"]
        assert "a password of services" not in str(result)


def synced(organization: Organization) -> None:
    """Everybody came from the directory once."""
    for person in PEOPLE:
        organization.lab.set_member(person.addresses[0], externalId=MANY.person_dn(person), status=2)


def seats(count: int) -> t.Callable[[Organization], object]:
    return lambda organization: organization.lab.set_organization("selfhost", organization.id, seats=count)


def switched(**fields: t.Any) -> t.Callable[[Organization], object]:
    return lambda organization: organization.lab.set_organization("selfhost", organization.id, **fields)


def twice(organization: Organization) -> None:
    for name in ("a", "b"):
        organization.lab.set_member(f"{name}@example.test", externalId="the same")


def fault(kind: str, path: str) -> t.Callable[[Organization], object]:
    return lambda organization: organization.lab.fault(kind, path=path, times=None)


DIRECTORY = [
    Case("nobody listens", "refuses connections", "directory.hosts", {"port": 1}),
    Case("unknown name", "is unknown", "directory.hosts", {"hosts": ["ldap.invalid"]}),
    Case("untrusted certificate", "signed by an unknown authority", "directory.ca_path", {"ca_path": None}),
    Case("certificate for another name", "is for another name", "directory.hosts", {"hosts": ["localhost"]}),
    Case("wrong password", "does not accept the password of cn=sync", "directory.bind_password", {"bind_password": "wrong"}),
    Case("no password", "never searched anonymously", "directory.bind_password", {"bind_password": ""}),
    Case("no account", "never searched anonymously", "directory.bind_dn", {"bind_dn": None}),
    Case("account of an anonymous client", "cannot be used anonymously", "directory.anonymous", {"anonymous": True}),
    Case("truncated answer", "cut off after at least 500 entries", "users.base", {"account": LIMITED}),
    Case("missing base of people", "There is no ou=Nowhere", "users.base", users={"base": f"ou=Nowhere,{OPENLDAP}"}),
    Case("missing base of groups", "There is no ou=Nowhere", "groups.base", groups={"base": f"ou=Nowhere,{OPENLDAP}"}),
    Case("no base", "not said where to search", "users.base", users={"base": None}),
    Case("unbalanced filter", "position 1 is never closed", "users.filter", {"port": 1}, users={"filter": "(&(a=b)"}),
    Case("filter that is none", "not one of LDAP", "users.filter", users={"filter": "(a)"}),
]
GUARDS = [
    Case(
        "empty answer",
        f"Nobody was found below ou=Services,{OPENLDAP}",
        "users.filter",
        users={"base": f"ou=Services,{OPENLDAP}"},
    ),
    Case(
        "emptied directory",
        "Nobody was found",
        "users.filter",
        users={"filter": "(uid=no*)"},
        options={"removals": "absent"},
        prepare=[synced],
    ),
    Case(
        "too few people",
        "has 600 people who can be members, and at least 601",
        "min_directory_users",
        options={"min_directory_users": 601},
    ),
    Case(
        "shrink",
        "360 of 600 (60 %) members",
        "max_removals_percent",
        users=SHRUNK,
        options={"removals": "absent"},
        prepare=[synced],
    ),
    Case("shrink without removals", "360 of 600 (60 %) members", "max_removals_percent", users=SHRUNK, prepare=[synced]),
    Case(
        "more removals than allowed",
        "10 of 600 (2 %) members who came from this directory would be removed",
        "max_removals",
        users={"filter": "(!(uid=p00*))"},
        options={"removals": "absent"},
        prepare=[synced],
    ),
    Case("too few seats", "are needed, and there are 100; 3 are taken, 600 people", "seats", options={"seats": 100}),
    Case("Teams Starter", "are needed, and there are 10", "seats", options={"seats": 10}),
    Case("the same address twice", "same@example.test", "users.email_attribute", tree=ACTIVE_DIRECTORY, groups=None),
    Case(
        "the same external id twice",
        "same external id: ",
        "users.external_id_attribute",
        tree=ACTIVE_DIRECTORY,
        users={"external_id_attribute": "objectClass", "filter": "(!(cn=twin1))"},
        groups=None,
    ),
    Case(
        "external id that is too long",
        "An external id has at most 300 characters",
        "users.external_id_attribute",
        tree=ACTIVE_DIRECTORY,
        users={"external_id_attribute": "sn", "filter": "(cn=long)"},
        groups=None,
    ),
    Case(
        "name that is too long",
        "The name of a group has at most 100 characters",
        "groups.name_attribute",
        tree=ACTIVE_DIRECTORY,
        users={"filter": "(cn=good)"},
        groups={"object_class": "group"},
    ),
    Case(
        "the same external id twice in the organization",
        "the same external id, so that any import fails",
        "members",
        prepare=[twice],
    ),
    Case("number out of range", "101 is not from 0 to 100", "max_removals_percent", options={"max_removals_percent": 101}),
]
ACCOUNTS = [
    Case("key of a person", "This is a person's log-in", "client_id", {"port": 1}, account=lambda found: at_server(found.lab)),
    Case(
        "wrong secret",
        "or its secret is wrong",
        "client_secret",
        {"port": 1},
        account=lambda _found: {"client_secret": "another secret"},
    ),
    Case("plan without an API", "does not know this client id", "client_secret", prepare=[switched(useApi=False)]),
    Case(
        "session of a person",
        "This is a person's log-in",
        "session",
        account=lambda found: {
            "session": ok(run_module("login", at_server(found.lab)))["session"],
            **dict.fromkeys(("server_url", "client_id", "client_secret")),
        },
    ),
    Case("members cannot be read", "500", "/public/members", prepare=[fault("status:500", "/public/members")]),
    Case("proxy's page", "HTML page", "/public/groups", prepare=[fault("html", "/public/groups")]),
    Case(
        "server that cannot restore",
        "cannot restore members for an organization's key",
        "restore",
        options={"restore": True},
        prepare=[lambda found: found.lab.set_member("p001@example.test", externalId=MANY.person_dn(PEOPLE[1]), status=-1)],
    ),
]


@pytest.mark.lab(scenario="page_a", version="2025.8.0")
@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
@pytest.mark.parametrize("case", [*DIRECTORY, *GUARDS, *ACCOUNTS], ids=lambda case: case.name)
def test_refused_before_the_first_write(lab: Lab, slapd: Slapd, case: Case, check: bool) -> None:
    organization = Organization(lab)
    case.told(case.run(organization, slapd, check=check))
    assert lab.writes() == []


# What only the server knows: it is asked, and refuses.
SERVER = [
    Case("no directory sync", "does not include directory synchronization", "client_id", prepare=[switched(useDirectory=False)]),
    Case("no groups", "does not include groups", "groups", prepare=[switched(useGroups=False)]),
    Case("no seats left", "does not have enough seats. (Cannot autoscale", "seats", prepare=[seats(10)]),
    Case(
        "no confirmed owner",
        "no confirmed owner",
        "client_id",
        prepare=[lambda found: found.lab.set_member("owner@example.com", type=1)],
    ),
    Case(
        "one entry",
        "refuses odd@example.123: The Email field is not a valid",
        "users",
        tree=ACTIVE_DIRECTORY,
        users={"filter": "(|(cn=refused)(cn=good))"},
        groups=None,
    ),
    Case(
        "proxy that takes no large bodies",
        "no requests of this size (413)",
        "/public/organization/import",
        prepare=[fault("page:413", "/import")],
    ),
    Case("gateway without a server", "502", "/public/organization/import", prepare=[fault("page:502", "/import")]),
]


@pytest.mark.lab(scenario="page_a")
@pytest.mark.parametrize("case", SERVER, ids=lambda case: case.name)
def test_refused_by_the_server(lab: Lab, slapd: Slapd, case: Case) -> None:
    organization = Organization(lab)
    case.told(case.run(organization, slapd))


@pytest.mark.lab(scenario="page_a")
@pytest.mark.parametrize("removals", ["none", "absent"])
def test_emptied_directory(lab: Lab, tmp_path: Path, removals: str) -> None:
    """Its tree is there, and nobody in it."""
    organization = Organization(lab)
    synced(organization)
    with Slapd(tmp_path / "empty", Tree(OPENLDAP)) as empty:
        result = organization.sync(empty.options(), **searches(removals=removals, max_removals=1000, max_removals_percent=100))
    Case("", "Nobody was found below ou=People", "users.filter").told(result)
    assert lab.writes() == []
    assert len(organization.members) == COUNT


@pytest.mark.lab(scenario="page_a")
def test_down_in_the_middle_of_paging(lab: Lab, slapd: Slapd) -> None:
    organization = Organization(lab)
    with Broken(slapd.port, 30000) as way:
        result = organization.sync(slapd.options(tls="none", port=way.port, page_size=100), **searches(removals="absent"))
    Case("", "was lost after ", "directory.hosts").told(result)
    assert lab.writes() == []


@pytest.mark.lab(scenario="page_a")
def test_key_without_the_scopes(lab: Lab, slapd: Slapd) -> None:
    """A key for some purposes only needs those of members and groups, to read and to write."""
    organization = Organization(lab)
    scopes = [f"api.organization.{room}.{verb}" for room in ("members", "groups") for verb in ("read", "write")]
    for number, (given, works) in enumerate(((scopes, True), (scopes[:1], False)), 1):
        key = f"00000000-0000-4000-8000-00000000000{number}"
        row = {"organizationId": organization.id, "apiKey": "x" * 30, "scopes": given, "expireAt": None}
        lab.put_row("selfhost", "scoped_api_key", id=key, **row)
        account = {"client_id": f"organization.{organization.id}.{key}", "client_secret": "x" * 30}
        case = Case("", "403", "/public/groups", account=lambda _found, account=account: account, users={"filter": "(uid=p00*)"})
        result = case.run(organization, slapd)
        if works:
            assert ok(result)["plan"]["invite"] == 10
        else:
            case.told(result)


@pytest.mark.lab(scenario="page_a")
def test_all_problems_at_once(lab: Lab, slapd: Slapd) -> None:
    organization = Organization(lab)
    result = organization.sync(slapd.options(port=0, bind_dn=""), **searches(users={"filter": "("}, max_removals=-1))
    assert "4 problems, nothing was changed" in result["msg"]
