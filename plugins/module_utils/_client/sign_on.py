# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How people sign on to an organization, and who provisions its members: single sign-on and SCIM.

Source: bitwarden/server src/Api/AdminConsole/Controllers/OrganizationsController.cs (sso), OrganizationConnectionsController.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.connections import PATH
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]
SCIM = 2  # the connection's type
PROVIDERS = ("default", "azure_ad", "okta", "one_login", "jump_cloud", "google_workspace", "rippling", "ping")


def sso(server: Server, organization_id: str) -> Members:
    """Return C(enabled), C(identifier), C(data); the client secret stands in it in clear text."""
    return server.request("GET", f"/organizations/{organization_id}/sso").object()


def save_sso(server: Server, organization_id: str, body: t.Mapping[str, t.Any]) -> None:
    """Replace the configuration."""
    server.post(f"/organizations/{organization_id}/sso", json=body)


def scim(server: Server, organization_id: str) -> tuple[str | None, Members]:
    """Return the connection's id and C(enabled), C(provider); None and nothing when there is no connection."""
    answer = server.request("GET", f"{PATH}/{organization_id}/{SCIM}").object()
    config = {name.lower(): value for name, value in (answer.get("config") or {}).items()}
    if answer.get("id") is None:
        return None, {}
    return str(answer["id"]), {
        "enabled": bool(config.get("enabled")),
        "provider": PROVIDERS[config.get("scimprovider") or 0],
    }


def save_scim(server: Server, organization_id: str, id: str | None, wanted: t.Mapping[str, t.Any]) -> None:
    """Create the connection, or update that with the id."""
    enabled = wanted.get("enabled", True)
    config = {
        "enabled": enabled,
        "scimProvider": PROVIDERS.index(wanted.get("provider", PROVIDERS[0])),
        "inviteUsersAfterProvisioning": True,
    }
    body = {"type": SCIM, "organizationId": organization_id, "enabled": enabled, "config": config}
    if id:
        server.put(f"{PATH}/{id}", json=body)
    else:
        server.post(PATH, json=body)
