# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Logging in: one small class per way, and the token that comes of it.

Source: bitwarden/server src/Identity/IdentityServer/ (ac309aa19e).
"""

from __future__ import annotations

import base64
import json
import time
import typing as t
import uuid
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client.http import DEVICE_TYPE, Answer, ApiError, Http
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import Kdf, master_key, password_hash
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

TOKEN = "/connect/token"
PRELOGIN = "/accounts/prelogin"

Form = dict[str, str]


@dataclass(frozen=True)
class Token:
    """What a login gives.

    Attributes:
        access_token: the bearer token.
        expires_at: Unix time.
        user_id: None for anything but a person's account.
        email: of that person.
        kdf: how the account derives its master key, when the server said so.
        salt: for that derivation; None means the e-mail address.
        key: the user key, wrapped by the master key; None for an account without a master password.
        private_key: the account's private key, wrapped by the user key.
    """

    access_token: str = field(repr=False)
    expires_at: float
    user_id: str | None = None
    email: str | None = None
    kdf: Kdf | None = None
    salt: str | None = None
    key: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)

    @property
    def expired(self) -> bool:
        """Whether it is over, or will be before a request arrives."""
        return time.time() > self.expires_at - 30


class Identity(t.Protocol):
    """A way to log in. C(options) names the module options that hold its secret, for errors."""

    options: t.ClassVar[str]

    def form(self, door: Door, /) -> Form:
        """Return the fields of the token request."""


@dataclass(frozen=True)
class Door:
    """The identity service of one server."""

    http: Http
    url: str

    def prelogin(self, email: str) -> tuple[Kdf, str]:
        """Ask how an account derives its master key: the parameters and the salt."""
        answer = self.http.send("POST", self.url + PRELOGIN, json={"email": email}).checked().object()
        return kdf_of(answer, ("kdf", "kdfIterations", "kdfMemory", "kdfParallelism")), answer.get("salt") or email

    def log_in(self, identity: Identity) -> Token:
        """Get a token, or say why there is none."""
        form = identity.form(self)
        headers = {}
        if form.get("username"):  # servers before 2025.5.2 want it
            headers["Auth-Email"] = base64.urlsafe_b64encode(form["username"].encode()).decode().rstrip("=")
        answer = self.http.send("POST", self.url + TOKEN, data=form, headers=headers)
        if answer.status == 400 and answer.members().get("error"):
            raise _refused(answer, self.http.prefix + identity.options)
        return token_of(answer.checked().object("access_token", "expires_in"))

    def device(self, who: str) -> Form:
        """Name this device. The same identity is the same device in every run, as each new one may send a mail."""
        identifier = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.url}#{who.lower()}")
        return {"deviceType": DEVICE_TYPE, "deviceIdentifier": str(identifier), "deviceName": "bw.selfhost"}


@dataclass(frozen=True)
class ApiKey:
    """A person's API key: no second factor, no single sign-on, but no decrypted key either."""

    options: t.ClassVar[str] = "client_secret"
    client_id: str
    client_secret: str = field(repr=False)

    def form(self, door: Door, /) -> Form:
        """Return the fields of the token request."""
        return {**_client(self.client_id, self.client_secret, "api"), **door.device(self.client_id)}


@dataclass(frozen=True)
class Password:
    """A person's e-mail address and master password."""

    options: t.ClassVar[str] = "master_password"
    email: str
    master_password: str = field(repr=False)

    def form(self, door: Door, /) -> Form:
        """Return the fields of the token request; the password itself never leaves."""
        kdf, salt = door.prelogin(self.email)
        proof = password_hash(master_key(self.master_password, salt, kdf), self.master_password)
        form = {"grant_type": "password", "client_id": "cli", "scope": "api offline_access"}
        return {**form, "username": self.email, "password": proof, **door.device(self.email)}


@dataclass(frozen=True)
class OrganizationKey:
    """An organization's API key, which opens the public API alone."""

    options: t.ClassVar[str] = "client_secret"
    client_id: str
    client_secret: str = field(repr=False)

    def form(self, _door: Door, /) -> Form:
        """Return the fields of the token request. A key for some purposes only (organization.ID.KEY) gets all scopes it has."""
        form = _client(self.client_id, self.client_secret, "api.organization")
        return {name: value for name, value in form.items() if name != "scope" or self.client_id.count(".") == 1}


@dataclass(frozen=True)
class Installation:
    """A self-hosted server's installation id and key, which only the cloud knows."""

    options: t.ClassVar[str] = "installation_key"
    installation_id: str
    installation_key: str = field(repr=False)
    scope: str

    def form(self, _door: Door, /) -> Form:
        """Return the fields of the token request."""
        return _client(f"installation.{self.installation_id}", self.installation_key, self.scope)


