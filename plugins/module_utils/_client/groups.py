# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The groups of an organization.

Source: bitwarden/server src/Api/AdminConsole/Controllers/GroupsController.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]


def listed(server: Server, organization_id: str) -> list[Members]:
    """Return C(id), C(name), C(externalId) and C(collections) of each; who is in them, the members tell."""
    return t.cast("list[Members]", server.get(f"{_path(organization_id)}/details")["data"])


def create(server: Server, organization_id: str, body: t.Mapping[str, t.Any]) -> str:
    """Create one with C(name), C(collections), C(users), and return its id."""
    return str(server.request("POST", _path(organization_id), json=body).object("id")["id"])


def update(server: Server, organization_id: str, id: str, body: t.Mapping[str, t.Any]) -> None:
    """Replace C(name), C(collections) and C(users); all three have to be there."""
    server.put(f"{_path(organization_id)}/{id}", json=body)


def delete(server: Server, organization_id: str, ids: t.Sequence[str]) -> None:
    """Delete groups; the access that they gave goes with them."""
    server.delete(_path(organization_id), json={"ids": ids})


def _path(organization_id: str) -> str:
    return f"/organizations/{organization_id}/groups"
