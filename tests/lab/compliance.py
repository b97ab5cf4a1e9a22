"""What the policies of organizations ask of a person who wants to be a member.

Owners and admins of the organization that has the policy are exempt. Source: bitwarden/server PolicyRequirements/*.
"""

from __future__ import annotations

from tests.lab.core import World
from tests.lab.state import Row

TWO_STEP, SINGLE_ORGANIZATION = 0, 3
FREE = 0


def enforced(world: World, organization_id: str, kind: int) -> bool:
    """Say whether an organization has a policy on."""
    if not world.one("policy", organizationId=organization_id, type=kind, enabled=True):
        return False
    return bool((world.get("organization", organization_id) or {}).get("usePolicies"))


def two_step(user: Row | None) -> bool:
    """Say whether an account has two-step login."""
    return user is not None and bool(user.get("twoFactorEnabled") or user.get("twoStepCode"))


def elsewhere(world: World, member: Row, user_id: str) -> list[Row]:
    """Return a person's accepted and confirmed memberships in other organizations."""
    rows = world.find("member", userId=user_id)
    return [row for row in rows if row["organizationId"] != member["organizationId"] and row["status"] in (1, 2)]


def lacks_two_step(world: World, member: Row, user_id: str) -> bool:
    """Say whether the organization demands two-step login and the person has none."""
    demanded = member["type"] > 1 and enforced(world, member["organizationId"], TWO_STEP)
    return demanded and not two_step(world.get("user", user_id))


def must_leave_others(world: World, member: Row, user_id: str) -> bool:
    """Say whether the organization wants to be the person's only one, and is not."""
    only_one = member["type"] > 1 and enforced(world, member["organizationId"], SINGLE_ORGANIZATION)
    return only_one and bool(elsewhere(world, member, user_id))


def is_kept_by_other(world: World, member: Row, user_id: str) -> bool:
    """Say whether another organization of the person wants to be his only one."""
    others = elsewhere(world, member, user_id)
    return any(row["type"] > 1 and enforced(world, row["organizationId"], SINGLE_ORGANIZATION) for row in others)


def leads_other_free_one(world: World, member: Row, user_id: str) -> bool:
    """Say whether an owner or admin of a free organization already is one in another."""

    def leads_free(row: Row) -> bool:
        return row["type"] < 2 and (world.get("organization", row["organizationId"]) or {}).get("planType") == FREE

    return leads_free(member) and any(leads_free(row) for row in elsewhere(world, member, user_id))


def domains(world: World, organization_id: str) -> list[str]:
    """Return the domains that an organization has proven to be its own."""
    return [row["domainName"] for row in world.find("domain", organizationId=organization_id) if row["verifiedDate"]]


def claimed(world: World, member: Row) -> bool:
    """Say whether a member's account belongs to the organization, because its address does."""
    return bool(member["userId"]) and member["email"].rpartition("@")[2] in domains(world, member["organizationId"])
