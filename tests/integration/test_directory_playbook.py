# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Page D as its user runs it: ansible-playbook with real directories and the lab's server."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from tests.bwdc import G2, Bwdc, people
from tests.bwdc.handle import READER
from tests.demo import LOCAL, Demo, Pass, demo
from tests.directory import ACTIVE_DIRECTORY, OPENLDAP, Person, Slapd, Tree
from tests.integration.connector_helpers import SYNC, ldap
from tests.integration.directory_timer import native, secrets_of
from tests.integration.directory_world import Organization, searches, small
from tests.integration.test_directory_sync import PEOPLE_COUNT, grand

PLAYBOOK = "playbooks/directory_sync.yml"
Options = dict[str, t.Any]
KINDS: dict[str, Options] = {OPENLDAP: {}, ACTIVE_DIRECTORY: {"active_directory": True}}


@pytest.fixture(scope="module")
def page() -> t.Iterator[Demo]:
    with demo() as found:
        yield found


@pytest.fixture(autouse=True)
def fresh(page: Demo) -> None:
    page.lab.reset()


def declare(page: Demo, *profiles: Options) -> None:
    variables = {"directory_sync_profiles": list(profiles), "directory_sync_packages": []}
    page.write_inventory({"directories": {"hosts": {"localhost": dict(LOCAL)}, "vars": variables}})


def done(page: Demo, *arguments: str) -> Pass:
    """Run the playbook, which must succeed."""
    ran = page.playbook("--diff", *arguments, playbook=PLAYBOOK)
    assert ran.code == 0, ran.output
    return ran


def refused(page: Demo, *arguments: str) -> str:
    """Run the playbook, which must fail, and write nothing; return what it said."""
    page.lab.clear_requests()
    ran = page.playbook(*arguments, playbook=PLAYBOOK)
    assert ran.code != 0, ran.output
    assert page.lab.writes() == []
    return ran.output


def profile(page: Demo, slapd: Slapd, tree: str = OPENLDAP, **options: t.Any) -> Options:
    sync = native(Organization(page.lab), slapd.options(tree, **KINDS[tree]), **searches(tree), removals="absent")
    return {"name": "corp", "run": "sync", **sync, **options}


def shown(ran: Pass) -> tuple[set[str], set[str]]:
    """The addresses in the diff: of whom it adds, and of whom it takes away."""
    marked = re.findall(r"^([+-]) *member (\S+@\S+?):", ran.output, re.MULTILINE)
    return {name for mark, name in marked if mark == "+"}, {name for mark, name in marked if mark == "-"}


@pytest.mark.parametrize("tree", KINDS)
def test_an_organization_follows_a_directory(page: Demo, tmp_path: Path, tree: str) -> None:
    start = grand(tree)
    with Slapd(tmp_path / "slapd", start) as slapd:
        declare(page, profile(page, slapd, tree))
        page.lab.forbid_writes()
        checked = done(page, "--check")
        assert (checked.changed, page.lab.writes()) == (1, [])
        page.lab.forbid_writes(False)
        synced = done(page)
        assert shown(synced) == shown(checked)
        organization = Organization(page.lab)
        assert len(organization.members) == PEOPLE_COUNT - (1 if tree == OPENLDAP else 3)

        page.lab.clear_requests()
        page.lab.forbid_writes()
        assert done(page).changed == 0
        assert page.lab.writes() == []
        page.lab.forbid_writes(False)

        known = start.people
        joiners, leavers, movers = [Person(f"new{n}") for n in range(30)], known[100:110], known[200:205]
        slapd.change("".join(map(start.person_ldif, joiners)), tree)
        slapd.change("".join(f"dn: {start.person_dn(one)}\nchangetype: delete\n\n" for one in leavers), tree)
        slapd.change("".join(move(start, one) for one in movers), tree)
        declare(page, profile(page, slapd, tree, relink=True, max_removals=10))
        before = organization.members
        day = done(page)
        gone = {one.addresses[0] for one in leavers}
        assert set(organization.members) == set(before) - gone | {one.addresses[0] for one in joiners}
        assert shown(day)[1] >= gone
        changed = {mail for mail, known_as in organization.members.items() if before.get(mail, known_as) != known_as}
        assert changed == ({one.addresses[0] for one in movers} if tree == OPENLDAP else set())
        page.lab.clear_requests()
        assert (done(page).changed, page.lab.writes()) == (0, [])


def move(tree: Tree, person: Person) -> str:
    """Move somebody to the other unit, as LDIF."""
    name, _unused, place = tree.person_dn(person).partition(",")
    other = place.removeprefix("ou=Engineering,") if person.unit else f"ou=Engineering,{place}"
    return f"dn: {name},{place}\nchangetype: modrdn\nnewrdn: {name}\ndeleteoldrdn: 0\nnewsuperior: {other}\n\n"


