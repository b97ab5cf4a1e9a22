# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Distinguished names, and the external ids by which members and groups of a directory are known."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RDN = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9.-]*\s*=")
GUID, NAME, OTHER = "guid", "name", "other"

Name = tuple[str, ...]


def parse(dn: str) -> Name:
    """Split a distinguished name into its parts, so that two spellings of the same name are equal.

    Case and blanks around the separators do not count; an escaped comma separates nothing.
    """
    parts = (part.strip() for part in _RDN.findall(dn))
    return tuple(re.sub(r"\s*=\s*", "=", part, count=1).lower() for part in parts if part)


def below(dn: str, base: Name) -> bool:
    """Say whether a name is the base or stands below it."""
    parts = parse(dn)
    return len(parts) >= len(base) and parts[len(parts) - len(base) :] == base


def domain(base: Name) -> Name:
    """Return the part of a base from its first C(dc=) on, the whole base when there is none."""
    first = next((number for number, part in enumerate(base) if part.startswith("dc=")), 0)
    return base[first:]


def kind(external_id: str) -> str:
    """Say what an external id is: C(guid), C(name) (a distinguished name) or C(other)."""
    if _GUID.fullmatch(external_id):
        return GUID
    return NAME if _ATTRIBUTE.match(external_id) else OTHER


@dataclass(frozen=True)
class Scope:
    """Which external ids are those of one directory, so that several directories can share an organization.

    Attributes:
        base: where the directory is searched.
        kinds: what its ids are.
    """

    base: Name
    kinds: frozenset[str]

    def holds(self, external_id: str | None) -> bool:
        """Say whether an id is of this directory: of the same kind and, if it is a name, below the base."""
        if external_id is None or kind(external_id) not in self.kinds:
            return False
        return kind(external_id) != NAME or below(external_id, self.base)

    def held(self, external_id: str) -> bool:
        """Say whether an id may have been of this directory once: also a name elsewhere in the same domain."""
        return self.holds(external_id) or (kind(external_id) == NAME and below(external_id, domain(self.base)))
