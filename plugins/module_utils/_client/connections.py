# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The billing sync connection of an organization on a self-hosted server.

Source: bitwarden/server src/Api/AdminConsole/Controllers/OrganizationConnectionsController.cs.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

PATH = "/organizations/connections"
BILLING_SYNC = 1  # the connection's type, CloudBillingSync


@dataclass(frozen=True)
class Connection:
    """How an organization syncs its billing.

    Attributes:
        id: the connection's.
        enabled: whether it is in use.
        billing_sync_key: the token. Secret.
        cloud_organization_id: taken by the server from the license in force when the connection was written.
        last_license_sync: ISO 8601 with an offset, None when there was none.
    """

    id: str
    enabled: bool
    billing_sync_key: str | None = field(repr=False)
    cloud_organization_id: str | None
    last_license_sync: str | None


def enabled(server: Server) -> bool:
    """Say whether the server is allowed to talk to the cloud (C(enableCloudCommunication))."""
    return server.get(f"{PATH}/enabled") is True


def get(server: Server, organization_id: str) -> Connection | None:
    """Return the connection, None when there is none. Owners only; others get a 400."""
    return _connection(server.get(f"{PATH}/{organization_id}/{BILLING_SYNC}"))


def create(server: Server, organization_id: str, billing_sync_key: str, *, enabled: bool = True) -> Connection | None:
    """Create the connection. The server does not try the token; only a license sync proves it."""
    return _connection(server.post(PATH, json=_body(organization_id, billing_sync_key, enabled, None)))


def update(
    server: Server, organization_id: str, connection: Connection, billing_sync_key: str, *, enabled: bool = True
) -> Connection | None:
    """Update the connection; the date of its last license sync is sent back, as the server would forget it."""
    body = _body(organization_id, billing_sync_key, enabled, connection.last_license_sync)
    return _connection(server.put(f"{PATH}/{connection.id}", json=body))


def delete(server: Server, connection_id: str) -> None:
    """Delete the connection; the token stays valid in the cloud."""
    server.delete(f"{PATH}/{connection_id}")


def _body(organization_id: str, key: str, enabled: bool, last_license_sync: str | None) -> dict[str, t.Any]:
    config = {"billingSyncKey": key, "lastLicenseSync": last_license_sync}
    return {"type": BILLING_SYNC, "organizationId": organization_id, "enabled": enabled, "config": config}


def _connection(answer: t.Any) -> Connection | None:
    """Read an answer; inside C(config) the names are capitalized, as the stored text is passed on."""
    if answer is None or answer.get("id") is None:
        return None
    config = answer.get("config") or {}
    return Connection(
        str(answer["id"]),
        bool(answer.get("enabled")),
        config.get("BillingSyncKey"),
        config.get("CloudOrganizationId"),
        config.get("LastLicenseSync"),
    )
