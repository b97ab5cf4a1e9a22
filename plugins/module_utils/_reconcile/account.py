# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An account of a person or a service: registered, or not yet because somebody must read a mail; invitations accepted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client import profile, registration
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import UNKNOWN_ACCOUNT
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model import emails
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.new_account import new_account, weakness
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.invitation import Invitation, parse_invitation, token_in
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle

Params = t.Mapping[str, t.Any]
Values = dict[str, t.Any]
KIND = "account"
CREDENTIALS = ("client_id", "client_secret", "session")  # somebody else's, set for all modules at once
NOBODY = dict.fromkeys(("user_id", "client_id", "client_secret"))
WAITING = (
    "The server has mailed a link to this address: give it as verification_token within a quarter of an hour. "
    "If no mail comes, the account is there already and has another master password."
)


@dataclass(frozen=True)
class Wanted:
    """The account that there should be."""

    server: Server
    email: str
    password: str = field(repr=False)
    name: str | None
    token: str | None = field(repr=False)
    invitation: Invitation | None

    @classmethod
    def of(cls, params: Params) -> Wanted:
        """Read a module's options; every one that is wrong is refused in one go."""
        link, token = params["invitation"], params["verification_token"]
        email = params["email"].strip().lower()
        problems = list(_wrong(params, email))
        invitation = None
        try:
            invitation = parse_invitation(link) if link else None
        except SelfhostError as error:
            problems.append(error)
        if invitation and invitation.email.lower() != email:
            problems.append(SelfhostError(f"The invitation is for {invitation.email}, not for {email}.", field="invitation"))
        refuse_all(problems)
        server = connect({name: value for name, value in params.items() if name not in CREDENTIALS})
        return cls(server, email, params["master_password"], params["name"], token_in(token) if token else None, invitation)


def ensure(params: Params, check_mode: bool) -> tuple[Plan, Values]:
    """Make sure that the account is there and has accepted its invitation."""
    wanted = Wanted.of(params)
    there = registered = _exists(wanted)
    plan = Plan()
    if not there:
        refuse_all(_cannot_register(wanted))
        registered = _foresee(wanted) if check_mode else _register(wanted)
        there = registered and not check_mode
        plan = _registration(wanted, registered)
    if wanted.invitation:
        plan += _join(wanted.server, wanted.invitation, wanted.email, there, check_mode)
    return plan, {
        "state": "registered" if registered else "pending",
        **(_credentials(wanted) if there else NOBODY),
        "pending": [] if registered else [{"kind": KIND, "name": wanted.email, "reason": WAITING}],
    }


def _wrong(params: Params, email: str) -> t.Iterator[SelfhostError]:
    yield from emails.refusals([email], "email")
    if not params["master_password"]:
        yield SelfhostError("The master password is needed.", field="master_password", remedy="Give it, or set BW_PASSWORD.")
    if len(params["name"] or "") > 50:
        yield SelfhostError("The name is longer than 50 characters.", field="name")


def _exists(wanted: Wanted) -> bool:
    """Say whether e-mail address and master password log in."""
    try:
        _unused = wanted.server.token
    except ApiError as error:
        if error.cause != UNKNOWN_ACCOUNT:
            raise
        return False
    return True


# --- registering -------------------------------------------------------------------------------------------------------


def _cannot_register(wanted: Wanted) -> list[SelfhostError]:
    problems = []
    weak = weakness(wanted.password, wanted.email)
    if weak:
        problems.append(SelfhostError(weak, field="master_password", remedy="Choose a long random one and keep it in a vault."))
    invited = wanted.invitation is not None and wanted.invitation.kind == "organization"
    if not invited and not registration.is_open(wanted.server):
        problems.append(
            SelfhostError(
                f"{wanted.email} cannot log in, and the server is closed for new accounts.",
                field="email",
                remedy="Is the master password right? Else give the link of an invitation, or set "
                "globalSettings__disableUserRegistration=false until the account is there.",
            )
        )
    return problems


def _foresee(wanted: Wanted) -> bool:
    """Say whether the account can be registered at once; of a self-hosted server only the attempt tells."""
    return bool(wanted.token or wanted.invitation) or not wanted.server.is_cloud


def _register(wanted: Wanted) -> bool:
    """Create the account; False when the server mails its address a token first."""
    if wanted.invitation:
        proof = wanted.invitation.registration
    else:
        token = wanted.token or _begin(wanted)
        if token is None:
            return False
        proof = {"emailVerificationToken": token}
    account = new_account(wanted.email, wanted.password)
    settle(lambda: registration.finish(wanted.server, wanted.email, account, proof), lambda: _exists(wanted))
    return True


def _begin(wanted: Wanted) -> str | None:
    try:
        return registration.begin(wanted.server, wanted.email, wanted.name)
    except ApiError as error:
        if "already taken" not in error.message:
            raise
        raise SelfhostError(
            f"There is an account for {wanted.email}, with another master password.",
            field="master_password",
            remedy="Give the one it has.",
        ) from None


def _registration(wanted: Wanted, registered: bool) -> Plan:
    if not registered:
        return Plan((Change("run", "verification mail", wanted.email),))
    return Plan((Change("create", KIND, wanted.email, after={"name": wanted.name} if wanted.name else {}),))


# --- accepting ---------------------------------------------------------------------------------------------------------


def _join(server: Server, invitation: Invitation, email: str, there: bool, check_mode: bool) -> Plan:
    """Accept the invitation, unless the account is in already."""
    if there and (_is_in(server, invitation) or not (check_mode or _accept(server, invitation))):
        return Plan()
    return Plan((Change("run", "invitation", invitation.name or invitation.id, reason=f"accepted for {email}"),))


def _is_in(server: Server, invitation: Invitation) -> bool:
    """Say whether the account is a confirmed member. One that waits for it is not told of it by any server."""
    me = profile.read(server)
    places = me.organizations if invitation.kind == "organization" else me.providers
    return any(place["id"] == invitation.id for place in places)


def _accept(server: Server, invitation: Invitation) -> bool:
    """Accept; False when that was done before. When the answer is lost, only asking again tells."""
    new: list[bool] = []
    settle(
        lambda: new.append(registration.accept(server, invitation)),
        lambda: registration.accept(server, invitation) in (True, False),
    )
    return new != [False]


def _credentials(wanted: Wanted) -> Values:
    account, user_id = Account.unlock(wanted.server, wanted.password), wanted.server.token.user_id
    secret = registration.api_key(wanted.server, account.password_hash)
    return {"user_id": user_id, "client_id": f"user.{user_id}", "client_secret": secret}
