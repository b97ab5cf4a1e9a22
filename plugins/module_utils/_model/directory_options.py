# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of a directory's synchronization: their defaults, their meaning, and which of them make no sense.

A profile that names only what differs from the defaults is as good as a module's complete options.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_filter import compose, flaw, search_base
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all

Params = t.Mapping[str, t.Any]
Problems = t.Iterator[SelfhostError]
TLS = ("ldaps", "starttls", "none")
REMOVALS = ("none", "disabled", "absent")
ABSENT_GROUPS = ("keep", "report", "delete")

AUTO = "auto"
DIRECTORY: Params = {
    "tls": "ldaps",
    "validate_certs": True,
    "anonymous": False,
    "active_directory": False,
    "timeout": 30,
    "page_size": 500,
}
USERS: Params = {"external_id_attribute": AUTO}
GROUPS: Params = {"external_id_attribute": AUTO, "absent": "keep"}
SYNC: Params = {
    "removals": "none",
    "relink": False,
    "restore": False,
    "invite": True,
    "max_removals": 5,
    "max_removals_percent": 10,
    "min_directory_users": 1,
}
# What kind of directory -> what its entries have. The official connector's, for Active Directory.
_OPENLDAP: Params = {
    "user_class": "inetOrgPerson",
    "email": "mail",
    "prefix": "uid",
    "group_class": "groupOfNames",
    "name": "cn",
    "members": "member",
    "base": None,
}
_ACTIVE_DIRECTORY: Params = {
    **_OPENLDAP,
    "user_class": "person",
    "prefix": "sAMAccountName",
    "group_class": "group",
    "name": "name",
    "base": "CN=Users",
}
# Option -> the least and the most that it can be.
_RANGES: t.Mapping[tuple[str, str], tuple[int, int]] = {
    ("directory", "port"): (1, 65535),
    ("directory", "timeout"): (1, 3600),
    ("directory", "page_size"): (1, 10000),
    ("", "max_removals"): (0, 1000000),
    ("", "max_removals_percent"): (0, 100),
    ("", "min_directory_users"): (0, 1000000),
    ("", "seats"): (1, 1000000),
}


@dataclass(frozen=True)
class Rules:
    """Where entries are and how they are known: search base, filter, and the attribute that holds their external id."""

    base: str
    filter: str
    external_id: str

    @property
    def automatic_id(self) -> bool:
        """Whether the external id is objectGUID where there is one, else the distinguished name."""
        return self.external_id == AUTO

    def _wanted(self, *names: str | None) -> list[str]:
        own = "objectGUID" if self.automatic_id else self.external_id
        return list(dict.fromkeys(name for name in (*names, own) if name))


@dataclass(frozen=True)
class UserRules(Rules):
    """How people are read. Without an address, C(prefix) (an attribute) and C(suffix) make one, if there is a suffix."""

    email: str
    prefix: str
    suffix: str | None

    @property
    def attributes(self) -> list[str]:
        """The attributes that are read."""
        return self._wanted(self.email, self.prefix if self.suffix else None, "uid", "userAccountControl")


@dataclass(frozen=True)
class GroupRules(Rules):
    """How groups are read: the attributes that hold their name and their members. C(absent) says what becomes of lost ones."""

    name: str
    members: str
    absent: str

    @property
    def attributes(self) -> list[str]:
        """The attributes that are read."""
        return self._wanted(self.name, "cn", self.members)


@dataclass(frozen=True)
class Options:
    """A synchronization; the fields are the module's options of the same names."""

    users: UserRules
    groups: GroupRules | None
    removals: str
    relink: bool
    restore: bool
    invite: bool
    max_removals: int
    max_removals_percent: int
    min_directory_users: int
    seats: int | None


def connection(params: Params) -> dict[str, t.Any]:
    """Return the options of the connection, completed."""
    return _completed(params, "directory", DIRECTORY)


