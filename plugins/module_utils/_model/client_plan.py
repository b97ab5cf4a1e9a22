# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What changes for the clients of a provider, what waits for somebody, and how it is shown."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model import provider as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import Case, Client
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan, compare

Values = dict[str, t.Any]
KIND = "client organization"
OWNER = "client owner"
ADOPTED = "it becomes a client; its own subscription ends"
DESTROYED = {"detached": "it leaves the provider and pays for itself", "absent": "it is deleted with all that is in it"}
HALF_CREATED = (
    "the server broke off its creation half way: it can be used, but its seats cannot be changed and it gets no license. "
    "Delete it (state absent) and create it again, or ask Bitwarden to repair it"
)
_WAITING = {
    "invited": "the invitation has not been accepted yet",
    "accepted": "the server has no public key of this person",
    "revoked": "this owner is revoked",
    "staged": "this owner is not invited yet",
}


def plan(case: Case, confirmed: t.Collection[str]) -> Plan:
    """Return what leads from a client as it is to what was asked for.

    Args:
        case: the client.
        confirmed: the names of the clients whose owners are confirmed now.
    """
    wish, client = case.wish, case.client
    if case.action == "create":
        after = {
            "plan": model.plan_name(case.pool.plan_type) if case.pool else None,
            "seats": wish.seats,
            "owner": wish.owner_email,
        }
        return Plan((Change("create", KIND, wish.name, after={**after, **_given(billing_email=wish.billing_email)}),))
    if case.action == "destroy" and client:
        before = {"plan": client.plan, "seats": client.seats, "organization_id": client.id}
        return Plan((Change("delete", KIND, client.name, before=before, reason=DESTROYED[wish.state]),))
    todo = Plan()
    if case.action == "adopt":
        todo += Plan((Change("create", KIND, wish.name, after={"organization_id": wish.id}, reason=ADOPTED),))
    if case.action in ("adopt", "keep"):
        todo += compare(KIND, wish.name, as_is(case), as_wanted(case)) + _owner(case, wish.name in confirmed)
    return todo


def as_is(case: Case) -> Values:
    """Return the fields of a client that can be changed, as they are."""
    found: t.Mapping[str, t.Any] = case.existing or {}
    name, seats = (case.client.name, case.client.seats) if case.client else (found.get("name"), found.get("seats"))
    return {"name": name, "seats": seats, "billing_email": case.billing_email}


def as_wanted(case: Case) -> Values:
    """Return the fields of a client that the operator names; a half-created one keeps its seats, as nobody can change them."""
    wish = case.wish
    return _given(name=wish.name, seats=None if case.half_created else wish.seats, billing_email=wish.billing_email)


def _given(**fields: t.Any) -> Values:
    return {name: value for name, value in fields.items() if value is not None}


def _owner(case: Case, confirmed: bool) -> Plan:
    wish, owner = case.wish, case.owner
    if wish.owner_email is None:
        return Plan()
    status = "confirmed" if confirmed else owner.status if owner else "invited"
    current = {"status": owner.status} if owner else None
    return compare(OWNER, f"{wish.owner_email} of {wish.name}", current, {"status": status})


def pending(case: Case, reason: str) -> list[Values]:
    """Return what waits for somebody; C(reason) is why the owner is not confirmed, where this is the operator's choice."""
    owner, found = case.owner, []
    if case.half_created:
        found.append({"kind": KIND, "name": case.wish.name, "reason": HALF_CREATED})
    if case.wish.present and owner is not None and owner.status in _WAITING:
        found.append({"kind": OWNER, "name": f"{owner.email} of {case.wish.name}", "reason": reason or _WAITING[owner.status]})
    return found


def shown(case: Case, phrase: str | None, created: bool) -> Values:
    """Return a client as the module does; C(phrase) is the owner's fingerprint phrase, where it is known."""
    owner = case.owner
    status = owner.status if owner else "absent"
    plan, cadence = model.plan_of(case.pool.name if case.pool else None)
    planned = {} if case.client else {"plan": plan, "cadence": cadence, "seats": case.wish.seats}
    return {
        **listed(case.client),
        **planned,
        "name": case.wish.name,
        "owner": {"email": case.wish.owner_email, "status": status, "fingerprint": phrase} if case.wish.owner_email else None,
        "created": created,
        "half_created": case.half_created,
    }


def listed(client: Client | None) -> Values:
    """Return what the provider's list says of a client; None for all of it while there is none."""
    plan, cadence = model.plan_of(client.plan if client else None)
    return {
        "name": client.name if client else None,
        "organization_id": client.id if client else None,
        "provider_organization_id": client.link_id if client else None,
        "plan": plan,
        "cadence": cadence,
        "seats": client.seats if client else None,
        "occupied_seats": client.occupied if client else None,
        "remaining_seats": client.seats - client.occupied if client else None,
    }
