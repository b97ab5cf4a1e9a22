# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One organization to work in: who we are there, and its key."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import cached_property

from ansible_collections.bw.selfhost.plugins.module_utils._client import collections, profile as profiles
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress, silent
from ansible_collections.bw.selfhost.plugins.module_utils._client.profile import Profile
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import decrypt
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.choice import Entry, choose, named
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal, not_opened


@dataclass
class Workplace:
    """An organization of which we are a member, or which is a client of our provider.

    Attributes:
        server: where it is.
        profile: who we are.
        entry: the organization in the profile. Where it is both ways ours, the provider's entry, as in the official clients.
        portal: the provider through which we come, and so with an owner's rights but without being a member; None for a member.
    """

    server: Server
    profile: Profile = field(repr=False)
    entry: Entry = field(repr=False)
    portal: Portal | None
    master_password: str | None = field(repr=False)
    _collections: list[dict[str, t.Any]] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The organization's id."""
        return str(self.entry["id"])

    @property
    def name(self) -> str:
        """The organization's name."""
        return str(self.entry["name"])

    @property
    def via_provider(self) -> bool:
        """Whether we act as the organization's provider."""
        return self.portal is not None

    @property
    def self_id(self) -> str | None:
        """The id of our own membership; None when we only come through a provider."""
        return next((str(own["organizationUserId"]) for own in self.profile.organizations if own["id"] == self.id), None)

    def collections(self) -> list[dict[str, t.Any]]:
        """Read the collections. The key is proven against one of them, which then takes no further request."""
        self._collections = collections.listed(self.server, self.id)
        return self._collections

    @cached_property
    def account(self) -> Account:
        """Our unlocked account."""
        return self.portal.account if self.portal else Account.unlock(self.server, self.master_password)

    @cached_property
    def key(self) -> bytes:
        """The organization's key: opened when it is first needed, and proven against what the organization holds.

        What a server hands out as a membership's key could be anybody's making (type 4).
        """
        account, outer, wrapped = self.account, self.portal.key if self.portal else None, self.entry["key"]
        witnesses = (self.collections() if self._collections is None else self._collections)[:1]
        try:
            key = keys.open_client_key(wrapped, outer) if outer else account.organization_key(wrapped)
            for collection in witnesses:
                decrypt(collection["name"], key)
        except SelfhostError as error:
            raise not_opened(self.name, "organization_id", error) from None
        return key


def find_workplace(params: t.Mapping[str, t.Any], progress: Progress = silent) -> Workplace:
    """Return the organization that C(organization_id) or C(organization_name) mean; the only one if neither is given."""
    server = connect(params, progress=progress)
    if not server.is_cloud:
        _official = server.version  # refuses what is not Bitwarden's
    profile, password = profiles.read(server), params.get("master_password")
    entry = _entry(profile, params)
    portal = None
    if entry in profile.provider_organizations:
        provider = next(one for one in profile.providers if one["id"] == entry["providerId"])
        portal = Portal(server, profile, provider, password)
    return Workplace(server, profile, entry, portal, password)


def sealed_for_member(workplace: Workplace, public_key: str) -> str:
    """Return the organization's key, sealed for the owner of a public key (base64): what confirms a member."""
    return keys.seal_for(workplace.key, public_key)


def _entry(profile: Profile, params: t.Mapping[str, t.Any]) -> Entry:
    ours = {one["id"]: one for one in profile.organizations + profile.provider_organizations}  # the provider's entry wins
    found = choose(ours.values(), params, "organization")
    if found is None:
        field, wanted = named(params, "organization")
        raise SelfhostError(
            f"{profile.email} is neither a confirmed member of {f'the organization {wanted}' if wanted else 'an organization'} "
            "nor a confirmed user of its provider.",
            field=field,
            remedy="Check the id or name, the server or region, and whether the account has been confirmed.",
        )
    return found
