# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The clients of a provider, its seats, and what must be known of each client to compare it with what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import partial

from ansible_collections.bw.selfhost.plugins.module_utils._client import organizations, providers
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import each
from ansible_collections.bw.selfhost.plugins.module_utils._model import provider as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import (
    Case,
    Client,
    Member,
    Wish,
    client_of,
    counted,
    meant,
    member_of,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal


@dataclass(frozen=True)
class Scene:
    """A provider as one look shows it.

    Attributes:
        portal: the provider.
        clients: all its clients.
        pools: its seats, one for each plan.
        addable: organizations that could become clients, where one of them is wanted.
    """

    portal: Portal
    clients: list[Client]
    pools: list[model.Pool]
    addable: list[t.Mapping[str, t.Any]]


def look(portal: Portal, wishes: t.Sequence[Wish]) -> Scene:
    """Read what concerns all wishes."""
    clients = listed(portal)
    joins = any(wish.existing_organization_id and wish.present and not meant(wish, clients) for wish in wishes)
    addable = providers.addable(portal.server, portal.id) if joins else []
    plans = providers.subscription(portal.server, portal.id)["plans"]
    return Scene(portal, clients, [counted(model.pool_of(plan), clients) for plan in plans], list(addable))


def listed(portal: Portal) -> list[Client]:
    """Return the provider's clients."""
    return [client_of(row) for row in providers.clients(portal.server, portal.id)]


def cases(scene: Scene, wishes: t.Sequence[Wish], progress: Progress) -> list[Case]:
    """Return each wish with what it meets."""
    return each(scene.portal.server, [partial(case, scene, wish) for wish in wishes], progress)


def case(scene: Scene, wish: Wish) -> Case:
    """Return one wish with what it meets."""
    server = scene.portal.server
    client = next(iter(meant(wish, scene.clients)), None)
    existing = None if client else next((row for row in scene.addable if row["id"] == wish.existing_organization_id), None)
    organization_id = client.id if client else str(existing["id"]) if existing else None
    members: tuple[Member, ...] = ()
    if organization_id and (wish.owner_email if wish.present else wish.state == "detached"):
        members = tuple(member_of(row) for row in organizations.members(server, organization_id))
    billing_email = None
    if organization_id and wish.present and wish.billing_email:
        billing_email = organizations.get(server, organization_id)["billingEmail"].lower()
    return Case(wish, client, existing, _pool(scene, wish, client, existing), members, billing_email)


def _pool(scene: Scene, wish: Wish, client: Client | None, existing: t.Mapping[str, t.Any] | None) -> model.Pool | None:
    if client:
        return next((pool for pool in scene.pools if pool.name == client.plan), None)
    if existing:  # whatever its cadence was, it gets the provider's
        return model.fitting(scene.pools, model.plan_of(existing["plan"])[0], None)
    return model.fitting(scene.pools, wish.plan, wish.cadence)


def not_billable(portal: Portal) -> list[SelfhostError]:
    """Return the refusal for a provider that cannot have clients of the kind this collection creates."""
    if portal.entry["providerStatus"] == model.BILLABLE:
        return []
    return [
        SelfhostError(
            f"The provider {portal.name} ({portal.seat.type}) does not pay for its clients itself (consolidated billing).",
            field="provider_id",
            remedy="Only Bitwarden can change that: a reseller's clients are made by Bitwarden, others are to be migrated.",
        )
    ]
