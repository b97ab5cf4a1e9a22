# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The API keys of an organization; that of type billing sync, made in the cloud, is the billing sync token.

Source: bitwarden/server src/Api/AdminConsole/Controllers/OrganizationsController.cs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

DEFAULT, BILLING_SYNC, SCIM = 0, 1, 2  # the type is always sent: without one the server means the default key


@dataclass(frozen=True)
class OrganizationApiKey:
    """A key and when it was made or rotated (ISO 8601)."""

    key: str = field(repr=False)
    revision_date: str


def information(server: Server, organization_id: str, type: int) -> str | None:
    """Return the revision date of a key, None when there has never been one."""
    answer = server.get(f"/organizations/{organization_id}/api-key-information/{type}")
    return next((str(key["revisionDate"]) for key in answer["data"] if key["keyType"] == type), None)


def get_or_create(server: Server, organization_id: str, type: int, password_hash: str) -> OrganizationApiKey:
    """Return the key, the same each time until it is rotated; 404 when the plan does not have this type."""
    return _ask(server, f"/organizations/{organization_id}/api-key", type, password_hash)


def rotate(server: Server, organization_id: str, type: int, password_hash: str) -> OrganizationApiKey:
    """Replace the key; the old one stops working at once."""
    return _ask(server, f"/organizations/{organization_id}/rotate-api-key", type, password_hash)


def _ask(server: Server, path: str, type: int, password_hash: str) -> OrganizationApiKey:
    try:
        answer = server.request("POST", path, json={"type": type, "masterPasswordHash": password_hash}).object("apiKey")
    except ApiError as error:
        if "MasterPasswordHash" not in error.validation:
            raise
        raise SelfhostError(
            "The server does not accept the master password.",
            field=f"{server.prefix}master_password",
            remedy="Give the master password of the account that is logged in.",
        ) from None
    return OrganizationApiKey(str(answer["apiKey"]), str(answer.get("revisionDate")))
