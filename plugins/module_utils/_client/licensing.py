# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Licenses and installations: what the cloud gives out, and what a self-hosted server takes.

Source: bitwarden/server src/Api/Billing/Controllers/, src/Api/Controllers/SelfHosted/SelfHostedOrganizationLicensesController.cs,
src/Api/Platform/Installations/.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import Installation
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

SELF_HOSTED = "/organizations/licenses/self-hosted"
FILE_NAME = "bitwarden_organization_license.json"

# Scopes of an installation's token.
LICENSING, SPONSORSHIPS = "api.licensing", "api.installation"


# --- the cloud -------------------------------------------------------------------------------------------------------


def download(cloud: Server, cloud_organization_id: str, installation_id: str) -> bytes:
    """Return a fresh license file, for C(license.parse) and C(upload). Owners and provider users.

    400 C(Invalid installation id) when this region does not know the installation.
    """
    path = f"/organizations/{cloud_organization_id}/license"
    return cloud.request("GET", path, params={"installationId": installation_id}).content


def installation(cloud: Server, installation_id: str) -> dict[str, t.Any] | None:
    """Return C(id) and C(enabled) of an installation, None when this region does not know it. Needs no login."""
    try:
        return cloud.request("GET", f"/installations/{installation_id}", anonymous=True).object("id")
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def register_installation(cloud: Server, email: str) -> dict[str, t.Any]:
    """Request a new installation: C(id), C(key) (secret, shown only now) and C(enabled). Needs no login."""
    return cloud.request("POST", "/installations", anonymous=True, json={"email": email}).object("id", "key")


def installation_token(cloud: Server, installation_id: str, installation_key: str, scope: str = LICENSING) -> str:
    """Return an installation's access token, which proves id, key, region and the way to the cloud."""
    return cloud.door.log_in(Installation(installation_id, installation_key, scope)).access_token


# --- the self-hosted server ------------------------------------------------------------------------------------------


def create(server: Server, content: bytes, key: str, collection_name: str) -> dict[str, t.Any]:
    """Create the organization of a license, owned by the caller, and return it (C(id) is the local one).

    The token must be renewed afterwards, then the organization given its key pair, as the web vault does it.
    The server accepts a second organization for the license of a disabled one: look before you create.

    Args:
        server: the self-hosted server.
        content: the license file.
        key: the organization key, sealed for the caller (C(NewOrganization.key)).
        collection_name: the encrypted name of the first collection.
    """
    form = {"key": key, "collectionName": collection_name}
    return server.request("POST", SELF_HOSTED, files=_file(content), data=form).object("id")


def upload(server: Server, organization_id: str, content: bytes) -> None:
    """Replace an organization's license. Owners only."""
    server.post(f"{SELF_HOSTED}/{organization_id}", files=_file(content))


def sync(server: Server, organization_id: str) -> None:
    """Make the server fetch its license from the cloud and apply it. Owners only; 404 also without a connection."""
    server.post(f"{SELF_HOSTED}/{organization_id}/sync")


def _file(content: bytes) -> dict[str, tuple[str, bytes, str]]:
    return {"license": (FILE_NAME, content, "application/json")}