@dataclass(frozen=True)
class HandedOver:
    """A session of the login module, which cannot be renewed."""

    options: t.ClassVar[str] = "session"

    def form(self, door: Door, /) -> Form:
        """Refuse, as there are no credentials."""
        raise SelfhostError(
            "The session has expired, or would have to be renewed.",
            field=door.http.prefix + self.options,
            remedy="Run bw.selfhost.login again, or give client_id and client_secret beside the session.",
        )


@dataclass(frozen=True)
class Anonymous:
    """No credentials: enough for what a server tells everybody."""

    options: t.ClassVar[str] = "client_id"

    def form(self, door: Door, /) -> Form:
        """Refuse, as there are no credentials."""
        raise SelfhostError(
            "No credentials are given.",
            field=door.http.prefix + self.options,
            remedy="Give client_id and client_secret, or email and master_password, or a session of bw.selfhost.login.",
        )


def _client(client_id: str, client_secret: str, scope: str) -> Form:
    return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret, "scope": scope}


# --- answers ---------------------------------------------------------------------------------------------------------


def token_of(answer: t.Mapping[str, t.Any]) -> Token:
    """Read a success answer. Newer servers have the wrapped keys in other places than older ones."""
    claims = _claims(str(answer["access_token"]))
    unlock = (answer.get("UserDecryptionOptions") or {}).get("MasterPasswordUnlock") or {}
    pair = (answer.get("AccountKeys") or {}).get("publicKeyEncryptionKeyPair") or {}
    return Token(
        access_token=str(answer["access_token"]),
        expires_at=time.time() + int(answer["expires_in"]),
        user_id=claims.get("sub"),
        email=claims.get("email"),
        kdf=kdf_of(answer, ("Kdf", "KdfIterations", "KdfMemory", "KdfParallelism")) if answer.get("Kdf") is not None else None,
        salt=unlock.get("Salt"),
        key=answer.get("Key") or unlock.get("MasterKeyEncryptedUserKey"),
        private_key=answer.get("PrivateKey") or pair.get("wrappedPrivateKey"),
    )


def organization_of(token: Token) -> str | None:
    """Return the id of the organization whose key a token was issued for; None for anybody else's token."""
    return _claims(token.access_token).get("client_sub")


def kdf_of(answer: t.Mapping[str, t.Any], names: tuple[str, str, str, str]) -> Kdf:
    """Read key derivation parameters under the given names of type, iterations, memory and parallelism."""
    return Kdf(*(answer.get(name) for name in names))  # type: ignore[arg-type]  # Kdf.refuse_weak judges them


def _claims(token: str) -> dict[str, t.Any]:
    """Read a token's payload; the server that gave it to us is the one that verifies it."""
    try:
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


UNKNOWN_ACCOUNT = "The e-mail address or the master password is wrong."

# The token endpoint's error, a part of its description (both lower case), the cause and the remedy. First match wins.
_REFUSALS = (
    (
        "invalid_client",
        "",
        "The server does not know this client id, or its secret is wrong.",
        "Check both, and that they belong to this very server: each cloud region and each self-hosted server has its own keys.",
    ),
    (
        "invalid_grant",
        "two factor required",
        "The account asks for a second factor.",
        "Log in with the account's API key (client_id and client_secret), which needs none.",
    ),
    (
        "invalid_grant",
        "sso authentication is required",
        "The account's organization requires single sign-on.",
        "Log in with the account's API key (client_id and client_secret), which is exempt.",
    ),
    (
        "invalid_grant",
        "invalid_username_or_password",
        UNKNOWN_ACCOUNT,
        "Check both, and that the account is on this very server: cloud regions and self-hosted servers have their own accounts.",
    ),
    (
        "device_error",
        "new device verification",
        "The server wants to verify this new device by mail.",
        "Log in with the account's API key (client_id and client_secret), which is exempt.",
    ),
    (
        "version_header_missing",
        "",
        "The server did not receive our client version.",
        "Something in between drops the header Bitwarden-Client-Version; let it pass.",
    ),
    (
        "invalid_client_version",
        "",
        "The server finds this client too old for the account.",
        "Update the collection, or use an account with V1 encryption.",
    ),
    ("invalid_scope", "", "These credentials do not give the access that is needed.", "Use a person's API key (user.…)."),
)


def _refused(answer: Answer, option: str) -> ApiError:
    body = answer.members()
    error, description = str(body["error"]), str(body.get("error_description") or "")
    for name, part, cause, remedy in _REFUSALS:
        if error == name and part in description.lower():
            return ApiError(cause, answer, remedy, field=option)
    model = body.get("ErrorModel")
    said = (model.get("Message") if isinstance(model, dict) else None) or description or error
    return ApiError(f"The login was refused: {str(said)[:200]}", answer, "Log in with the web vault to see more.", field=option)
