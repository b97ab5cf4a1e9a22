"""Seats of a provider: a pool per plan that is paid anyway, and what is bought beyond it.

Source: bitwarden/server ProviderBillingService.cs (ScaleSeats, SeatAdjustmentResultsInPurchase).
"""

from __future__ import annotations

from tests.lab import views
from tests.lab.core import World
from tests.lab.provider_access import billing_failed
from tests.lab.state import Row

MANAGED = 2  # state of an organization that its provider pays for


def clients(world: World, provider: Row) -> list[tuple[Row, Row]]:
    """Return a provider's links with their organizations."""
    links = world.find("provider_organization", providerId=provider["id"])
    rows = [(link, world.get("organization", link["organizationId"])) for link in links]
    return [(link, row) for link, row in rows if row]


def assigned(world: World, provider: Row, plan_type: int) -> int:
    """Return the seats that clients of a plan have; only those count that the provider pays for."""
    name = views.PLANS[plan_type][0]
    return sum(row["seats"] or 0 for _unused, row in clients(world, provider) if (row["plan"], row["status"]) == (name, MANAGED))


def plan_row(world: World, provider: Row, plan_type: int) -> Row:
    """Return a provider's plan, or refuse as billing does where there is none."""
    found = world.one("provider_plan", providerId=provider["id"], planType=plan_type)
    if not found:
        raise billing_failed()
    return found


def buys(world: World, provider: Row, plan_type: int, delta: int) -> bool:
    """Say whether a change of seats would be paid for."""
    least = plan_row(world, provider, plan_type)["seatMinimum"]
    now = assigned(world, provider, plan_type)
    return bool(now + delta > max(least, now))


def scale(world: World, provider: Row, plan_type: int, delta: int) -> None:
    """Book a change of seats, before the organization itself has it."""
    row = plan_row(world, provider, plan_type)
    now = assigned(world, provider, plan_type)
    new, least = now + delta, row["seatMinimum"]
    purchased = row["purchasedSeats"]
    if new > least:
        purchased = new - least
    elif now > least:
        purchased = 0
    world.put("provider_plan", {**row, "allocatedSeats": new, "purchasedSeats": purchased})
