# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carrying out what changes for one client of a provider.

One client after the other: the server reckons the provider's seats anew with each change, and two at once would upset the sum.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client import organizations, providers
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import Case, Client
from ansible_collections.bw.selfhost.plugins.module_utils._model.client_plan import as_is, as_wanted
from ansible_collections.bw.selfhost.plugins.module_utils._model.confirmation import Candidate
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_creation, client_owner
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.client_scene import Scene, case as look_at, listed
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import sealed_for_member
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle


def carry_out(scene: Scene, case: Case, confirmed: Candidate | None) -> bool:
    """Bring one client to what was asked for; return whether it turned out to be created half way only."""
    portal = scene.portal
    if case.action == "destroy":
        _destroy(portal, case)
        return False
    half = case.half_created
    if case.action != "keep":
        client, finished = _join(portal, case)
        half = not finished
        # Not from the whole list again: another client may have taken the name meanwhile, and this is the one.
        case = dataclasses.replace(look_at(dataclasses.replace(scene, clients=[client]), case.wish), half_created=half)
    return _maintain(portal, case, confirmed) or half


def _join(portal: Portal, case: Case) -> tuple[Client, bool]:
    """Create the client, or make an existing organization one; return it, and whether the server finished its work."""
    if case.action == "create":
        return client_creation.create(portal, case)
    organization_id = str(case.wish.id)
    wrapped = keys.wrap_client_key(client_owner.workplace(portal, case).key, portal.key)
    settle(
        lambda: providers.add_existing(portal.server, portal.id, organization_id, wrapped),
        lambda: _is_client(portal, organization_id),
    )
    return next(client for client in listed(portal) if client.id == organization_id), True


def _destroy(portal: Portal, case: Case) -> None:
    client = t.cast(Client, case.client)
    settle(
        lambda: (
            providers.unlink(portal.server, portal.id, client.link_id)
            if case.wish.state == "detached"
            else organizations.delete(portal.server, client.id, portal.account.password_hash)
        ),
        lambda: not _is_client(portal, client.id),
    )


def _is_client(portal: Portal, organization_id: str) -> bool:
    return any(client.id == organization_id for client in listed(portal))


def _maintain(portal: Portal, case: Case, confirmed: Candidate | None) -> bool:
    """Change what differs of a client that is there; return whether its seats could not be changed, as it is only half there."""
    client, half = t.cast(Client, case.client), False
    has, wanted = as_is(case), as_wanted(case)
    differing = {name for name in wanted if wanted[name] != has[name]}
    if differing & {"name", "billing_email"}:
        _describe(portal, client, wanted)
    if "seats" in differing:
        half = not _assign(portal, client, wanted["name"], wanted["seats"])
    if case.wish.owner_email and case.owner is None:
        client_owner.invite(portal, client.id, case.wish.owner_email)
    if confirmed:
        sealed = sealed_for_member(client_owner.workplace(portal, case), confirmed.public_key)
        client_owner.confirm(portal, client.id, confirmed, sealed)
    return half


def _describe(portal: Portal, client: Client, wanted: t.Mapping[str, t.Any]) -> None:
    """Set name and billing e-mail by way of the organization: renamed as a client, it would keep its old name with the bank."""
    found = organizations.get(portal.server, client.id)
    name, email = wanted["name"], wanted.get("billing_email") or found["billingEmail"]

    def is_done() -> bool:
        now = organizations.get(portal.server, client.id)
        return (now["name"], now["billingEmail"].lower()) == (name, email.lower())

    settle(lambda: organizations.update(portal.server, client.id, name=name, billing_email=email), is_done)


def _assign(portal: Portal, client: Client, name: str, seats: int) -> bool:
    """Give a client its seats; return False when the server cannot, because it broke off the client's creation."""
    try:
        settle(
            lambda: providers.update_client(portal.server, portal.id, client.link_id, name=name, seats=seats),
            lambda: any((one.id, one.seats) == (client.id, seats) for one in listed(portal)),
        )
    except SelfhostError:
        if client_creation.managed(portal, dataclasses.replace(client, name=name)):
            raise
        return False
    return True
