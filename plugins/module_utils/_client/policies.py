# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The policies of an organization.

Source: bitwarden/server src/Api/AdminConsole/Controllers/PoliciesController.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]


def listed(server: Server, organization_id: str) -> list[Members]:
    """Return C(type), C(enabled), C(data) of each policy that was ever saved."""
    return t.cast("list[Members]", server.get(_path(organization_id))["data"])


def save(server: Server, organization_id: str, number: int, policy: Members, my_items: str | None = None) -> None:
    """Save C(enabled) and C(data), which is replaced.

    Args:
        server: where.
        organization_id: whose.
        number: the policy's type.
        policy: C(enabled), C(data).
        my_items: the encrypted name of the collection that each member gets, of data ownership alone.
    """
    known = {"type": number, **policy}
    metadata = {"defaultUserCollectionName": my_items} if my_items else None
    # Older servers read the outer members, newer ones those of policy; both ignore what they do not know.
    body = {**known, "policy": known, "metadata": metadata}
    apart = metadata and server.supports("policy metadata apart") and not server.supports("policy metadata")
    server.put(f"{_path(organization_id)}/{number}{'/vnext' if apart else ''}", json=body)


def _path(organization_id: str) -> str:
    return f"/organizations/{organization_id}/policies"
