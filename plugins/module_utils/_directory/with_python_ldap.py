# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LDAP by the library python-ldap, which is OpenLDAP's own. Every failure is a C(Result)."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._directory.connection import DOWN, FILTER, LATE, Query, Result
from ansible_collections.bw.selfhost.plugins.module_utils._directory.way import Way
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Entry

try:
    import ldap
    from ldap.controls import SimplePagedResultsControl
except ImportError:
    ldap = None


def installed() -> bool:
    """Say whether the library is here."""
    return ldap is not None


class Connection:
    """See C(connection.Connection)."""

    def __init__(self, way: Way) -> None:
        self._timeout = way.timeout
        with _results():
            self._ldap = ldap.initialize(way.url)
            self._ldap.timeout = way.timeout
            for option, value in _options(way):
                self._ldap.set_option(option, value)
            if way.tls == "starttls":
                self._ldap.start_tls_s()

    def bind(self, who: str, password: str) -> None:
        """Log in."""
        with _results():
            self._ldap.simple_bind_s(who, password)

    def page(self, query: Query, size: int, cookie: bytes) -> tuple[list[Entry], bytes]:
        """Return the next entries and the cookie of those after them."""
        scope = ldap.SCOPE_SUBTREE if query.deep else ldap.SCOPE_BASE
        control = SimplePagedResultsControl(False, size=size, cookie=cookie)
        limit = int(self._timeout)
        with _results():
            asked = self._ldap.search_ext(query.base, scope, query.filter, query.attributes, serverctrls=[control], timeout=limit)
            _kind, rows, _id, controls = self._ldap.result3(asked, timeout=self._timeout)
        found = (one.cookie for one in controls if one.controlType == SimplePagedResultsControl.controlType)
        return [Entry(dn, values) for dn, values in rows if dn is not None], bytes(next(found, b"") or b"")  # None: a referral

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(ldap.LDAPError):
            self._ldap.unbind_s()


def _options(way: Way) -> t.Iterator[tuple[int, t.Any]]:
    """All that a file such as ldap.conf could otherwise say."""
    yield from (
        (ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3),
        (ldap.OPT_REFERRALS, 0),
        (ldap.OPT_DEREF, ldap.DEREF_NEVER),
        (ldap.OPT_SIZELIMIT, 0),
        (ldap.OPT_NETWORK_TIMEOUT, way.timeout),
    )
    if way.tls == "none":
        return
    if way.ca_path:
        yield ldap.OPT_X_TLS_CACERTFILE, way.ca_path
    yield ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND if way.verify else ldap.OPT_X_TLS_NEVER
    yield ldap.OPT_X_TLS_NEWCTX, 0  # last: it takes what was set before


@contextlib.contextmanager
def _results() -> t.Iterator[None]:
    try:
        yield
    except ldap.LDAPError as error:
        code = getattr(error, "errnum", DOWN)
        about = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        known = code if code > 0 or code in (LATE, FILTER) else DOWN
        raise Result(known, str(about.get("info") or about.get("desc") or "")) from None
