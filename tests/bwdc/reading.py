"""Reads the directory of the world, a JSON file, the way the connector reads a real one.

An entry has C(dn) (its reference), perhaps C(guid) (its external id), C(email) or C(name), C(members) (references), C(disabled),
C(deleted) and C(changed) (ISO time). C(filters) says which references a filter finds; what it does not know finds nobody.
Source: bitwarden/directory-connector libs/services/sync.service.ts, directory-services/*.ts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .errors import Failure, null_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Json = dict[str, t.Any]

OBJECTS = {0: "directoryLdap", 1: "directoryEntra", 2: "directoryGsuite", 3: "directoryOkta", 4: "directoryOnelogin"}
_REQUIRED = {
    0: ("hostname", "port"),
    1: ("identityAuthority", "tenant", "applicationId", "key"),
    2: ("clientEmail", "privateKey", "domain", "adminUser"),
    3: ("orgUrl", "token"),
    4: ("clientId", "clientSecret", "region"),
}
_SECRETS = {1: "key", 2: "privateKey", 3: "token", 4: "clientSecret"}


@dataclass
class Group:
    reference: str
    external_id: str
    name: str
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class User:
    reference: str
    external_id: str
    email: str | None
    disabled: bool = False
    deleted: bool = False


class Reading:
    """One look at the directory with the options of the data file."""

    def __init__(self, world: Json, kind: int | None, options: Json | None, sync: Json) -> None:
        if kind is None:
            raise Failure("No directory configured.")
        self._world = world
        self._kind = kind
        self._options = options or {}
        self._sync = sync
        if any(self._options.get(name) in (None, "") for name in _REQUIRED[kind]):
            raise Failure("Directory configuration incomplete.")

    def entries(self, force: bool, test: bool, since: str | None) -> tuple[list[Group], list[User]]:
        """Return groups and users; without C(force) only what has changed, where there is a way to know that."""
        suffix = self._connect()
        delta = None if force or not self._sync.get("revisionDateAttribute") else since
        users: list[User] = []
        if self._sync.get("users"):
            users = [self._user(row) for row in self._found("users", suffix, delta) if not row.get("deleted")]
            if self._kind or ((test or force) and self._options.get("ad")):
                users += [self._user(row) for row in self._world["users"] if row.get("deleted")]
        groups: list[Group] = []
        if self._sync.get("groups"):
            changed = any(not user.deleted and not user.disabled for user in users)
            if changed or self._found("groups", suffix, delta):
                groups = [self._group(row) for row in self._found("groups", suffix, None)]
        users = [user for user in users if user.email and len(user.email) <= 256]
        flatten(groups)
        return groups, unique(users)

    def _connect(self) -> str:
        """Be let in, and return where the search begins."""
        if self._kind:
            wanted = (self._world.get("secrets") or {}).get(OBJECTS[self._kind])
            if wanted is not None and self._options[_SECRETS[self._kind]] != wanted:
                raise Failure("Unauthorized")
            return ""
        options, world = self._options, self._world
        if not options.get("username") or not options.get("password"):
            raise Failure("Username/password are not configured.")
        host, port = str(options["hostname"]).lower(), options["port"]
        if world.get("down") or (host, port) != (world.get("host", "ldap.example.com"), world.get("port", 636)):
            raise Failure(f"connect ECONNREFUSED {host}:{port}")
        if options.get("ssl") and world.get("ca") and not options.get("sslAllowUnauthorized"):
            given = options.get("tlsCaPath" if options.get("startTls") else "sslCaPath")
            if not given or not Path(given).exists() or Path(given).read_text() != Path(world["ca"]).read_text():
                raise Failure("self-signed certificate")
        account = (world.get("username", "cn=reader,dc=example,dc=com"), world.get("password", "reader-password-1"))
        if (options["username"], options["password"]) != account:
            raise Failure("Invalid credentials Code: 0x31")
        if options.get("rootPath") is None:
            raise Failure(null_property("toLowerCase"))
        root = str(options["rootPath"]).lower()
        return root[root.index("dc=") :] if "dc=" in root else ""

    def _found(self, kind: str, suffix: str, since: str | None) -> list[Json]:
        rows = list(self._world[kind])
        if self._kind == 0:
            path = self._sync.get("userPath" if kind == "users" else "groupPath")
            base = ",".join(filter(None, (path, suffix)))
            rows = [row for row in rows if row["dn"].lower().endswith(base.lower())]
            if not rows and base.lower() not in self._world.get("bases", []):
                raise Failure("No such object Code: 0x20")
        rows = self._filtered(kind, rows)
        limit = self._world.get("size_limit")
        if self._kind == 0 and limit is not None and len(rows) > limit:
            raise Failure("Size limit exceeded Code: 0x4")
        return [row for row in rows if since is None or row.get("changed", "") >= since]

    def _filtered(self, kind: str, rows: list[Json]) -> list[Json]:
        text = self._sync.get("userFilter" if kind == "users" else "groupFilter")
        if not text:
            return rows
        if self._kind == 0:
            known = (self._world.get("filters") or {}).get(text, [])
            return [row for row in rows if row["dn"] in known]
        word, colon, values = text.partition("|")[0].partition(":")
        if not colon or ":" in values or word.strip().lower() not in ("include", "exclude"):
            return rows
        named = {value.strip().lower() for value in values.split(",")}
        key = "email" if kind == "users" else "name"
        return [row for row in rows if (row[key].lower() in named) == (word.strip().lower() == "include")]

    def _user(self, row: Json) -> User:
        email = row.get("email")
        flags = bool(row.get("disabled")), bool(row.get("deleted"))
        return User(row["dn"], row.get("guid") or row["dn"], email.strip().lower() if email else None, *flags)

    def _group(self, row: Json) -> Group:
        ids = {user["dn"]: user.get("guid") or user["dn"] for user in self._world["users"] if not user.get("deleted")}
        members = row.get("members", [])
        own = [ids[one] for one in members if one in ids]
        return Group(row["dn"], row.get("guid") or row["dn"], row["name"], own, [one for one in members if one not in ids])


def flatten(groups: list[Group]) -> None:
    """Give each group the users of all groups in it; circles are cut."""
    direct = {group.reference: list(group.users) for group in groups}
    below = {group.reference: group.groups for group in groups}

    def users(reference: str, seen: set[str]) -> list[str]:
        if reference in seen or reference not in direct:
            return []
        seen.add(reference)
        return direct[reference] + [user for one in below[reference] for user in users(one, seen)]

    for group in groups:
        group.users = list(dict.fromkeys(users(group.reference, set())))


def unique(users: list[User]) -> list[User]:
    """Refuse different users with one address; the same one twice is one."""
    found: dict[str, User] = {}
    kept, twice = [], []
    for user in users:
        known = found.setdefault(str(user.email), user)
        if known is user or (known.deleted and user.deleted):
            kept.append(user)
        elif known != user and not user.deleted:
            twice.append(str(user.email))
    if twice:
        more = [f"and {len(twice) - 3} more..."] if len(twice) > 3 else []
        first = "Emails must be unique. Multiple entries pulled with the following emails:"
        raise Failure("\n".join([first, *twice[:3], *more]))
    return kept
