# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in an organization: one shape for what is and for what should be.

Everything refers to everything else by its natural key, never by an id: collections by their full decrypted name, groups by name,
members by lower-case e-mail address, policies by type. Where a server has two of one name, each has the key C(name (id)), so that
nothing is lost and nothing is mixed up. C(id) is None for what does not exist yet.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

# The collection-management settings -> the wire's names. The server takes all four at once.
SETTINGS = {
    "limit_collection_creation": "limitCollectionCreation",
    "limit_collection_deletion": "limitCollectionDeletion",
    "limit_item_deletion": "limitItemDeletion",
    "allow_admin_access_to_all_collection_items": "allowAdminAccessToAllCollectionItems",
}
ADMIN_ACCESS = "allow_admin_access_to_all_collection_items"


@dataclass(frozen=True)
class Collection:
    """A collection; it owns who has access. C(groups) and C(members): key -> a word of C(access.PERMISSIONS)."""

    name: str
    external_id: str | None = None
    groups: t.Mapping[str, str] = field(default_factory=dict)
    members: t.Mapping[str, str] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True)
class Group:
    """A group; it owns who is in it.

    Attributes:
        name: as people know it; plain text on the server, too.
        members: e-mail addresses.
        external_id: of a directory.
        id: the server's.
        access: the wire's access objects, by collection id. An update has to repeat them, or they would be taken away.
    """

    name: str
    members: frozenset[str] = frozenset()
    external_id: str | None = None
    id: str | None = None
    access: tuple[t.Mapping[str, t.Any], ...] = ()


@dataclass(frozen=True)
class Member:
    """A member.

    Attributes:
        email: lower case.
        role: of C(roles.ROLES).
        permissions: of C(roles.CUSTOM_PERMISSIONS), for the role custom; else empty.
        status: of C(roles.STATUSES).
        two_step: whether the account has two-step login.
        id: the organization user id.
        user_id: None while invited.
        name: None while invited.
        claimed: whether the account belongs to the organization through its domain; it cannot be removed then.
        public_key: base64, of those who have accepted and wait to be confirmed.
        access: the wire's access objects, by collection id. An update has to repeat them, or they would be taken away.
        kept: further members of the wire's object that an update has to repeat.
    """

    email: str
    role: str = "user"
    permissions: frozenset[str] = frozenset()
    status: str = "invited"
    two_step: bool = False
    id: str | None = None
    user_id: str | None = None
    name: str | None = None
    claimed: bool = False
    public_key: str | None = None
    access: tuple[t.Mapping[str, t.Any], ...] = ()
    kept: t.Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A policy: a type of C(policies.POLICIES) and its data with the wire's keys."""

    type: str
    enabled: bool = False
    data: t.Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Organization:
    """An organization's state, or the part of it that was asked for.

    Attributes:
        settings: all of C(SETTINGS).
        collections: by key; C(My items) of members are not among them.
        groups: by key.
        members: by e-mail address.
        policies: by type; a missing one was never saved, which is the same as disabled.
        sso: the options of the module sso, those of O(oidc) as C(oidc.authority) and so on; empty when it was never configured.
        scim: C(enabled), C(provider); empty when there is no connection.
        scim_id: the connection's id.
    """

    settings: t.Mapping[str, bool] = field(default_factory=dict)
    collections: t.Mapping[str, Collection] = field(default_factory=dict)
    groups: t.Mapping[str, Group] = field(default_factory=dict)
    members: t.Mapping[str, Member] = field(default_factory=dict)
    policies: t.Mapping[str, Policy] = field(default_factory=dict)
    sso: t.Mapping[str, t.Any] = field(default_factory=dict)
    scim: t.Mapping[str, t.Any] = field(default_factory=dict)
    scim_id: str | None = None

    def policy(self, type: str) -> Policy:
        """Return a policy, saved or not."""
        return self.policies.get(type, Policy(type))
