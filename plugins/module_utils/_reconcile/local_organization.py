# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which organization of a self-hosted server is meant: its id there is not its id in the cloud."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client import connections, organizations, sponsorships
from ansible_collections.bw.selfhost.plugins.module_utils._client.connections import Connection
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

Entry = t.Mapping[str, t.Any]


class Directory:
    """The organizations of the user on one server and their billing-sync connections, each asked for once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._entries: list[Entry] | None = None
        self._connections: dict[str, Connection | None] = {}

    @property
    def entries(self) -> list[Entry]:
        """The organizations of which the user is a confirmed member (C(GET organizations))."""
        if self._entries is None:
            self._entries = list(organizations.mine(self.server))
        return self._entries

    def connection(self, organization_id: str) -> Connection | None:
        """The billing-sync connection of an organization that the user owns."""
        if organization_id not in self._connections:
            self._connections[organization_id] = read_connection(self.server, organization_id)
        return self._connections[organization_id]

    def find(self, wanted: t.Mapping[str, t.Any], name: str | None = None) -> Entry | None:
        """Return the organization that is meant, or None when the server does not have it.

        Args:
            wanted: C(organization_id), C(organization_name) and C(cloud_organization_id), as the modules' options.
            name: its name when C(organization_name) does not say it, such as the license's.
        """
        if wanted["organization_id"]:
            return self._by_id(wanted["organization_id"])
        cloud_id = wanted.get("cloud_organization_id")
        name = wanted["organization_name"] or name
        if cloud_id:
            connected = [entry for entry in self.entries if self.cloud_id(entry) == cloud_id.lower()]
            if connected:
                return _only(connected, "cloud_organization_id")
        if name:
            # One that is connected to another organization of the cloud only happens to have the same name.
            named = [entry for entry in self.entries if entry["name"] == name]
            return _only([entry for entry in named if not cloud_id or self.cloud_id(entry) is None], "organization_name")
        return None if cloud_id else _only(self.entries, "organization_id")

    def cloud_id(self, entry: Entry) -> str | None:
        """The id in the cloud of an organization's connection; None without one, or when it is not the user's to see."""
        connection = self.connection(entry["id"]) if is_owner(entry) else None
        found = connection.cloud_organization_id if connection else None
        return found.lower() if found else None

    def _by_id(self, organization_id: str) -> Entry:
        for entry in self.entries:
            if entry["id"].lower() == organization_id.lower():
                return entry
        raise not_a_member(organization_id)


def is_owner(entry: Entry) -> bool:
    """Say whether the user is a confirmed owner."""
    return (entry["type"], entry["status"]) == (organizations.OWNER, organizations.CONFIRMED)


def read_connection(server: Server, organization_id: str) -> Connection | None:
    """Return the billing-sync connection of an organization, None when there is none."""
    try:
        return connections.get(server, organization_id)
    except ApiError as error:
        if error.status == 400 and "permission" in error.message:
            raise not_owner(organization_id) from None
        raise


def not_owner(organization: str) -> SelfhostError:
    """The refusal for a user without the owner role; C(organization) is its name or id."""
    return SelfhostError(
        f"The user is not an owner of the organization {organization}.",
        field="client_id",
        remedy="Log in as an owner, or let an owner give this user the owner role.",
    )


def not_a_member(organization_id: str) -> SelfhostError:
    """The refusal for an organization that the user cannot see."""
    return SelfhostError(
        f"The user is no confirmed member of an organization {organization_id}.",
        field="organization_id",
        remedy="Use the id that the organization has on this server (not its id in the cloud), and log in as one of its owners.",
    )


def not_there(wanted: t.Mapping[str, t.Any]) -> SelfhostError:
    """The refusal for an organization that the server does not have."""
    named = wanted["organization_name"] or wanted.get("cloud_organization_id")
    what = f"the organization {named}" if named else "an organization of the user"
    return SelfhostError(
        f"The server does not have {what}.",
        field="organization_name" if wanted["organization_name"] else "organization_id",
        remedy="Apply its license first (bw.selfhost.organization_license), or set organization_id.",
    )


def occupied_seats(server: Server, organization_id: str) -> int:
    """Count what occupies seats: members that are not revoked, and the organization's sponsorships."""
    active = (organizations.INVITED, organizations.ACCEPTED, organizations.CONFIRMED)
    members = sum(member["status"] in active for member in organizations.members(server, organization_id))
    offered = len(sponsorships.listed(server, organization_id)) if server.supports("admin sponsorships") else 0
    return members + offered


def yet_to_come(wanted: t.Mapping[str, t.Any]) -> str:
    """What check mode warns of when the server does not have the organization: an earlier task may be about to create it."""
    return f"{not_there(wanted).cause} In a real run, an earlier task has to create it."


def portal_url(server: Server, organization_id: str) -> str:
    """The page of the System Administrator Portal with the button that syncs sponsorships."""
    base = server.endpoints.api.removesuffix("/api")
    return f"{base}/admin/organizations/view/{organization_id}"


def _only(entries: t.Sequence[Entry], field: str) -> Entry | None:
    if len(entries) > 1:
        names = ", ".join(f"{entry['name']} ({entry['id']})" for entry in entries)
        raise SelfhostError(f"Several organizations could be meant: {names}.", field=field, remedy="Set organization_id.")
    return entries[0] if entries else None
