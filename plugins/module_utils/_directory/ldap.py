# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A directory that speaks LDAP, by whichever library is installed."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._directory import with_python_ldap
from ansible_collections.bw.selfhost.plugins.module_utils._directory.connection import (
    DOWN,
    LATE,
    Connection,
    Query,
    Result,
)
from ansible_collections.bw.selfhost.plugins.module_utils._directory.failures import bind_failed, search_failed
from ansible_collections.bw.selfhost.plugins.module_utils._directory.way import PORTS, Way
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Entry
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import Problems, SelfhostError

# What Active Directory calls an attribute of which it gives only so many values (1,500) in one answer.
_RANGE = re.compile(r"(.+);range=\d+-(\d+|\*)", re.IGNORECASE)


def connect(options: t.Mapping[str, t.Any]) -> Directory:
    """Log in to the first server that can be reached. A server that refuses the log-in ends the search for one.

    Args:
        options: the module's O(directory), completed (C(directory_options.connection)).
    """
    ways = [_way(host, options) for host in options["hosts"] if host.strip()]
    library, obstacles = _library(), []
    who, password = ("", "") if options["anonymous"] else (options["bind_dn"], options["bind_password"])
    for way in ways:
        try:
            connection = library(way)
        except Result:
            obstacles.append(way.obstacle())
            continue
        found = Directory(connection, way, who, options["page_size"])
        try:
            connection.bind(who, password)
        except Result as result:
            found.close()
            if result.code not in (DOWN, LATE):
                raise bind_failed(result, host=way.address, who=found.who) from None
            obstacles.append(way.obstacle())
            continue
        return found
    raise obstacles[0] if len(obstacles) == 1 else Problems(obstacles)


def _way(host: str, options: t.Mapping[str, t.Any]) -> Way:
    way = Way(
        host.strip(),
        options.get("port") or PORTS[options["tls"]],
        options["tls"],
        options["validate_certs"],
        options.get("ca_path"),
        options["timeout"],
    )
    if way.ca_path and way.tls != "none":
        way.context()
    return way


def _library() -> type[Connection]:
    if with_python_ldap.installed():
        return with_python_ldap.Connection
    from ansible_collections.bw.selfhost.plugins.module_utils._directory import with_ldap3  # only where it is needed: it is slow

    if with_ldap3.installed():
        return with_ldap3.Connection
    raise SelfhostError(
        "There is no Python library for LDAP here.",
        field="directory",
        remedy="Install python-ldap (Debian: python3-ldap) or ldap3 where the task runs.",
    )


class Directory:
    """A directory, with somebody logged in. It is a context manager."""

    def __init__(self, connection: Connection, way: Way, who: str, page_size: int) -> None:
        self._connection = connection
        self._way = way
        self._page_size = page_size
        self.who = who or "an anonymous client"

    def __enter__(self) -> Directory:  # noqa: PYI034 - Python 3.9 has no Self
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def search(self, base: str, filter: str, attributes: t.Sequence[str], option: str) -> list[Entry]:
        """Return all entries at and below C(base) that pass the filter, in the server's order. Referrals are left alone.

        Args:
            base: a distinguished name.
            filter: which entries.
            attributes: what is wanted of them.
            option: for errors, the option whose C(base) and C(filter) these are.

        Raises:
            SelfhostError: also when the answer is not the whole one.
        """
        query, cookie = Query(base, filter, list(attributes)), b""
        found: list[Entry] = []
        try:
            while True:
                entries, cookie = self._connection.page(query, self._page_size, cookie)
                found += map(self._whole, entries)
                if not cookie:
                    return found
        except Result as result:
            places = {"host": self._way.address, "timeout": f"{self._way.timeout:g}", "who": self.who, "base": base}
            raise search_failed(result, option=option, count=len(found), **places) from None

    def _whole(self, entry: Entry) -> Entry:
        """Ask for the values that are missing of attributes that came in part."""
        parts = {name: part for name in entry.attributes if (part := _RANGE.fullmatch(name))}
        whole = {part[1]: self._values(entry, name, part) for name, part in parts.items()}
        return Entry(entry.dn, {**entry.attributes, **whole}) if whole else entry

    def _values(self, entry: Entry, name: str, part: re.Match[str]) -> list[bytes]:
        values, last = list(entry.attributes[name]), part[2]
        while last != "*":
            query = Query(entry.dn, "(objectClass=*)", [f"{part[1]};range={int(last) + 1}-*"], deep=False)
            entries, _cookie = self._connection.page(query, 1, b"")
            rest = {
                found[2]: one.attributes[key] for one in entries for key in one.attributes if (found := _RANGE.fullmatch(key))
            }
            if not rest:
                raise Result(DOWN)
            last, more = rest.popitem()
            values += more
        return values
