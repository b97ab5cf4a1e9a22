# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Organizations, as their members see them.

Source: bitwarden/server src/Api/AdminConsole/Controllers/OrganizationsController.cs and OrganizationUsersController.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.keys import KeyPair

OWNER = 0  # a member's type
REVOKED, INVITED, ACCEPTED, CONFIRMED = -1, 0, 1, 2  # a member's status

Members = dict[str, t.Any]


def mine(server: Server) -> list[Members]:
    """Return the caller's confirmed memberships.

    Each has C(id), C(name), C(enabled), C(type), C(status), C(key) (the organization key, type 4), C(hasPublicAndPrivateKeys),
    C(seats), C(use…) and the caller's own C(familySponsorship…) members. Clients of a provider are not among them.
    """
    return _data(server.get("/organizations"))


def get(server: Server, organization_id: str) -> Members:
    """Return an organization: C(name), C(planType), C(seats), C(selfHost), C(use…), C(hasPublicAndPrivateKeys). Owners only."""
    return server.request("GET", f"/organizations/{organization_id}").object("id")


def update(server: Server, organization_id: str, *, name: str, billing_email: str) -> None:
    """Replace name and billing e-mail of an organization in the cloud; older releases want both. A provider may do this, too."""
    server.put(f"/organizations/{organization_id}", json={"name": name, "billingEmail": billing_email})


def delete(server: Server, organization_id: str, password_hash: str) -> None:
    """Delete an organization with all that is in it, for good; C(password_hash) is the caller's. Owners and providers only."""
    server.delete(f"/organizations/{organization_id}", json={"masterPasswordHash": password_hash})


def subscription(server: Server, organization_id: str) -> Members:
    """Return what C(get) has plus C(expiration) and C(expirationWithoutGracePeriod), dates without a zone. Owners only.

    A self-hosted server answers 400 when the license's token has expired, and 500 when the license file is missing.
    """
    return server.request("GET", f"/organizations/{organization_id}/subscription").object("id")


def members(server: Server, organization_id: str) -> list[Members]:
    """Return every member: C(id), C(userId), C(email), C(type), C(status), C(collections), C(groups)."""
    # Without both flags, collections and groups are empty lists, which would read as no access.
    flags = {"includeGroups": "true", "includeCollections": "true"}
    return _data(server.get(f"/organizations/{organization_id}/users", params=flags))


def set_settings(server: Server, organization_id: str, settings: t.Mapping[str, bool]) -> None:
    """Set all four C(limit…) and C(allow…) members at once; the server takes a missing one for false."""
    server.put(f"/organizations/{organization_id}/collection-management", json=settings)


def set_keys(server: Server, organization_id: str, pair: KeyPair) -> None:
    """Give an organization its key pair; 400 C(Organization Keys already exist.) if it has one."""
    body = {"publicKey": pair.public_key, "encryptedPrivateKey": pair.encrypted_private_key}
    server.post(f"/organizations/{organization_id}/keys", json=body)


def _data(answer: t.Any) -> list[Members]:
    return t.cast("list[Members]", answer["data"])
