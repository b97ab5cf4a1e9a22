# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with wishes for client organizations, given what the provider has and is."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model import provider as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import Case, Client, Wish, by_pool, meant
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

Problems = t.Iterator[SelfhostError]


@dataclass(frozen=True)
class Bounds:
    """What a run must keep to: who we are, the provider's pools, and how many seats may be bought."""

    seat: model.Seat
    pools: t.Sequence[model.Pool]
    max_purchased: int


def unclear(wishes: t.Sequence[Wish], clients: t.Sequence[Client]) -> list[SelfhostError]:
    """Return the wishes that mean no client, or more than one, or the same as another wish."""
    return [*_ambiguous(wishes, clients), *_same(wishes, clients), *_unknown(wishes, clients)]


def _ambiguous(wishes: t.Sequence[Wish], clients: t.Sequence[Client]) -> Problems:
    for wish in wishes:
        found = meant(wish, clients)
        if len(found) > 1:
            yield SelfhostError(
                f"The provider has {len(found)} clients of this name: {', '.join(client.id for client in found)}.",
                field=wish.field("name"),
                remedy="Set organization_id, and give each client a name of its own.",
            )


def _same(wishes: t.Sequence[Wish], clients: t.Sequence[Client]) -> Problems:
    owners: dict[str, Wish] = {}
    for wish in wishes:
        for client in meant(wish, clients):
            other = owners.setdefault(client.id, wish)
            if other is not wish:
                yield SelfhostError(
                    f"This is the client {client.id}, which clients[{other.name}] means, too.",
                    field=wish.field(),
                    remedy="Name each client once.",
                )
        namesake = next((client for client in clients if client.name == wish.name and client.id != wish.id), None)
        if wish.id and wish.present and namesake:
            yield SelfhostError(
                f"Another client of the provider has this name: {namesake.id}.",
                field=wish.field("name"),
                remedy="Give each client a name of its own; the server would not mind, but names could not tell them apart.",
            )


def _unknown(wishes: t.Sequence[Wish], clients: t.Sequence[Client]) -> Problems:
    for wish in wishes:
        if wish.organization_id and wish.present and not wish.existing_organization_id and not meant(wish, clients):
            yield SelfhostError(
                f"The provider has no client {wish.organization_id}.",
                field=wish.field("organization_id"),
                remedy="Use the organization's id (not that of its link to the provider), or leave it out to create a client.",
            )


def impossible(cases: t.Sequence[Case], bounds: Bounds) -> list[SelfhostError]:
    """Return what the provider, its plans or the operator do not allow."""
    rules = {"create": _creation, "adopt": _adoption, "keep": _client, "destroy": _destruction}
    problems = [problem for case in cases if case.action in rules for problem in rules[case.action](case)]
    problems += [problem for case in cases if case.wish.present for problem in _plan(case, bounds)]
    return [*problems, *_purchases(cases, bounds), *_role(cases, bounds)]


def _creation(case: Case) -> Problems:
    for name in ("plan", "seats", "owner_email"):
        if getattr(case.wish, name) is None:
            yield SelfhostError(
                "It is needed to create the client.",
                field=case.wish.field(name),
                remedy=f"Give {name}. If the client exists already, check how its name is written.",
            )


def _adoption(case: Case) -> Problems:
    if case.existing is None:
        yield SelfhostError(
            "This organization cannot become a client.",
            field=case.wish.field("existing_organization_id"),
            remedy="The account must be its owner, and it must be enabled, pay for a plan that fits the provider, and have "
            "neither Secrets Manager nor a provider.",
        )


def _client(case: Case) -> Problems:
    wish, client = case.wish, t.cast(Client, case.client)
    if wish.seats is not None and wish.seats < client.occupied:
        yield SelfhostError(
            f"{client.occupied} seats are occupied; {wish.seats} would be fewer.",
            field=wish.field("seats"),
            remedy="Remove or revoke members first.",
        )
    owner, seats = case.owner, client.seats if wish.seats is None else wish.seats
    if wish.owner_email and owner is None and seats <= client.occupied:
        yield SelfhostError(
            f"There is no free seat for {wish.owner_email}: all {seats} are occupied.",
            field=wish.field("owner_email"),
            remedy="Give the client one more seat.",
        )
    if owner is not None and not owner.owner:
        yield SelfhostError(
            f"{owner.email} is a member of the client, but not an owner.",
            field=wish.field("owner_email"),
            remedy="Change the role with bw.selfhost.member.",
        )


def _destruction(case: Case) -> Problems:
    wish, client = case.wish, t.cast(Client, case.client)
    if wish.confirm_destroy != client.id:
        yield SelfhostError(
            f"The client's id is {client.id}, which is not what was confirmed.",
            field=wish.field("confirm_destroy"),
            remedy="Make sure that the right client is meant, then give this id.",
        )
    if wish.state == "detached" and not any(member.owner and member.status == "confirmed" for member in case.members):
        yield SelfhostError(
            "Nobody would own the organization: none of its members is a confirmed owner.",
            field=wish.field("state"),
            remedy="Wait until an owner has accepted, confirm the owner, then detach it.",
        )


def _plan(case: Case, bounds: Bounds) -> Problems:
    """A client's plan is chosen once; when it is created, it must be one of the provider's."""
    wish = case.wish
    if case.action == "create" and wish.plan and case.pool is None:
        has = "; ".join(model.plan_name(pool.plan_type) for pool in bounds.pools)
        yield SelfhostError(
            f"A client of this provider cannot have the plan {', '.join(filter(None, (wish.plan, wish.cadence)))}.",
            field=wish.field("plan"),
            remedy=f"A client of {bounds.seat.provider} ({bounds.seat.type}) can have: {has}.",
        )
    joins = case.pool.name if case.pool and case.action == "adopt" else None
    shown = case.client.plan if case.client else joins
    for name, value in zip(("plan", "cadence"), model.plan_of(shown)):
        wanted = getattr(wish, name)
        if None not in (wanted, value) and wanted != value:
            yield SelfhostError(
                f"The client has {value}, and this cannot be changed.",
                field=wish.field(name),
                remedy=f"Write {name}: {value}, or leave it out. Only Bitwarden can change the plan of a client.",
            )


def _purchases(cases: t.Sequence[Case], bounds: Bounds) -> Problems:
    """Whatever is beyond the seats that are paid for is bought at once, without being asked for again."""
    total, steps = purchased(cases), by_pool(cases)
    if total > bounds.max_purchased:
        free = " ".join(f"{pool.name}: {pool.free} of {pool.minimum} paid seats are free." for pool, _deltas in steps)
        yield SelfhostError(
            f"This would buy {total} {'seat' if total == 1 else 'seats'}, more than the {bounds.max_purchased} allowed. {free}",
            field="max_purchased_seats",
            remedy="Raise max_purchased_seats if that is meant, or take seats from other clients.",
        )
    if not bounds.seat.admin and any(model.purchases(pool, deltas) for pool, deltas in steps):
        yield model.admin_needed(bounds.seat, "Buying seats")


def purchased(cases: t.Sequence[Case]) -> int:
    """Return how many seats the whole run buys."""
    return sum(model.bought(pool, deltas) for pool, deltas in by_pool(cases))


_ADMINS = {"create": "Creating a client", "adopt": "Adding an organization", "destroy": "Letting go of a client"}


def _role(cases: t.Sequence[Case], bounds: Bounds) -> Problems:
    if not bounds.seat.admin:
        for action in sorted({case.action for case in cases} & set(_ADMINS)):
            yield model.admin_needed(bounds.seat, _ADMINS[action])