def parse(params: Params) -> Options:
    """Read the options, or refuse all that is wrong with them at once."""
    refuse_all([*_connection_problems(connection(params)), *_search_problems(params), *_range_problems(params)])
    whole = {**SYNC, **_given(params)}
    groups = params.get("groups")
    fields = {name: whole[name] for name in SYNC}
    return Options(_user_rules(params), _group_rules(params) if groups is not None else None, seats=whole.get("seats"), **fields)


def _given(options: Params | None) -> dict[str, t.Any]:
    return {name: value for name, value in (options or {}).items() if value is not None}


def _completed(params: Params, name: str, defaults: Params) -> dict[str, t.Any]:
    return {**defaults, **_given(params.get(name))}


def _kind(params: Params) -> Params:
    return _ACTIVE_DIRECTORY if connection(params)["active_directory"] else _OPENLDAP


def _base(params: Params, name: str) -> str:
    given = _given(params.get(name)).get("base")
    root = _given(params.get("directory")).get("root_dn")
    return search_base(given or (_kind(params)["base"] if root else None), root)


def _user_rules(params: Params) -> UserRules:
    users, kind = _completed(params, "users", USERS), _kind(params)
    fallback = _given(users.get("email_fallback"))
    return UserRules(
        base=_base(params, "users"),
        filter=compose(users.get("object_class") or kind["user_class"], users.get("filter")),
        external_id=users["external_id_attribute"],
        email=users.get("email_attribute") or kind["email"],
        prefix=fallback.get("prefix_attribute") or kind["prefix"],
        suffix=fallback.get("suffix"),
    )


def _group_rules(params: Params) -> GroupRules:
    groups, kind = _completed(params, "groups", GROUPS), _kind(params)
    return GroupRules(
        base=_base(params, "groups"),
        filter=compose(groups.get("object_class") or kind["group_class"], groups.get("filter")),
        external_id=groups["external_id_attribute"],
        name=groups.get("name_attribute") or kind["name"],
        members=groups.get("member_attribute") or kind["members"],
        absent=groups["absent"],
    )


# --- what makes no sense ---


def _connection_problems(directory: Params) -> Problems:
    if not [host for host in directory.get("hosts") or () if host.strip()]:
        yield SelfhostError(
            "It is not said which directory.", field="directory.hosts", remedy="Name its server, such as ldap.example.com."
        )
    # A password without characters would make it an anonymous bind, which directories accept.
    known = [name for name in ("bind_dn", "bind_password") if (directory.get(name) or "").strip()]
    if directory["anonymous"] and known:
        yield SelfhostError(
            f"{' and '.join(known)} cannot be used anonymously.",
            field="directory.anonymous",
            remedy="Leave out either these or anonymous.",
        )
    for name in () if directory["anonymous"] else ("bind_dn", "bind_password"):
        if name not in known:
            yield SelfhostError(
                f"{name} is missing, and a directory is never searched anonymously unless that is asked for.",
                field=f"directory.{name}",
                remedy="Give bind_dn and bind_password of an account that may read people and groups, or set anonymous.",
            )


def _search_problems(params: Params) -> Problems:
    for name in ("users", "groups"):
        if name == "groups" and params.get("groups") is None:
            continue
        found = flaw(_given(params.get(name)).get("filter") or "")
        if found:
            yield SelfhostError(
                f"The filter is not well formed. {found}", field=f"{name}.filter", remedy="Write it like (!(employeeType=guest))."
            )
        if not _base(params, name):
            yield SelfhostError(
                "It is not said where to search.", field=f"{name}.base", remedy="Write it like ou=People,dc=example,dc=com."
            )
    suffix = _given(_given(params.get("users")).get("email_fallback")).get("suffix")
    if suffix is not None and "@" not in suffix:
        yield SelfhostError(
            f"With the suffix {suffix!r} no e-mail address comes about.",
            field="users.email_fallback.suffix",
            remedy="Write it like @example.com.",
        )


def _range_problems(params: Params) -> Problems:
    for (group, name), (least, most) in _RANGES.items():
        value = _given(params.get(group) if group else params).get(name)
        if value is not None and not least <= value <= most:
            field = f"{group}.{name}" if group else name
            yield SelfhostError(f"{value} is not from {least} to {most}.", field=field, remedy="Choose a value in that range.")
