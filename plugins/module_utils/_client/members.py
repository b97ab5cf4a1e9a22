# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The members of an organization.

Source: bitwarden/server src/Api/AdminConsole/Controllers/OrganizationUsersController.cs (ac309aa19e).
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]


def invite(server: Server, organization_id: str, emails: t.Sequence[str], type: int, **access: t.Any) -> None:
    """Invite up to 20 people, each by mail, with the same role and access; who has a row already is passed over.

    Args:
        server: where the organization is.
        organization_id: its id.
        emails: whom.
        type: the role's number.
        access: further members of the body: C(collections), C(groups), C(permissions).
    """
    # The server fails on a missing list of collections.
    body = {"emails": list(emails), "type": type, "accessSecretsManager": False, "collections": [], "groups": [], **access}
    server.post(f"/organizations/{organization_id}/users/invite", json=body)


def public_keys(server: Server, organization_id: str, ids: t.Sequence[str]) -> list[Members]:
    """Return C(id), C(userId) and C(key) of those members that have an account and a key."""
    answer = server.post(f"/organizations/{organization_id}/users/public-keys", json={"ids": list(ids)})
    return _results(answer)


def confirm(
    server: Server, organization_id: str, sealed: t.Mapping[str, str], default_collection: str | None = None
) -> list[Members]:
    """Confirm members with the organization key sealed for each (by id); returns C(id) and C(error) (empty for success).

    Who has not accepted is missing in the answer. C(default_collection) is the encrypted name of the collection that a member
    gets for his own items, where the policy on data ownership is in force.
    """
    keys = [{"id": id, "key": key} for id, key in sealed.items()]
    body = {"keys": keys, "defaultUserCollectionName": default_collection}
    return _results(server.post(f"/organizations/{organization_id}/users/confirm", json=body))


def update(server: Server, organization_id: str, id: str, body: t.Mapping[str, t.Any]) -> None:
    """Replace C(type), C(permissions), C(accessSecretsManager) and C(collections); C(groups) that are None stay."""
    server.put(f"/organizations/{organization_id}/users/{id}", json=body)


def revoke(server: Server, organization_id: str, ids: t.Sequence[str]) -> list[Members]:
    """Take members' access away; what they were is kept. Returns C(id) and C(error) (empty for success)."""
    return _results(server.put(f"/organizations/{organization_id}/users/revoke", json={"ids": list(ids)}))


def restore(server: Server, organization_id: str, ids: t.Sequence[str], default_collection: str | None = None) -> list[Members]:
    """Make members again what they were before they were revoked. Returns C(id) and C(error) (empty for success)."""
    body = {"ids": list(ids), "defaultUserCollectionName": default_collection}
    return _results(server.put(f"/organizations/{organization_id}/users/restore", json=body))


def remove(server: Server, organization_id: str, ids: t.Sequence[str]) -> list[Members]:
    """Remove members; their accounts stay. Returns C(id) and C(error) (empty for success)."""
    return _results(server.request("DELETE", f"/organizations/{organization_id}/users", json={"ids": list(ids)}).json())


def _results(answer: t.Any) -> list[Members]:
    return t.cast("list[Members]", answer["data"])
