"""What a caller may do with the collections of an organization.

Roles are those of the token, the rest is looked up. Source: bitwarden/server BulkCollectionAuthorizationHandler.cs.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from tests.lab import access
from tests.lab.core import Refusal, World, not_found
from tests.lab.events import record_event
from tests.lab.state import Row
from tests.lab.web import Caller, caller, guid, here

_OWNER_OR_ADMIN = (0, 1)
_PUBLIC_API = 3


@dataclass(frozen=True)
class Actor:
    """Whoever does something in an organization: a caller, or nobody but the organization's own API key."""

    world: World
    organization: Row
    who: Caller | None = None

    @property
    def id(self) -> str:
        """The organization's id."""
        return str(self.organization["id"])

    def record(self, kind: int, **ids: str) -> None:
        """Write an event into the organization's log."""
        system: dict[str, int] = {} if self.who else {"systemUser": _PUBLIC_API}
        record_event(self.world, kind, self.id, self.who, **ids, **system)


@dataclass(frozen=True)
class Rights(Actor):
    """The rules for one caller in one organization."""

    who: Caller

    @functools.cached_property
    def provider(self) -> bool:
        """Whether the caller comes through the organization's provider."""
        return self.who.provides(self.id)

    @functools.cached_property
    def role(self) -> int | None:
        """The caller's role as a member."""
        return self.who.role(self.id)

    @functools.cached_property
    def member(self) -> Row | None:
        """The caller's confirmed membership."""
        return self.world.one("member", organizationId=self.id, userId=self.who.id, status=2)

    @property
    def only_provider(self) -> bool:
        """Whether the caller is no member, but a provider user."""
        return self.role is None and self.provider

    @property
    def owner(self) -> bool:
        """Whether the caller acts as an owner."""
        return self.role == 0 or self.provider

    def _leads(self) -> bool:
        return self.role in _OWNER_OR_ADMIN

    def _holds(self, *permissions: str) -> bool:
        return any(self.who.granted(name, self.id) for name in permissions)

    def reads_all(self, *permissions: str) -> bool:
        """Owner, admin, provider user, or one of these permissions."""
        return self._leads() or self._holds("editanycollection", "deleteanycollection", *permissions) or self.provider

    def reads_items(self) -> bool:
        """Whether the caller may see all items."""
        return self._leads() or self._holds("accessimportexport", "editanycollection", "accessreports") or self.provider

    def edits_items(self) -> bool:
        """Whether the caller may change all items; provider users may not."""
        return self._holds("editanycollection") or (self._leads() and self._admins_reach_all())

    def creates(self) -> bool:
        """Whether the caller may create collections."""
        everybody = self.role is not None and not self.organization["limitCollectionCreation"]
        return everybody or self._leads() or self._holds("createnewcollections") or self.provider

    def reads(self, collections: t.Iterable[Row], *permissions: str) -> bool:
        """Whether the caller may see these collections."""
        return self.reads_all(*permissions) or self._manages(collections)

    def manages_any(self) -> bool:
        """Whether a member manages at least one collection."""
        mine = access.effective(self.world, self.member) if self.member else {}
        return any(allowed["manage"] for allowed in mine.values())

    def updates(self, collections: t.Iterable[Row]) -> bool:
        """Whether the caller may change these collections, and import into them."""
        if self._holds("editanycollection") or (self._leads() and self._admins_reach_all()):
            return True
        return self._manages(collections) or self.provider

    def changes_users(self, collections: t.Iterable[Row]) -> bool:
        """Whether the caller may change which members have access."""
        return (self._admins_reach_all() and self._holds("manageusers")) or self.updates(collections)

    def changes_groups(self, collections: t.Iterable[Row]) -> bool:
        """Whether the caller may change which groups have access."""
        return (self._admins_reach_all() and self._holds("managegroups")) or self.updates(collections)

    def deletes(self, collections: t.Iterable[Row]) -> bool:
        """Whether the caller may delete these collections."""
        if self._holds("deleteanycollection") or (self._leads() and self._admins_reach_all()):
            return True
        unlimited = self._leads() or (self.role is not None and not self.organization["limitCollectionDeletion"])
        return (unlimited and self._manages(collections)) or self.provider

    def _admins_reach_all(self) -> bool:
        return self.role is not None and bool(self.organization["allowAdminAccessToAllCollectionItems"])

    def _manages(self, collections: t.Iterable[Row]) -> bool:
        """Whether a member manages all of them; owners and admins also manage what nobody does."""
        if self.role is None:
            return False
        orphans = self._leads() or self._holds("editanycollection")
        return all(
            (access.within(self.world, self.member, row["id"]) or {}).get("manage")
            or (orphans and access.orphaned(self.world, row["id"]))
            for row in collections
        )


def rights(organization_id: str) -> Rights:
    """Return the caller's rights in an organization; 404 where there is none."""
    who = caller()
    row = here().get("organization", guid(organization_id))
    if not row:
        raise not_found()
    return Rights(who.world, row, who)


def demand(organization_id: str, *permissions: str) -> Rights:
    """Return the caller's rights, or refuse with an empty 403 whoever has none of these permission claims."""
    who, organization_id = caller(), guid(organization_id)
    row = here().get("organization", organization_id)
    if not row or not any(who.may(permission, organization_id) for permission in permissions):
        raise Refusal(403)
    return Rights(who.world, row, who)


def found_member(organization_id: str, member_id: str) -> tuple[Rights, Row]:
    """Return the rights of a caller who manages members, and one of them."""
    may = demand(organization_id, "manageusers")
    row = may.world.get("member", guid(member_id))
    if not row or row["organizationId"] != may.id:
        raise not_found()
    return may, row
