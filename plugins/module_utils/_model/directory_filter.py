# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LDAP filters and search bases, composed as the official connector composes them.

Source: bitwarden/directory-connector libs/services/directory-services/ldap-directory.service.ts.
"""

from __future__ import annotations


def compose(object_class: str, more: str | None) -> str:
    """Return the filter for entries of a class that also pass C(more), which is one filter or several in a row."""
    of_class = f"(&(objectClass={object_class}))"
    return f"(&{of_class}{more})" if more and more.strip() else of_class


def search_base(path: str | None, root: str | None) -> str:
    """Return where to search: C(path) itself, or below the domain of C(root).

    Of C(root) counts what stands from its first C(dc=) on, in lower case; an organizational unit before it is dropped. A root
    without a domain does not count at all.
    """
    domain = (root or "").strip().lower()
    start, prefix = domain.find("dc="), (path or "").strip()
    if start < 0:
        return prefix
    return f"{prefix},{domain[start:]}" if prefix else domain[start:]


def flaw(text: str) -> str | None:
    """Say where the brackets of a filter go wrong, None when they are balanced. Positions count from 1."""
    opened: list[int] = []
    for position, character in enumerate(text, 1):
        if character == "(":
            opened.append(position)
        elif character == ")" and not opened:
            return f"The bracket at position {position} closes nothing."
        elif character == ")":
            opened.pop()
        elif not opened and not character.isspace():
            return f"{character!r} at position {position} stands outside of brackets."
    return f"The bracket at position {opened[-1]} is never closed." if opened else None
