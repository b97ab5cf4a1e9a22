# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One provider: who we are there, its key, and the way to its clients."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import cached_property

from ansible_collections.bw.selfhost.plugins.module_utils._client import profile as profiles
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress, silent
from ansible_collections.bw.selfhost.plugins.module_utils._client.profile import Profile
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model import provider as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.choice import Entry, choose, named


@dataclass
class Portal:
    """A provider of which we are a confirmed user.

    Attributes:
        server: the cloud.
        profile: who we are.
        entry: the provider in the profile.
    """

    server: Server
    profile: Profile = field(repr=False)
    entry: Entry = field(repr=False)
    master_password: str | None = field(repr=False)

    @property
    def id(self) -> str:
        """The provider's id."""
        return str(self.entry["id"])

    @property
    def name(self) -> str:
        """The provider's name."""
        return str(self.entry["name"])

    @property
    def seat(self) -> model.Seat:
        """Who we are there."""
        kind = model.TYPES.get(self.entry["providerType"], "unknown")
        return model.Seat(self.name, kind, self.profile.email, self.entry["type"] == model.ADMIN)

    @cached_property
    def account(self) -> Account:
        """Our unlocked account."""
        return Account.unlock(self.server, self.master_password)

    @cached_property
    def key(self) -> bytes:
        """The provider's key, proven against a client's: what a server hands out as ours could be anybody's making (type 4)."""
        account = self.account
        try:
            key = account.provider_key(self.entry["key"])
            for client in [one for one in self.profile.provider_organizations if one["providerId"] == self.id][:1]:
                keys.open_client_key(client["key"], key)
        except SelfhostError as error:
            raise not_opened(self.name, "provider_id", error) from None
        return key

    def refusals(self, *, admin: bool) -> list[SelfhostError]:
        """Return what stands in the way of any change; C(admin) says whether it takes an admin."""
        problems = []
        if not self.entry["enabled"]:
            cause = f"The provider {self.name} is suspended; the portal would refuse this, too."
            problems.append(SelfhostError(cause, field="provider_id", remedy="Pay what is due, then run it again."))
        if admin and not self.seat.admin:
            problems.append(model.admin_needed(self.seat, "This"))
        return problems


def not_opened(name: str, field: str, error: SelfhostError) -> SelfhostError:
    """The refusal to work with a key that does not open what it should; C(name) is the organization's or the provider's."""
    remedy = "Log in to the web vault: if it cannot show the names of collections either, ask another owner or admin."
    return SelfhostError(f"The key of {name} does not fit. {error.cause}", field=field, remedy=error.remedy or remedy)


def find_portal(params: t.Mapping[str, t.Any], progress: Progress = silent) -> Portal:
    """Return the provider that C(provider_id) or C(provider_name) mean; the only one if neither is given."""
    server = connect(params, progress=progress)
    profile = profiles.read(server)
    entry = choose(profile.providers, params, "provider")
    if entry is None:
        option, wanted = named(params, "provider")
        raise SelfhostError(
            f"{profile.email} is not a confirmed user of {f'the provider {wanted}' if wanted else 'a provider'}.",
            field=option,
            remedy="Check id or name and the region. The provider must be set up, and an admin must have confirmed the account.",
        )
    return Portal(server, profile, entry, params.get("master_password"))
