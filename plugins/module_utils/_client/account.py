# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An unlocked account: its keys live here, in memory, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import master_key, password_hash
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError


@dataclass(frozen=True)
class Account:
    """A person's account whose master password is known to be right.

    Attributes:
        email: who it is.
        password_hash: proves the master password to the server, the wire's C(masterPasswordHash). Secret.
    """

    email: str
    password_hash: str = field(repr=False)
    _user_key: bytes = field(repr=False)
    _wrapped_private_key: str | None = field(repr=False)

    @classmethod
    def unlock(cls, server: Server, master_password: str | None) -> Account:
        """Unlock the account that is logged in. The password is tried here, so that a wrong one is never sent."""
        option = server.prefix + "master_password"
        if not master_password:
            raise SelfhostError("The master password is needed.", field=option, remedy="Give it, or set BW_PASSWORD.")
        token = server.token
        if not token.email or not token.key:
            raise SelfhostError(
                "This account has no master password.", field=option, remedy="Use the account of a person who has one."
            )
        kdf, salt = (token.kdf, token.salt or token.email) if token.kdf else server.door.prelogin(token.email)
        key = master_key(master_password, salt, kdf)
        try:
            user_key = keys.unwrap_user_key(token.key, key)
        except SelfhostError:
            raise SelfhostError(
                f"The master password is wrong for {token.email}.",
                field=option,
                remedy="Check it, and that it is this server's account: each cloud region and self-hosted server has its own.",
            ) from None
        return cls(token.email, password_hash(key, master_password), user_key, token.private_key)

    def new_organization(self, collection_name: str) -> keys.NewOrganization:
        """Make the keys of a new organization of which this account is the owner."""
        return keys.new_organization(self._private_key(), collection_name)

    def new_key_pair(self, organization_key: str) -> keys.KeyPair:
        """Make the key pair of an organization that has none; C(organization_key) is the C(key) of the own membership."""
        return keys.new_key_pair(self.organization_key(organization_key))

    def organization_key(self, sealed: str) -> bytes:
        """Open the C(key) of an own membership in an organization."""
        return keys.open_shared_key(sealed, self._private_key())

    def provider_key(self, sealed: str) -> bytes:
        """Open the C(key) of an own entry among a provider's users."""
        return keys.open_shared_key(sealed, self._private_key())

    def _private_key(self) -> bytes:
        if self._wrapped_private_key is None:
            raise SelfhostError("The account has no key pair.", remedy="Log in to the web vault with it once.")
        return keys.open_private_key(self._wrapped_private_key, self._user_key)
