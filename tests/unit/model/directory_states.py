"""Small directories and organizations, for Hypothesis, and a server that imports as the real one does."""

from __future__ import annotations

import dataclasses
import typing as t
import uuid

from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Directory, Entry, map_entries
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_options import Options, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_people import Step
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import Case
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_state import OWNER, Group, Member, State
from hypothesis import strategies as st

PEOPLE, TEAMS = "ou=people,dc=example,dc=test", "ou=groups,dc=example,dc=test"
NAMES = [f"p{number}" for number in range(6)]
CONNECTION = {"hosts": ["ldap.example.test"], "bind_dn": "cn=sync,dc=example,dc=test", "bind_password": "x"}
USER, ADMIN = 2, 1


def options(**other: t.Any) -> Options:
    """Options with everything allowed, unless told otherwise."""
    found: dict[str, t.Any] = {"directory": CONNECTION, "users": {"base": PEOPLE}, "groups": {"base": TEAMS}}
    for name in ("directory", "users"):
        found[name] |= other.pop(name, {})
    return parse({**found, "max_removals": 100, "max_removals_percent": 100, **other})


def person(name: str, place: str = "", **attributes: t.Any) -> Entry:
    """An entry of somebody; attributes are texts, bytes or lists of them."""
    return entry(f"uid={name},{place}{PEOPLE}", **{"uid": name, "mail": f"{name}@example.test", **attributes})


def team(name: str, *members: str, **attributes: t.Any) -> Entry:
    """An entry of a group; members are distinguished names."""
    return entry(f"cn={name},{TEAMS}", **{"cn": name, "member": list(members), **attributes})


def entry(dn: str, **attributes: t.Any) -> Entry:
    several = {name: values if isinstance(values, list) else [values] for name, values in attributes.items()}
    octets = {name: [one if isinstance(one, bytes) else one.encode() for one in values] for name, values in several.items()}
    return Entry(dn, {name: values for name, values in octets.items() if values})


def directory(people: t.Sequence[Entry], teams: t.Sequence[Entry] = (), wanted: Options | None = None) -> Directory:
    wanted = wanted or options()
    return map_entries(people, teams, wanted.users, wanted.groups)


def member(email: str, external_id: str | None = None, role: int = USER, status: str = "confirmed") -> Member:
    return Member(f"id of {email}", email, external_id, role, status)


# --- anything ------------------------------------------------------------------------------------------------------------

_values = st.lists(st.binary(max_size=20) | st.sampled_from([b"p1@example.test", b"512", b"514", b"p1", bytes(16)]), max_size=3)
_attributes = st.dictionaries(
    st.sampled_from(["mail", "MAIL", "uid", "cn", "member", "objectGUID", "userAccountControl", "entryUUID"]), _values
)
_dns = st.sampled_from([f"uid={name},{PEOPLE}" for name in NAMES] + [f"cn={name},{TEAMS}" for name in NAMES]) | st.text(
    max_size=12
)


@st.composite
def any_entries(draw: st.DrawFn) -> list[Entry]:
    """Entries that no directory would have."""
    found = draw(st.dictionaries(_dns, _attributes, max_size=6))
    members = st.lists(_dns.map(str.encode), max_size=4)
    return [
        Entry(dn, {**attributes, "member": [*attributes.get("member", []), *draw(members)]}) for dn, attributes in found.items()
    ]


# --- what a directory and an organization may be --------------------------------------------------------------------------


