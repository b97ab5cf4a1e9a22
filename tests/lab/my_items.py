"""The collection of his own that a member gets where the organization owns all data.

Source: bitwarden/server OrganizationDataOwnershipPolicyValidator.cs, ConfirmOrganizationUserCommand.cs.
"""

from __future__ import annotations

import uuid

from tests.lab import access, encrypted
from tests.lab.core import World
from tests.lab.state import Row
from tests.lab.web import Fields

DATA_OWNERSHIP = 5
_ALL = {"readOnly": False, "hidePasswords": False, "manage": True}


def name_in(fields: Fields) -> str | None:
    """Return the encrypted name that a request brings."""
    name: str | None = fields.get("defaultUserCollectionName")
    encrypted.check("DefaultUserCollectionName", name, required=False)
    return name


def give(world: World, organization: Row, member: Row, name: str | None) -> None:
    """Create a member's own collection, where there is to be one; owners and admins have none."""
    policy = world.one("policy", organizationId=organization["id"], type=DATA_OWNERSHIP, enabled=True)
    if not (name and policy and organization["usePolicies"] and organization["useMyItems"]) or member["type"] < 2:
        return
    if own(world, member):
        return
    row = {"id": str(uuid.uuid4()), "organizationId": organization["id"], "name": name, "externalId": None}
    world.put("collection", {**row, "type": 1, "defaultUserCollectionEmail": None})
    access.grant(world, row["id"], "memberId", {"id": member["id"], **_ALL})


def own(world: World, member: Row) -> Row | None:
    """Return a member's own collection."""
    rows = (world.get("collection", row["collectionId"]) for row in world.find("access", memberId=member["id"]))
    return next((row for row in rows if row and row["type"] == 1), None)


def abandon(world: World, member: Row) -> None:
    """Turn the collection of a member who leaves into a shared one that bears his address."""
    if row := own(world, member):
        world.put("collection", {**row, "type": 0, "defaultUserCollectionEmail": member["email"]})
