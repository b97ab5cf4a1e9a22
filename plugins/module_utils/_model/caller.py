# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who acts in an organization, and what the server will let them do.

Source: bitwarden/server src/Api/AdminConsole/Authorization/Collections/BulkCollectionAuthorizationHandler.cs.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import ADMIN_ACCESS, Organization


@dataclass(frozen=True)
class Caller:
    """The account that is logged in, as seen from one organization.

    Attributes:
        email: lower case; None for somebody who only comes through a provider and so is no member.
        role: of C(roles.ROLES).
        permissions: of the role custom.
        provider: whether this is a user of the organization's provider, who has an owner's rights and more.
    """

    email: str | None
    role: str
    permissions: frozenset[str] = frozenset()
    provider: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether this is an owner or an admin."""
        return self.role in ("owner", "admin")

    def may(self, permission: str) -> bool:
        """Say whether the caller has a permission of C(roles.CUSTOM_PERMISSIONS)."""
        return self.is_admin or permission in self.permissions


def reach(caller: Caller, settings: t.Mapping[str, bool], current: Organization, permission: str) -> t.Callable[[str], bool]:
    """Return the test whether the caller may change an existing collection, given its id.

    Args:
        caller: who acts.
        settings: those in force at that time.
        current: members and groups as they are.
        permission: what the change belongs to: C(edit_any_collection), or C(manage_groups) or C(manage_users) for access alone.
    """
    open_to_admins = settings.get(ADMIN_ACCESS, False)
    everywhere = caller.provider or "edit_any_collection" in caller.permissions
    if everywhere or (open_to_admins and caller.may(permission)):
        return lambda _id: True
    own = current.members[caller.email].access if caller.email and caller.email in current.members else ()
    rows = [*own, *(row for group in current.groups.values() if caller.email in group.members for row in group.access)]
    mine = _managed(rows)
    if not caller.may("edit_any_collection"):
        return mine.__contains__
    lists = [*(group.access for group in current.groups.values()), *(member.access for member in current.members.values())]
    managed = _managed(row for rows in lists for row in rows)
    return lambda id: id in mine or id not in managed  # what nobody manages is the admins'


def _managed(rows: t.Iterable[t.Mapping[str, t.Any]]) -> set[str]:
    return {str(row["id"]) for row in rows if row.get("manage")}
