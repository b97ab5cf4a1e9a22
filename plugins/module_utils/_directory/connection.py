# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every library for LDAP is made to look like here, and the results it gives."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._directory.way import Way
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Entry

DOWN = -1  # instead of a result's number: there is no connection, or none any more
LATE = -5
FILTER = -7
SUCCESS = 0


class Result(Exception):
    """A result that is no success.

    Attributes:
        code: its number (RFC 4511), or one of C(DOWN), C(LATE) and C(FILTER).
        text: what the server or the library says of it.
    """

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = " ".join(text.split())[:300]

    @property
    def said(self) -> str:
        """Return the number and the server's words, as they stand behind a sentence."""
        return f" (0x{self.code:02x}{f': {self.text}' if self.text else ''})" if self.code > 0 else ""


class Query(t.NamedTuple):
    """A search: below C(base) or, not C(deep), of this entry alone."""

    base: str
    filter: str
    attributes: list[str]
    deep: bool = True


class Connection(t.Protocol):
    """One connection to one server; every failure is a C(Result)."""

    def __init__(self, way: Way) -> None:
        """Connect."""

    def bind(self, who: str, password: str, /) -> None:
        """Log in; two empty texts stand for nobody."""

    def page(self, query: Query, size: int, cookie: bytes, /) -> tuple[list[Entry], bytes]:
        """Return the next entries in the server's order, and the cookie of those after them (empty: these were the last)."""

    def close(self) -> None:
        """End the connection."""
