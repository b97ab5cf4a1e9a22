"""What people do by hand: they read their mail, make an account with keys of their own, and accept."""

from __future__ import annotations

import functools
import json
import os
import re
import typing as t
from urllib.parse import parse_qsl, urlencode

from tests.lab import crypto, keychain
from tests.lab.core import REGIONS, Mail, World
from tests.lab.dispatch import Dispatcher
from tests.lab.ledger import Call
from tests.lab.people import ARGON2ID, Person, account, secret
from tests.lab.state import Row

_LINK = re.compile(r"/#/(?:providers/)?accept-(organization|provider)\?(\S+)")


class Hands:
    """Somebody at a client of his own; what is asked so is not counted among the requests of tests."""

    def __init__(self, dispatcher: Dispatcher, world: World, email: str) -> None:
        self._dispatcher = dispatcher
        self._world = world
        self._email = email

    def accept(self, mails: list[Mail]) -> Person:
        """Follow the link of the newest invitation. Raises LookupError without one, RuntimeError when it is refused."""
        kind, values = self._invitation(mails)
        user = self._world.one("user", email=self._email) or self._register(kind, values)
        who = keychain.known(self._world, user)
        sent: Row = {"token": values["token"]}
        if kind == "organization":
            sent["resetPasswordKey"] = self._recovery_key(values["organizationId"], user)
            where = f"organizations/{values['organizationId']}/users/{values['organizationUserId']}/accept"
        else:
            where = f"providers/{values['providerId']}/users/{values['providerUserId']}/accept"
        self._ask("api", f"/{where}", sent, self._log_in(who))
        return who

    def _invitation(self, mails: list[Mail]) -> tuple[str, dict[str, str]]:
        for mail in reversed(mails):
            found = _LINK.search(mail.text) if (mail.server, mail.to) == (self._world.name, self._email) else None
            if found:
                return found[1], dict(parse_qsl(found[2]))
        raise LookupError(f"{self._email} has no invitation from {self._world.name}")

    def _register(self, kind: str, values: t.Mapping[str, str]) -> Row:
        """Make an account by the invitation's token, with a new key pair."""
        who = keychain.guest(self._world, self._email)
        row = account(who, ARGON2ID, os.urandom(64), _pair(self._email))
        names = {"organization": ("orgInviteToken", "organizationUserId"), "provider": ("providerInviteToken", "providerUserId")}
        token, member = names[kind]
        pair = {"publicKey": row["publicKey"], "encryptedPrivateKey": row["privateKey"]}
        sent = {"email": self._email, token: values["token"], member: values[member], **ARGON2ID, "userAsymmetricKeys": pair}
        sent |= {"masterPasswordHash": row["passwordHash"], "userSymmetricKey": row["key"], "masterPasswordHint": None}
        self._ask("identity", "/accounts/register/finish", sent)
        return self._world.one("user", email=self._email) or {}

    def _recovery_key(self, organization_id: str, user: Row) -> str | None:
        """What a client adds where the organization enrols everybody in account recovery."""
        policy = self._world.one("policy", organizationId=organization_id, type=8, enabled=True)
        if not policy or not (policy.get("data") or {}).get("autoEnrollEnabled"):
            return None
        organization = self._world.get("organization", organization_id) or {}
        return crypto.wrap(keychain.user_key(self._world, user), organization["publicKey"])

    def _log_in(self, who: Person) -> str:
        form = {"grant_type": "client_credentials", "client_id": who.client_id, "client_secret": who.client_secret}
        device = {"deviceType": "9", "deviceIdentifier": secret(f"device {who.email}"), "deviceName": "firefox"}
        return str(self._ask("identity", "/connect/token", urlencode({**form, "scope": "api", **device}))["access_token"])

    def _ask(self, service: str, path: str, sent: Row | str, token: str = "") -> t.Any:
        """Send JSON, or a form that is already written."""
        world = self._world
        host = f"{service}.{REGIONS[world.name]}" if world.cloud else world.core.selfhost.domain()
        target = path if world.cloud else f"/{service}{path}"
        headers = {"Content-Type": "application/x-www-form-urlencoded" if isinstance(sent, str) else "application/json"}
        headers |= {"Bitwarden-Client-Version": world.version, "Authorization": f"Bearer {token}"}
        body = sent if isinstance(sent, str) else json.dumps(sent)
        outcome = self._dispatcher.answer(Call(host, "POST", target, headers, body.encode(), origin="person"))
        if outcome.status != 200:
            raise RuntimeError(f"POST https://{host}{target}: {outcome.status} {outcome.body.decode()}")
        return json.loads(outcome.body) if outcome.body else None


@functools.cache
def _pair(email: str) -> Row:
    """A key pair of his own for everybody; making one takes a while."""
    return crypto.new_pair()