@st.composite
def directories(draw: st.DrawFn, wanted: Options) -> Directory:
    """A directory that no guard has anything against: people here and there, groups inside of groups, in rings, too."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    people = []
    for name in names:
        place = draw(st.sampled_from(["", "ou=far,"]))
        attributes: dict[str, t.Any] = {"userAccountControl": draw(st.sampled_from(["512", "514"]))}
        if draw(st.booleans()):
            attributes["objectGUID"] = uuid.uuid5(uuid.NAMESPACE_URL, name).bytes_le
        if draw(st.integers(0, 9)) == 0:
            attributes["mail"] = draw(st.sampled_from(["", "nobody", "x" * 300 + "@example.test"]))
        people.append(person(name, place, **attributes))
    inside = [one.dn for one in people] + [f"cn={name},{TEAMS}" for name in ("a", "b", "c")] + ["uid=else,dc=elsewhere"]
    teams = [
        team(draw(st.just(name)), *draw(st.lists(st.sampled_from(inside), unique=True)))
        for name in draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True))
    ]
    return directory(people, teams, wanted)


@st.composite
def states(draw: st.DrawFn) -> State:
    """An organization that may have been made by hand, by this directory, or by another one."""
    ids = [f"uid={name},{place}{PEOPLE}" for name in NAMES for place in ("", "ou=far,")]
    ids += [str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in NAMES] + ["uid=x,dc=elsewhere", "scim-1"]
    left = draw(st.permutations(ids))
    members = []
    for name in draw(st.lists(st.sampled_from([*NAMES, "other"]), unique=True)):
        external_id = left.pop() if draw(st.booleans()) else None
        role = draw(st.sampled_from([USER, USER, ADMIN, OWNER]))
        status = draw(st.sampled_from(["invited", "accepted", "confirmed", "revoked", "staged"]))
        members.append(member(f"{name}@example.test", external_id, role, status))
    inside = st.frozensets(st.sampled_from([one.id for one in members])) if members else st.just(frozenset())
    groups = [
        Group(f"id of {name}", draw(st.sampled_from([name, "renamed"])), external_id, draw(inside))
        for name, external_id in (("a", f"cn=a,{TEAMS}"), ("b", f"cn=b,{TEAMS}"), ("old", f"cn=old,{TEAMS}"), ("hand", None))
        if draw(st.booleans())
    ]
    return State(tuple(members), tuple(groups))


# --- the server ----------------------------------------------------------------------------------------------------------


def applied(case: Case) -> State:
    """Return what an organization is after all steps; the import's order and rules are the server's."""
    server = _Server(case.state)
    for step in case.steps:
        server.take(step)
    return State(tuple(server.members.values()), tuple(server.groups.values()))


class _Server:
    def __init__(self, state: State) -> None:
        self.members = {one.id: one for one in state.members}
        self.groups = {one.id: one for one in state.groups}

    def take(self, step: Step) -> None:
        if step.action == "relink":
            self.members[step.id] = dataclasses.replace(self.members[step.id], external_id=step.external_id)
        elif step.action == "restore":
            self.members[step.id] = dataclasses.replace(self.members[step.id], status="confirmed")
        elif step.action == "group_delete":
            del self.groups[step.id]
        elif step.entry is not None and "name" in step.entry:
            self._group(step.entry)
        elif step.entry is not None:
            self._member(step.entry)

    def _by_id(self) -> dict[str, Member]:
        return {one.external_id: one for one in self.members.values() if one.external_id}

    def _member(self, entry: t.Mapping[str, t.Any]) -> None:
        known = self._by_id().get(entry["externalId"])
        if entry["deleted"]:
            assert known
            assert known.role != OWNER
            del self.members[known.id]
            self.groups = {
                id: dataclasses.replace(group, members=group.members and group.members - {known.id})
                for id, group in self.groups.items()
            }
            return
        same = next((one for one in self.members.values() if one.email == entry["email"]), None)
        if known is None and same is None:
            new = member(entry["email"], entry["externalId"], status="invited")
            self.members[new.id] = new
        elif known is None and same is not None and same.external_id is None:
            self.members[same.id] = dataclasses.replace(same, external_id=entry["externalId"])

    def _group(self, entry: t.Mapping[str, t.Any]) -> None:
        known, by_id = next((one for one in self.groups.values() if one.external_id == entry["externalId"]), None), self._by_id()
        members = frozenset(by_id[id].id for id in entry["memberExternalIds"] if id in by_id)
        id = known.id if known else f"id of {entry['externalId']}"
        self.groups[id] = Group(id, entry["name"], entry["externalId"], members)
