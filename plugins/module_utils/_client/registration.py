# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts: registered, invited somewhere, and their personal API key.

Source: bitwarden/server src/Identity/Controllers/AccountsController.cs, src/Api/Auth/Controllers/AccountsController.cs,
src/Api/AdminConsole/Controllers/{OrganizationUsersController,ProviderUsersController}.cs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.http import Answer, ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.new_account import NewAccount
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.invitation import Invitation

REGISTER = "/accounts/register"
ACCEPTED_BEFORE = ("already accepted", "already part of")  # in every refusal of a second acceptance


def is_open(server: Server) -> bool:
    """Say whether anybody may register, and not only those an organization has invited."""
    return (server.config().get("settings") or {}).get("disableUserRegistration") is not True


def begin(server: Server, email: str, name: str | None) -> str | None:
    """Return the token that lets an address register, None when the server sends it there by mail.

    400 C(... is already taken) when there is an account; where mails verify addresses, the server does not tell.
    """
    body = {"email": email, "name": name, "receiveMarketingEmails": False}
    answer = _identity(server, "/send-verification-email", body)
    return None if answer.status == 204 else str(answer.json())


def finish(server: Server, email: str, account: NewAccount, proof: t.Mapping[str, str]) -> None:
    """Create an account. C(proof) is C(emailVerificationToken) or what an invitation has (C(Invitation.registration)).

    A server whose mail is set up but broken creates the account and answers 500.
    """
    kdf = account.kdf
    body = {
        "email": email,
        **proof,
        "masterPasswordHash": account.password_hash,
        "masterPasswordHint": None,
        "userSymmetricKey": account.user_key,
        "userAsymmetricKeys": {
            "publicKey": account.pair.public_key,
            "encryptedPrivateKey": account.pair.encrypted_private_key,
        },
        "kdf": kdf.type,
        "kdfIterations": kdf.iterations,
        "kdfMemory": kdf.memory,
        "kdfParallelism": kdf.parallelism,
    }
    _identity(server, "/finish", body)


def accept(server: Server, invitation: Invitation) -> bool:
    """Accept an invitation as the person who is logged in; False when that was done before."""
    path = f"/{invitation.kind}s/{invitation.id}/users/{invitation.seat}/accept"
    try:
        server.post(path, json={"token": invitation.token})
    except ApiError as error:
        if error.status == 400 and any(text in error.message.lower() for text in ACCEPTED_BEFORE):
            return False
        raise
    return True


def api_key(server: Server, password_hash: str) -> str:
    """Return the secret of the caller's personal API key, the same each time. Secret."""
    answer = server.request("POST", "/accounts/api-key", json={"masterPasswordHash": password_hash})
    return str(answer.object("apiKey")["apiKey"])


def _identity(server: Server, path: str, body: t.Mapping[str, t.Any]) -> Answer:
    try:
        return server.http.send("POST", server.endpoints.identity + REGISTER + path, json=body).checked()
    except ApiError as error:
        if error.status != 404:
            raise
        raise SelfhostError(
            "This server registers accounts in its web vault alone.",
            field=error.field,
            remedy="Update it to 2025.1.4 or later, or register the account there.",
        ) from None
