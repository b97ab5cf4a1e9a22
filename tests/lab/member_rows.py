"""Memberships as rows: how they begin, which state they are in, how they end.

Source: bitwarden/server Core/Entities/OrganizationUser.cs, RemoveOrganizationUserCommand.cs.
"""

from __future__ import annotations

import typing as t
import uuid

from tests.lab import access, my_items
from tests.lab.core import World, iso
from tests.lab.state import Row

OWNER, ADMIN, USER, CUSTOM = 0, 1, 2, 4
ROLES = (OWNER, ADMIN, USER, CUSTOM)
REVOKED, INVITED, ACCEPTED, CONFIRMED, STAGED = -1, 0, 1, 2, 3


def new_member(world: World, organization_id: str, email: str, role: int, **fields: t.Any) -> Row:
    """Return a new invited membership."""
    return {
        "id": str(uuid.uuid4()),
        "organizationId": organization_id,
        "userId": None,
        "email": email.lower(),
        "type": role,
        "status": INVITED,
        "permissions": None,
        "key": None,
        "externalId": None,
        "accessSecretsManager": False,
        "resetPasswordKey": None,
        "revocationReason": None,
        "creationDate": iso(world.now()),
        **fields,
    }


def before_revocation(row: Row) -> int:
    """Return the status that a restored membership gets."""
    if not row["userId"]:
        return INVITED
    return CONFIRMED if row["key"] else ACCEPTED


def revoke(world: World, row: Row, reason: int) -> Row:
    """Revoke a membership."""
    return world.put("member", {**row, "status": REVOKED, "revocationReason": reason})


def remove(world: World, row: Row) -> None:
    """End a membership; what he had of his own stays with the organization."""
    my_items.abandon(world, row)
    access.drop(world, memberId=row["id"])
    access.leave(world, memberId=row["id"])
    world.delete("member", row["id"])


def has_owner(world: World, organization_id: str, besides: t.Iterable[str] = ()) -> bool:
    """Say whether there is a confirmed owner besides these members; a confirmed provider user counts as one."""
    owners = world.find("member", organizationId=organization_id, type=OWNER, status=CONFIRMED)
    if any(row["id"] not in besides for row in owners):
        return True
    link = world.one("provider_organization", organizationId=organization_id)
    return link is not None and world.count("provider_user", providerId=link["providerId"], status=CONFIRMED) > 0
