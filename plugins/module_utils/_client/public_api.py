# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The public API, which an organization's own key opens: members, groups and the import of directories.

Source: bitwarden/server src/Api/AdminConsole/Public/Controllers/, src/Api/Billing/Public/Controllers/OrganizationController.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import ApiKey, Password, organization_of
from ansible_collections.bw.selfhost.plugins.module_utils._client.options import Options
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

Members = dict[str, t.Any]
PATIENCE = 300  # seconds; a server sends the mails of an import before it answers
_CUSTOM = 4  # the role whose permissions are told


def connect_organization(params: Options, progress: Progress) -> Server:
    """Return the server with an organization logged in, or say that somebody else is; nothing is sent yet."""
    server = connect(params, progress=progress)
    if isinstance(server.identity, (ApiKey, Password)):
        raise _not_an_organization("client_id")
    return server


def organization_id(server: Server) -> str:
    """Return the id of the organization that is logged in."""
    found = organization_of(server.token)
    if found is None:
        raise _not_an_organization("session")
    return found


def _not_an_organization(option: str) -> SelfhostError:
    return SelfhostError(
        "This is a person's log-in; a directory is synchronized by the organization itself.",
        field=option,
        remedy="Use the organization's API key (organization.…), from the web vault's Settings, Organization info.",
    )


def members(server: Server) -> list[Members]:
    """Return C(id), C(userId), C(email), C(status), C(type), C(externalId) of each; collections are not among it."""
    return t.cast("list[Members]", server.request("GET", "/public/members").object("data")["data"])


def groups(server: Server) -> list[Members]:
    """Return C(id), C(name), C(externalId) of each."""
    return t.cast("list[Members]", server.request("GET", "/public/groups").object("data")["data"])


def group_members(server: Server, group_id: str) -> list[str]:
    """Return the ids of a group's members."""
    return t.cast("list[str]", server.get(f"/public/groups/{group_id}/member-ids"))


def seats(server: Server) -> tuple[int | None, int | None]:
    """Return a cloud's number of seats, and up to how many it buys by itself; nothing where the key may not know it."""
    try:
        answer = server.request("GET", "/public/organization/subscription").object()
    except ApiError as error:
        if error.status in (403, 404):
            return None, None
        raise
    manager = answer.get("passwordManager") or {}
    return manager.get("seats"), manager.get("maxAutoScaleSeats")


def import_directory(server: Server, body: t.Mapping[str, t.Any]) -> None:
    """Import members and groups. What was done before a refusal stays done."""
    server.post("/public/organization/import", json=body, timeout=max(server.http.timeout, PATIENCE))


def set_external_id(server: Server, member_id: str, external_id: str) -> None:
    """Give a member another external id. All the rest is sent back as it is: what is missing would be reset."""
    found = server.request("GET", f"/public/members/{member_id}").object("id", "collections")
    body = {"type": found["type"], "externalId": external_id, "collections": found["collections"]}
    if found["type"] == _CUSTOM:
        body["permissions"] = found["permissions"]
    server.put(f"/public/members/{member_id}", json=body)


def restore(server: Server, member_id: str) -> None:
    """Make a revoked member again what it was (server 2026.2.0 and later)."""
    server.post(f"/public/members/{member_id}/restore")


def delete_group(server: Server, group_id: str) -> None:
    """Delete a group; the access that it gave goes with it."""
    server.delete(f"/public/groups/{group_id}")
