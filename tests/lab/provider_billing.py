"""What a provider pays, as far as it is read. Invoices and payment data are for people: they are left out.

Source: bitwarden/server ProviderBillingController.cs, ProviderBillingVNextController.cs, GetProviderWarningsQuery.cs.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response

from tests.lab import views
from tests.lab.core import Refusal, World, iso
from tests.lab.provider_access import bills_of, unauthorized
from tests.lab.provider_seats import clients
from tests.lab.state import Row
from tests.lab.web import answer, caller, cloud_only, guid, here

routes = Blueprint("provider_billing", __name__)

_PRICES = {17: 4, 19: 6, 20: 60}  # dollars per seat and period
_ADDRESS = ("taxId", "taxIdType", "line1", "line2", "city", "state")


@routes.get("/providers/<provider_id>/billing/subscription")
def subscription(provider_id: str) -> Response:
    """State, plans and their seats."""
    provider, world = bills_of(provider_id), here()
    paid = provider["subscription"]
    return answer(
        {
            "status": paid["status"],
            "currentPeriodEndDate": paid["periodEnd"],
            "discountPercentage": None,
            "collectionMethod": "charge_automatically",
            "plans": [_plan(row) for row in world.find("provider_plan", providerId=provider["id"])],
            "accountCredit": 0,
            "taxInformation": {"country": "US", "postalCode": "12345", **dict.fromkeys(_ADDRESS)},
            "cancelAt": None,
            "suspension": provider["suspension"],
            "providerType": provider["type"],
            "paymentSource": {"type": 0, "description": "Visa, *4242, 04/2030", "needsVerification": False},
        }
    )


def _plan(row: Row) -> Row:
    name, tier = views.PLANS[row["planType"]]
    return {
        "planName": name,
        "type": row["planType"],
        "productTier": tier,
        "seatMinimum": row["seatMinimum"],
        "purchasedSeats": row["purchasedSeats"],
        "assignedSeats": row["allocatedSeats"],
        "cost": (row["seatMinimum"] + row["purchasedSeats"]) * _PRICES[row["planType"]],
        "cadence": "Annual" if name.endswith("(Annually)") else "Monthly",
    }


@routes.get("/providers/<provider_id>/billing/vnext/warnings")
def warnings(provider_id: str) -> Response:
    """Is anything wrong with the payment, and who can mend it?"""
    who, world = caller(), cloud_only()
    provider = world.get("provider", guid(provider_id))
    if not who.serves(guid(provider_id)):
        raise unauthorized()
    if not provider:
        raise Refusal(404, "Provider not found.")
    suspension = None
    if not provider["enabled"]:
        resolution = "add_payment_method" if who.administers(provider["id"]) else "contact_administrator"
        suspension = {"resolution": resolution, "subscriptionCancelsAt": (provider["suspension"] or {}).get("cancelsAt")}
    return answer({"suspension": suspension, "taxId": None})


def suspend(world: World, provider: Row, suspended: bool) -> None:
    """Do what happens when the bills are not paid, or are paid again: provider and clients are switched together."""
    unpaid = iso(world.now() - timedelta(days=30))
    told = {"suspensionDate": iso(world.now()), "unpaidPeriodEndDate": unpaid, "gracePeriod": 30}
    paid = {**provider["subscription"], "status": "unpaid" if suspended else "active"}
    state = {"enabled": not suspended, "subscription": paid, "suspension": told if suspended else None}
    world.put("provider", {**provider, **state})
    for _unused, row in clients(world, provider):
        world.put("organization", {**row, "enabled": not suspended})