def test_a_preview_shows_the_plan_without_being_asked_and_changes_nothing(page: Demo, tmp_path: Path) -> None:
    with Slapd(tmp_path / "slapd", small()) as slapd:
        declare(page, profile(page, slapd, run="preview"))
        page.lab.forbid_writes()
        ran = page.playbook(playbook=PLAYBOOK)
        assert (ran.code, page.lab.writes()) == (0, [])
        assert len(shown(ran)[0]) == 12
        assert re.search(r"invite: '?12'?", ran.output), ran.output
        page.lab.forbid_writes(False)


def test_an_emptied_or_shrunken_directory_is_refused(page: Demo, tmp_path: Path) -> None:
    people = tuple(Person(f"u{number}") for number in range(20))
    with Slapd(tmp_path / "slapd", Tree(OPENLDAP, people)) as slapd:
        declare(page, profile(page, slapd))
        done(page)
        slapd.change("".join(f"dn: {Tree(OPENLDAP).person_dn(one)}\nchangetype: delete\n\n" for one in people[:12]))
        said = refused(page)
        assert re.search(r"\b12\b.*\b20\b", said, re.DOTALL), said
        slapd.change("".join(f"dn: {Tree(OPENLDAP).person_dn(one)}\nchangetype: delete\n\n" for one in people[12:]))
        refused(page)
        assert len(Organization(page.lab).members) == 20


def test_nobody_sees_a_secret(page: Demo, tmp_path: Path) -> None:
    with Slapd(tmp_path / "slapd", small()) as slapd:
        declare(page, profile(page, slapd), {**profile(page, slapd), "name": "again", "run": "preview"})
        ran = page.playbook("--diff", "-vvvv", playbook=PLAYBOOK)
        assert ran.code == 0, ran.output
        for secret in secrets_of(Organization(page.lab)):
            assert secret not in ran.output


@pytest.fixture
def connector(page: Demo, tmp_path: Path) -> Bwdc:
    return Bwdc(tmp_path / "bwdc-world", proxy=page.lab.proxy_url)


def connected(page: Demo, bwdc: Bwdc, tmp_path: Path, **options: t.Any) -> Options:
    archive = bwdc.archive(G2)
    return {
        "name": "official",
        "backend": "bwdc",
        "run": "sync",
        **Organization(page.lab).options,
        "ca_path": page.lab.ca_path,
        "archive": str(archive.path),
        "sha256": archive.sha256,
        "version": G2,
        "data_dir": str(tmp_path / "bwdc"),
        "directory": {"ldap": ldap()},
        "sync": SYNC,
        **options,
    }


def test_the_official_connector(page: Demo, connector: Bwdc, tmp_path: Path) -> None:
    declare(page, connected(page, connector, tmp_path))
    page.lab.forbid_writes()
    done(page, "--check")
    assert page.lab.writes() == []
    page.lab.forbid_writes(False)
    assert done(page).changed == 1
    assert set(Organization(page.lab).members) == {f"u{number}@example.com" for number in (1, 2, 3)}

    page.lab.clear_requests()
    assert done(page).changed == 0
    assert page.lab.writes() == []
    connector.populate(people(5))
    assert done(page, "--check").changed == 1
    assert done(page).changed == 1
    assert len(Organization(page.lab).members) == 5

    ran = page.playbook("--diff", "-vvvv", playbook=PLAYBOOK)
    for secret in (*secrets_of(Organization(page.lab)), READER["password"]):
        assert secret not in ran.output
    declare(page, {"name": "official", "backend": "bwdc", "state": "absent", "data_dir": str(tmp_path / "bwdc")})
    assert done(page).changed == 1
    assert not (tmp_path / "bwdc").exists()
    assert done(page).changed == 0


def test_two_backends_on_one_host(page: Demo, connector: Bwdc, tmp_path: Path) -> None:
    with Slapd(tmp_path / "slapd", small()) as slapd:
        declare(page, profile(page, slapd), connected(page, connector, tmp_path, run="none"))
        done(page)
        assert len(Organization(page.lab).members) == 12
        assert (tmp_path / "bwdc/data.json").exists()
        assert done(page).changed == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"removal": "absent"}, "removal"),
        ({"backend": "ldapsync"}, "backend"),
        ({"run": "now"}, "run"),
        ({"users": {"bases": "x"}}, "bases"),
        ({"client_id": "user.0f0e0d0c-0b0a-4908-8706-050403020100"}, "person"),
        ({"schedule": {"on_calendar": "hourly", "every": 5}}, "every"),
    ],
)
def test_bad_input_is_refused(page: Demo, tmp_path: Path, options: Options, said: str) -> None:
    options = {**profile(page, Slapd(tmp_path / "slapd")), **options}
    declare(page, options)
    assert said in refused(page)


def test_two_profiles_of_one_name_are_refused(page: Demo, tmp_path: Path) -> None:
    options = profile(page, Slapd(tmp_path / "slapd"))
    declare(page, options, options)
    assert "the same name" in refused(page)
