# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LDAP by the library ldap3, which needs no compiler. Every failure is a C(Result)."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._directory.connection import DOWN, FILTER, LATE, SUCCESS, Query, Result
from ansible_collections.bw.selfhost.plugins.module_utils._directory.way import Way
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Entry

try:
    import ldap3
    from ldap3.core.exceptions import LDAPExceptionError, LDAPInvalidFilterError, LDAPResponseTimeoutError
except ImportError:
    ldap3 = None


def installed() -> bool:
    """Say whether the library is here."""
    return ldap3 is not None


_PAGED = "1.2.840.113556.1.4.319"


def _tls(way: Way) -> t.Any:
    """TLS by Python itself: the library's own look at names knows no addresses, and sends no name to the server."""
    found, context = ldap3.Tls(), way.context()

    def wrap_socket(connection: t.Any, do_handshake: bool = False) -> None:  # noqa: ARG001 - the library gives it
        connection.socket = context.wrap_socket(connection.socket, server_hostname=way.host)

    found.wrap_socket = wrap_socket
    return found


class Connection:
    """See C(connection.Connection)."""

    def __init__(self, way: Way) -> None:
        self._timeout = way.timeout
        tls = None if way.tls == "none" else _tls(way)
        with _results():
            server = ldap3.Server(
                way.host,
                way.port,
                use_ssl=way.tls == "ldaps",
                tls=tls,
                get_info=ldap3.NONE,
                connect_timeout=way.timeout,
            )
            self._ldap = ldap3.Connection(
                server,
                auto_referrals=False,
                auto_range=False,
                check_names=False,
                return_empty_attributes=False,
                receive_timeout=way.timeout,
            )
            self._ldap.open(read_server_info=False)
            if way.tls == "starttls":
                self._ldap.start_tls(read_server_info=False)

    def bind(self, who: str, password: str) -> None:
        """Log in."""
        self._ldap.user, self._ldap.password = who, password
        self._ldap.authentication = ldap3.SIMPLE if who else ldap3.ANONYMOUS
        with _results():
            self._ldap.bind(read_server_info=False)
            self._check()

    def page(self, query: Query, size: int, cookie: bytes) -> tuple[list[Entry], bytes]:
        """Return the next entries and the cookie of those after them."""
        with _results():
            self._ldap.search(
                query.base,
                query.filter,
                ldap3.SUBTREE if query.deep else ldap3.BASE,
                ldap3.DEREF_NEVER,
                query.attributes,
                time_limit=int(self._timeout),
                paged_size=size,
                paged_cookie=cookie or None,
            )
            self._check()
        rows = [row for row in self._ldap.response if row["type"] == "searchResEntry"]
        control = (self._ldap.result.get("controls") or {}).get(_PAGED) or {"value": {"cookie": b""}}
        return [Entry(row["dn"], dict(row["raw_attributes"])) for row in rows], bytes(control["value"]["cookie"] or b"")

    def _check(self) -> None:
        found = self._ldap.result
        if found["result"] != SUCCESS:
            raise Result(found["result"], found.get("message") or found.get("description") or "")

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(LDAPExceptionError, OSError):
            self._ldap.unbind()


@contextlib.contextmanager
def _results() -> t.Iterator[None]:
    try:
        yield
    except LDAPInvalidFilterError:
        raise Result(FILTER) from None
    except (LDAPExceptionError, OSError) as error:
        late = isinstance(error, LDAPResponseTimeoutError) or "timed out" in str(error)  # of a socket's, only the words are left
        raise Result(LATE if late else DOWN, str(error)) from None
