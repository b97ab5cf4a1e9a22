# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What there is to see of a provider's clients: for reports, inventories, and whoever looks for drift."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.bw.selfhost.plugins.module_utils._client import organizations, providers
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import each
from ansible_collections.bw.selfhost.plugins.module_utils._model import client_plan, provider as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import Client, Member, member_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_scene
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal, find_portal

Values = dict[str, t.Any]
_FIRST = ("confirmed", "accepted", "invited")  # of several owners, whom to show


def listed(params: t.Mapping[str, t.Any], progress: Progress) -> Values:
    """Return the provider and those of its clients that are named, or all."""
    portal = find_portal(params, progress)
    names = params["names"]
    clients = [client for client in client_scene.listed(portal) if not names or client.name in names]
    bill = {} if client_scene.not_billable(portal) else providers.subscription(portal.server, portal.id)
    ends = bill.get("currentPeriodEndDate")
    entries = {entry["id"]: entry for entry in portal.profile.provider_organizations}
    owners = each(portal.server, [partial(_owner, portal, client) for client in clients], progress) if params["details"] else []
    return {
        "provider": _provider(portal, bill),
        "clients": [
            {
                **client_plan.listed(client),
                "confirmed_members": client.confirmed,
                "enabled": entries[client.id]["enabled"] if client.id in entries else None,
                "owner": owner,
                "expires": show_date(parse_date(ends)) if ends else None,
            }
            for client, owner in zip(clients, owners or [None] * len(clients))
        ],
    }


def _provider(portal: Portal, bill: t.Mapping[str, t.Any]) -> Values:
    pools = [model.pool_of(plan) for plan in bill.get("plans", ())]
    suspension = bill.get("suspension")
    return {
        "id": portal.id,
        "name": portal.name,
        "type": portal.seat.type,
        "enabled": portal.entry["enabled"],
        "plans": [
            {
                "name": pool.name,
                "minimum": pool.minimum,
                "purchased": pool.purchased,
                "assigned": pool.assigned,
                "free": pool.free,
            }
            for pool in pools
        ],
        "suspension": {
            "date": suspension["suspensionDate"],
            "unpaid_period_end": suspension["unpaidPeriodEndDate"],
            "grace_days": suspension["gracePeriod"],
        }
        if suspension
        else None,
    }


def _owner(portal: Portal, client: Client) -> Values | None:
    """Return one owner of a client, a confirmed one if there is any."""
    rows = [member_of(row) for row in organizations.members(portal.server, client.id)]
    owners = sorted((one for one in rows if one.owner and one.status in _FIRST), key=_rank)
    return {"email": owners[0].email, "status": owners[0].status} if owners else None


def _rank(owner: Member) -> int:
    return _FIRST.index(owner.status)
