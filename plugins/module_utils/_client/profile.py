# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is logged in, and where: the organizations and providers of a person, with their wrapped keys.

Source: bitwarden/server src/Api/Models/Response/ProfileResponseModel.cs.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server

Members = dict[str, t.Any]


@dataclass(frozen=True)
class Profile:
    """A person's confirmed memberships, as the server sends them.

    Attributes:
        user_id: the person's id.
        email: the person's e-mail address.
        organizations: memberships; C(key) is of type 4, C(organizationUserId) the membership's own id.
        providers: C(id), C(name), C(type) (the person's role), C(enabled), C(providerStatus), C(key) of type 4; the servers
            leave out a provider that is not set up yet.
        provider_organizations: the clients of these providers; C(id) is the organization's, C(providerId) the provider's, C(key)
            of type 2 under the provider's key.
    """

    user_id: str
    email: str
    organizations: list[Members] = field(repr=False)
    providers: list[Members] = field(repr=False)
    provider_organizations: list[Members] = field(repr=False)


def read(server: Server) -> Profile:
    """Return the caller's profile; one request."""
    answer = server.request("GET", "/accounts/profile").object(
        "id", "email", "organizations", "providers", "providerOrganizations"
    )
    return Profile(answer["id"], answer["email"], answer["organizations"], answer["providers"], answer["providerOrganizations"])
