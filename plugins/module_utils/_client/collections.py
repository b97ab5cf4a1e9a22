# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collections of an organization. Their names are encrypted.

Source: bitwarden/server src/Api/AdminConsole/Controllers/CollectionsController.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]


def listed(server: Server, organization_id: str) -> list[Members]:
    """Return C(id), C(name), C(externalId) of each; C(My items) of members are not among them.

    Who has access stands in C(details), which records a visit to the vault each time that a provider user asks; groups and
    members tell the same.
    """
    return t.cast("list[Members]", server.get(_path(organization_id))["data"])


def create(server: Server, organization_id: str, body: t.Mapping[str, t.Any]) -> str:
    """Create one with C(name), C(externalId), C(groups), C(users), and return its id."""
    return str(server.request("POST", _path(organization_id), json=body).object("id")["id"])


def update(server: Server, organization_id: str, id: str, body: t.Mapping[str, t.Any]) -> None:
    """Replace C(name), C(externalId), C(groups) and C(users)."""
    server.put(f"{_path(organization_id)}/{id}", json=body)


def delete(server: Server, organization_id: str, ids: t.Sequence[str]) -> None:
    """Delete collections; items that are in no other one belong to nobody then."""
    server.delete(_path(organization_id), json={"ids": ids})


def _path(organization_id: str) -> str:
    return f"/organizations/{organization_id}/collections"
