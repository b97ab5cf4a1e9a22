# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The billing-sync token of an organization, in the cloud."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client import api_keys
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle

LENGTH = 30
KIND = "billing sync token"


def ensure(params: t.Mapping[str, t.Any], check_mode: bool) -> tuple[Plan, dict[str, t.Any]]:
    """Get the token, make it when there is none, or replace it when asked to."""
    cloud, organization_id = connect(params), params["cloud_organization_id"]
    proof = Account.unlock(cloud, params["master_password"]).password_hash
    before = api_keys.information(cloud, organization_id, api_keys.BILLING_SYNC)
    todo = plan(before is not None, organization_id, rotate=params["state"] == "rotated")
    if check_mode and before is None:
        return todo, {"token": None, "revision_date": None}
    if before is not None and todo.changed and not check_mode:
        settle(
            lambda: api_keys.rotate(cloud, organization_id, api_keys.BILLING_SYNC, proof),
            lambda: api_keys.information(cloud, organization_id, api_keys.BILLING_SYNC) != before,
        )
    key = get(cloud, organization_id, proof)
    return todo, {"token": key.key, "revision_date": show_date(parse_date(key.revision_date))}


def plan(exists: bool, organization_id: str, rotate: bool = False) -> Plan:
    """Return what happens to the token in the cloud."""
    if not exists:
        return Plan((Change("create", KIND, organization_id),))
    return Plan((Change("run", KIND, organization_id, reason="rotated; the old one stops working"),)) if rotate else Plan()


def get(cloud: Server, organization_id: str, proof: str) -> api_keys.OrganizationApiKey:
    """Get the token; asking twice is safe, as the cloud gives the same one until it is rotated."""
    keys: list[api_keys.OrganizationApiKey] = []
    settle(
        lambda: keys.append(api_keys.get_or_create(cloud, organization_id, api_keys.BILLING_SYNC, proof)),
        lambda: bool(keys),
    )
    return keys[0]


def refuse_bad(token: str | None) -> None:
    """Raise when a token cannot be one: a server stores anything, and it only shows at the next sync."""
    if token is not None and (len(token) != LENGTH or not token.isalnum()):
        raise SelfhostError(
            f"This is not a billing-sync token: it has {len(token)} characters, a token has {LENGTH} letters and digits.",
            field="token",
            remedy="Copy it whole from the cloud, or let the module fetch it (cloud).",
        )
