"""What stands in a directory, as LDIF: people and teams in a tree like OpenLDAP's or like Active Directory's."""

from __future__ import annotations

import base64
import dataclasses
import typing as t
import uuid
from dataclasses import dataclass

OPENLDAP, ACTIVE_DIRECTORY = "dc=example,dc=test", "dc=ad,dc=test"
UNITS = ("People", "Engineering", "Groups", "Services")

# What OpenLDAP's own schemas lack of Active Directory's. The numbers are those for experiments (1.3.6.1.4.1.4203.666).
SCHEMA = """
attributetype ( 1.3.6.1.4.1.4203.666.1.901 NAME 'objectGUID'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.1.902 NAME 'userAccountControl'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.1.903 NAME 'sAMAccountName'
  EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.3.901 NAME 'securityPrincipal' SUP top AUXILIARY
  MAY ( objectGUID $ userAccountControl $ sAMAccountName $ name ) )
objectclass ( 1.3.6.1.4.1.4203.666.3.902 NAME 'group' SUP top STRUCTURAL
  MUST cn MAY ( member $ description ) )
"""


@dataclass(frozen=True)
class Person:
    """Somebody in a tree.

    Attributes:
        uid: the account's name.
        unit: the organizational unit below People, none for People itself.
        mails: e-mail addresses; by default one made of the uid.
        control: userAccountControl, in Active Directory only.
        surname: by default the uid.
    """

    uid: str
    unit: str = ""
    mails: tuple[str, ...] | None = None
    control: int = 512
    surname: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        return (f"{self.uid}@example.test",) if self.mails is None else self.mails


@dataclass(frozen=True)
class Team:
    """A group in a tree.

    Attributes:
        name: its name.
        people: uids of its members.
        teams: names of the groups inside of it.
        posix: whether its members are written as uids, in capitals.
    """

    name: str
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    posix: bool = False


@dataclass(frozen=True)
class Tree:
    """A whole tree below a suffix, C(OPENLDAP) or C(ACTIVE_DIRECTORY)."""

    suffix: str
    people: tuple[Person, ...] = ()
    teams: tuple[Team, ...] = ()
    accounts: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def active(self) -> bool:
        return self.suffix == ACTIVE_DIRECTORY

    def person_dn(self, person: Person) -> str:
        place = f"ou={person.unit},ou=People" if person.unit else "ou=People"
        return f"{'cn' if self.active else 'uid'}={person.uid},{place},{self.suffix}"

    def team_dn(self, name: str) -> str:
        return f"cn={name},ou=Groups,{self.suffix}"

    def guid(self, name: str) -> uuid.UUID:
        """The objectGUID of a person (by uid) or team (by name)."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.suffix}/{name}")

    def external_id(self, person: Person) -> str:
        """The id by which a server knows somebody."""
        return str(self.guid(person.uid)) if self.active else self.person_dn(person)

    def ldif(self) -> t.Iterator[str]:
        """All entries, parents first."""
        yield entry(self.suffix, objectClass=["dcObject", "organization"], dc=self.suffix[3:].partition(",")[0], o="Example")
        for unit in UNITS:
            parent = f"ou=People,{self.suffix}" if unit == "Engineering" else self.suffix
            yield entry(f"ou={unit},{parent}", objectClass="organizationalUnit", ou=unit)
        for name, password in self.accounts.items():
            dn = f"cn={name},ou=Services,{self.suffix}"
            yield entry(dn, objectClass=["organizationalRole", "simpleSecurityObject"], cn=name, userPassword=password)
        yield from map(self.person_ldif, self.people)
        yield from map(self.team_ldif, self.teams)

    def person_ldif(self, person: Person) -> str:
        about: dict[str, t.Any] = {"objectClass": ["inetOrgPerson"], "cn": person.uid, "mail": person.addresses}
        about["sn"] = person.surname or person.uid
        if self.active:
            about["objectClass"] += ["securityPrincipal"]
            about |= {"objectGUID": self.guid(person.uid).bytes_le, "name": person.uid}
            about |= {"sAMAccountName": person.uid, "userAccountControl": person.control}
        else:
            about["uid"] = person.uid
        return entry(self.person_dn(person), **about)

    def team_ldif(self, team: Team) -> str:
        if team.posix:
            uids = [uid.upper() for uid in team.people]
            return entry(self.team_dn(team.name), objectClass="posixGroup", cn=team.name, gidNumber=1000, memberUid=uids)
        where = {person.uid: person for person in self.people}
        members = [self.person_dn(where[uid]) for uid in team.people] + [self.team_dn(name) for name in team.teams]
        about: dict[str, t.Any] = {"objectClass": ["groupOfNames"], "cn": team.name}
        if self.active:
            about["objectClass"] = ["group", "securityPrincipal"]
            about |= {"name": team.name, "objectGUID": self.guid(team.name).bytes_le}
        return entry(self.team_dn(team.name), **about, member=members)


def entry(dn: str, **attributes: t.Any) -> str:
    """One entry as LDIF; a value is a text, a number, bytes, or several of them."""
    lines = [_line("dn", dn)]
    for name, values in attributes.items():
        several = values if isinstance(values, (list, tuple)) else [values]
        lines += [_line(name, value) for value in several]
    return "\n".join(lines) + "\n\n"


def _line(name: str, value: str | int | bytes) -> str:
    data = value if isinstance(value, bytes) else str(value).encode()
    if isinstance(value, bytes) or not str(value).isascii() or str(value)[:1] in " :<":
        return f"{name}:: {base64.b64encode(data).decode()}"
    return f"{name}: {value}"
