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

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

TYPES = {0: "msp", 1: "reseller", 2: "business_unit"}
BILLABLE = 2  # the only provider status in which clients can be created and resized
ROLES = {"provider_admin": 0, "service_user": 1}
ROLE_NAMES = {number: name for name, number in ROLES.items()}
ADMIN = ROLES["provider_admin"]
STATUSES = {0: "invited", 1: "accepted", 2: "confirmed"}

# (plan, cadence) -> the wire's plan type; no other can be created. An MSP has seats for the first two, a business unit for one of
# the last two.
PLAN_TYPES = {("teams", "monthly"): 17, ("enterprise", "monthly"): 19, ("enterprise", "annually"): 20}


@dataclass(frozen=True)
class Seat:
    """Where we sit: which provider, and who we are there.

    Attributes:
        provider: its name.
        type: a word of C(TYPES).
        email: of the account that is logged in.
        admin: whether it is an admin of the provider, and not a service user.
    """

    provider: str
    type: str
    email: str
    admin: bool


def admin_needed(seat: Seat, what: str) -> SelfhostError:
    """The refusal for a service user; C(what) begins the sentence."""
    return SelfhostError(
        f"{what} takes an admin of the provider {seat.provider}; {seat.email} is a service user.",
        field="client_id",
        remedy="Log in as an admin, or let one make this account an admin (bw.selfhost.provider_user, role provider_admin).",
    )


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
    """Return by how many seats the bill is at most higher while clients' seats change by these numbers, in this order."""
    most = after = pool
    for delta in deltas:
        after = after.after(delta)
        most = max(most, after, key=lambda one: one.purchased)
    return most.purchased - pool.purchased


def purchases(pool: Pool, deltas: t.Iterable[int]) -> bool:
    """Say whether one of these changes, in this order, counts as a purchase."""
    found = False
    for delta in deltas:
        found = found or pool.purchase(delta)
        pool = pool.after(delta)
    return found


def fitting(pools: t.Iterable[Pool], plan: str | None, cadence: str | None) -> Pool | None:
    """Return the pool that a client with this plan belongs to; a provider has one cadence only."""
    wanted = {number for names, number in PLAN_TYPES.items() if names[0] == plan and cadence in (None, names[1])}
    return next((pool for pool in pools if pool.plan_type in wanted), None)


def plan_name(plan_type: int) -> str:
    """Return a plan type as the operator writes it, such as C(enterprise, monthly)."""
    return next((", ".join(names) for names, number in PLAN_TYPES.items() if number == plan_type), f"plan type {plan_type}")


def plan_of(name: str | None) -> tuple[str | None, str | None]:
    """Read plan and cadence from a client's plan as the server shows it, such as C(Enterprise (Monthly)); None where unknown."""
    text = (name or "").lower()
    plan = next((plan for plan in ("enterprise", "teams") if text.startswith(plan)), None)
    cadence = next((word for word in ("monthly", "annually") if f"({word})" in text), None)
    return plan, cadence
