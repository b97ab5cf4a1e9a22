# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Providers: their kinds, the plans their clients can have, and what seats cost.

Source: bitwarden/server src/Core/AdminConsole/Enums/Provider, src/Core/Billing/Enums/PlanType.cs and
bitwarden_license/src/Commercial.Core/Billing/Providers/Services/ProviderBillingService.cs.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

TYPES = {0: "msp", 1: "reseller", 2: "business_unit"}
BILLABLE = 2  # the only provider status in which clients can be created and resized
ROLES = {"provider_admin": 0, "service_user": 1}
ROLE_NAMES = {number: name for name, number in ROLES.items()}
ADMIN = ROLES["provider_admin"]
STATUSES = {0: "invited", 1: "accepted", 2: "confirmed"}

# (plan, cadence) -> the wire's plan type; no other can be created.
PLAN_TYPES = {("teams", "monthly"): 17, ("enterprise", "monthly"): 19, ("enterprise", "annually"): 20}
# Provider type -> the plan types that its clients can have. A business unit has only one of the two, which its pools show.
ALLOWED = {"msp": {17, 19}, "business_unit": {19, 20}}


@dataclass(frozen=True)
class Pool:
    """The seats of one plan that a provider has paid for.

    Attributes:
        plan_type: the wire's.
        name: what the server calls the plan, such as C(Enterprise (Monthly)); clients name their plan so.
        minimum: seats that are paid for whether used or not.
        purchased: seats beyond them.
        assigned: seats that clients have.
    """

    plan_type: int
    name: str
    minimum: int
    purchased: int
    assigned: int

    @property
    def free(self) -> int:
        """Seats that can be assigned without a purchase."""
        return max(0, self.minimum - self.assigned)

    def after(self, delta: int) -> Pool:
        """Return the pool after a client's seats have changed, as the server reckons it."""
        assigned = self.assigned + delta
        if assigned > self.minimum:
            purchased = assigned - self.minimum
        else:
            purchased = 0 if self.assigned > self.minimum else self.purchased
        return dataclasses.replace(self, purchased=purchased, assigned=assigned)

    def purchase(self, delta: int) -> bool:
        """Say whether a change counts as a purchase, which service users are refused."""
        if self.assigned <= self.minimum:
            return self.assigned + delta > self.minimum
        return delta > 0


def pool_of(plan: t.Mapping[str, t.Any]) -> Pool:
    """Read one entry of the billing subscription's C(plans)."""
    return Pool(plan["type"], plan["planName"], plan["seatMinimum"], plan["purchasedSeats"], plan["assignedSeats"])


def bought(pool: Pool, deltas: t.Iterable[int]) -> int:
    """Return by how many seats the bill grows when clients' seats change by these numbers, in this order."""
    after = pool
    for delta in deltas:
        after = after.after(delta)
    return max(0, after.purchased - pool.purchased)


def plan_name(plan_type: int) -> str:
    """Return a plan type as the operator writes it, such as C(enterprise, monthly)."""
    return next((", ".join(names) for names, number in PLAN_TYPES.items() if number == plan_type), f"plan type {plan_type}")


def plan_of(name: str | None) -> tuple[str | None, str | None]:
    """Read plan and cadence from a client's plan as the server shows it, such as C(Enterprise (Monthly)); None where unknown."""
    text = (name or "").lower()
    plan = next((plan for plan in ("enterprise", "teams") if text.startswith(plan)), None)
    cadence = next((word for word in ("monthly", "annually") if f"({word})" in text), None)
    return plan, cadence
