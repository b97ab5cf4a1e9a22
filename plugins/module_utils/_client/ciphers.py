# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The items of an organization, encrypted.

Source: bitwarden/server src/Api/Vault/Controllers/CiphersController.cs, src/Api/Tools/Controllers/ImportCiphersController.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]


def listed(server: Server, organization_id: str) -> list[Members]:
    """Return every item, those in the trash (C(deletedDate)) included, those in C(My items) of members not.

    Owners, admins, provider users, and who may import and export.
    """
    return t.cast(
        "list[Members]", server.get("/ciphers/organization-details", params={"organizationId": organization_id})["data"]
    )


def import_items(server: Server, organization_id: str, body: t.Mapping[str, t.Any]) -> None:
    """Create items and, where C(collections) have no C(id), collections. The server tells no ids, and looks for no duplicates.

    Args:
        server: where.
        organization_id: the organization.
        body: C(ciphers), C(collections) and C(collectionRelationships), which are pairs of an index into each (C(key), C(value)).
    """
    server.post("/ciphers/import-organization", params={"organizationId": organization_id}, json=body)
