# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Families sponsorships on a self-hosted server; the cloud learns of them at the next sponsorship sync.

Source: bitwarden/server src/Api/Controllers/SelfHosted/SelfHostedOrganizationSponsorshipsController.cs.
"""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

PATH = "/organization/sponsorship"
SELF_HOSTED = f"{PATH}/self-hosted"
FAMILIES_FOR_ENTERPRISE = 0


def listed(server: Server, organization_id: str) -> list[dict[str, t.Any]]:
    """Return the admin-initiated sponsorships (server 2025.5.2 and later; manage-users).

    Each has C(friendlyName), C(offeredToEmail), C(lastSyncDate), C(validUntil), C(toDelete), C(isAdminInitiated),
    C(sponsoringOrganizationUserId). A member's own is in C(organizations.mine), as C(familySponsorship…).
    """
    return t.cast("list[dict[str, t.Any]]", server.get(f"{SELF_HOSTED}/{organization_id}/sponsored")["data"])


def offer(
    server: Server, organization_id: str, email: str, *, friendly_name: str | None = None, admin_initiated: bool = True
) -> None:
    """Offer a sponsorship. Nothing happens, with success, when one of the same friendly name is there already."""
    body = {
        "planSponsorshipType": FAMILIES_FOR_ENTERPRISE,
        "sponsoredEmail": email,
        "friendlyName": friendly_name or email,
        "isAdminInitiated": admin_initiated,
        "notes": None,
    }
    server.post(f"{SELF_HOSTED}/{organization_id}/families-for-enterprise", json=body)


def revoke(server: Server, organization_id: str, friendly_name: str) -> None:
    """Revoke an admin-initiated sponsorship: gone at once when it was never synced, else at the next sync."""
    server.delete(f"{SELF_HOSTED}/{organization_id}/{quote(friendly_name, safe='')}/revoke")


def revoke_own(server: Server, organization_id: str) -> None:
    """Revoke the sponsorship that the caller offered as a member."""
    server.delete(f"{SELF_HOSTED}/{organization_id}")
