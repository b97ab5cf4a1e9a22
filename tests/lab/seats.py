"""Seats of an organization: who takes one, and what happens when there are too few.

Source: bitwarden/server OrganizationService.cs (CanScaleAsync), OrganizationRepository.GetOccupiedSeatCountByOrganizationIdAsync.
"""

from __future__ import annotations

from tests.lab.core import Refusal, World, bad_request
from tests.lab.state import Row

_PROVIDER = "Seat limit has been reached. Please contact your provider to add more seats."
_RESELLER = "Seat limit has been reached. Contact your provider to purchase additional seats."
_INACTIVE = "You do not have an active subscription. Reinstate your subscription to make changes"


def occupied(world: World, organization_id: str) -> int:
    """Return how many seats are taken: by members who are not revoked, and by families that admins sponsor."""
    members = sum(world.count("member", organizationId=organization_id, status=status) for status in (0, 1, 2))
    return members + world.count("sponsorship", sponsoringOrganizationId=organization_id, isAdminInitiated=True)


def collected(texts: list[str]) -> Refusal:
    """Return the refusal of an invitation that failed inside and left nothing behind."""
    return Refusal(400, "Errors have occurred.", {"An error has occurred.": texts})


def take(world: World, organization: Row, more: int) -> None:
    """Make sure that there are seats for so many more, if any: buy some in the cloud, or refuse."""
    if more:
        settle(world, organization, more)


def settle(world: World, organization: Row, more: int) -> None:
    """Make sure that there are seats for all who are there, too."""
    seats = organization["seats"]
    if seats is None or occupied(world, organization["id"]) + more <= seats:
        return
    wanted = occupied(world, organization["id"]) + more
    if problem := _problem(world, organization, wanted):
        raise bad_request(problem)
    if world.cloud and not organization["subscription"]:
        raise collected(["No subscription found."])
    world.put("organization", {**organization, "seats": wanted})


def _problem(world: World, organization: Row, wanted: int) -> str | None:
    if not world.cloud:
        return "Cannot autoscale on self-hosted instance."
    link = world.one("provider_organization", organizationId=organization["id"])
    provider = world.get("provider", link["providerId"]) if link else None
    if provider and provider["enabled"] and provider["type"] == 1:
        return _RESELLER
    if provider and provider["enabled"] and provider["status"] == 2:
        return _PROVIDER
    if (organization["subscription"] or {}).get("status") == "canceled":
        return _INACTIVE
    most = organization.get("maxAutoscaleSeats")
    return "Seat limit has been reached." if most is not None and wanted > most else None
