"""The users of a provider. Single actions tell nothing of what they could not do, bulk actions tell it per row.

Source: bitwarden/server src/Api/AdminConsole/Controllers/ProviderUsersController.cs, ProviderService.cs.
"""

from __future__ import annotations

import typing as t
import uuid

from flask import Blueprint, Response

from tests.lab import invitations
from tests.lab.core import World, bad_request, invalid, not_found
from tests.lab.emails import invited
from tests.lab.events import record_event
from tests.lab.provider_access import managed
from tests.lab.state import Row
from tests.lab.views import NO_PERMISSIONS
from tests.lab.web import Caller, Fields, answer, body, caller, empty, guid, guids, here, listed

routes = Blueprint("provider_users", __name__)

_USERS = "/providers/<provider_id>/users"
ADMIN = 0
INVITED, ACCEPTED, CONFIRMED = 0, 1, 2
_AUTO_CONFIRM = 18
_NO_PROVIDER = (
    "An organization the user is a part of has enabled Automatic User Confirmation policy,"
    " and it does not support the user joining a provider."
)
# what is done to one row; an error for it, or nothing
Action = t.Callable[[Row], str]


def _shown(row: Row) -> Row:
    return {**{name: row[name] for name in ("id", "userId", "type", "status")}, "permissions": dict(NO_PERMISSIONS)}


@routes.get(_USERS)
def users(provider_id: str) -> Response:
    """All users."""
    _unused, provider = managed(provider_id)
    return listed(_detailed(here(), row) for row in here().find("provider_user", providerId=provider["id"]))


def _detailed(world: World, row: Row) -> Row:
    user = world.get("user", row["userId"]) or {}
    about = {"name": user.get("name"), "email": user.get("email", row["email"])}
    return {"object": "providerUserUserDetails", **_shown(row), **about}


@routes.get(f"{_USERS}/<row_id>")
def user(provider_id: str, row_id: str) -> Response:
    """One user, without name and e-mail."""
    _unused, provider = managed(provider_id)
    return answer({"object": "providerUser", **_shown(_own(provider, row_id))})


def _own(provider: Row, row_id: str) -> Row:
    row = here().get("provider_user", guid(row_id))
    if not row or row["providerId"] != provider["id"]:
        raise not_found()
    return row


@routes.post(f"{_USERS}/invite")
def invite(provider_id: str) -> Response:
    """Invite by e-mail; who is already there is passed over in silence."""
    who, provider = managed(provider_id)
    world, fields = here(), body()
    emails, role = invited(fields), _role(fields)
    for email in dict.fromkeys(emails):
        if _known(world, provider, email):
            continue
        row = {"id": str(uuid.uuid4()), "providerId": provider["id"], "userId": None, "email": email, "type": role}
        row = world.put("provider_user", {**row, "status": INVITED, "key": None})
        invitations.send(world, "provider_user", row)
        _log(world, 1800, who, row)
    return empty()


def _known(world: World, provider: Row, email: str) -> bool:
    account = world.one("user", email=email)
    joined = account and world.one("provider_user", providerId=provider["id"], userId=account["id"])
    return bool(joined or world.one("provider_user", providerId=provider["id"], email=email))


def _role(fields: Fields) -> int:
    role = fields.get("type")
    if role is None:
        raise invalid("Type", "The Type field is required.")
    return int(role)


def _log(world: World, kind: int, who: Caller, row: Row) -> None:
    about = {} if row["userId"] is None else {"userId": row["userId"]}
    record_event(world, kind, None, who, providerId=row["providerId"], providerUserId=row["id"], **about)


def _each(provider: Row, rows: t.Iterable[Row], action: Action) -> Response:
    """Do something to rows and tell per row what was wrong."""
    results = [
        {"id": row["id"], "error": "Invalid user." if row["providerId"] != provider["id"] else action(row)} for row in rows
    ]
    return listed({"object": "providerBulkConfirmResponseModel", **result} for result in results)


def _named(ids: t.Iterable[str]) -> list[Row]:
    found = [here().get("provider_user", row_id) for row_id in ids]
    return [row for row in found if row]


def _reinvite(row: Row) -> str:
    if row["status"] != INVITED:
        return "User invalid."
    invitations.send(here(), "provider_user", row)
    return ""


@routes.post(f"{_USERS}/reinvite")
def reinvite_all(provider_id: str) -> Response:
    """Mail again."""
    _unused, provider = managed(provider_id)
    return _each(provider, _named(guids(body(), "ids")), _reinvite)


@routes.post(f"{_USERS}/<row_id>/reinvite")
def reinvite(provider_id: str, row_id: str) -> Response:
    """Mail one again."""
    _unused, provider = managed(provider_id)
    _each(provider, _named([guid(row_id)]), _reinvite)
    return empty()


@routes.post(f"{_USERS}/<row_id>/accept")
def accept(provider_id: str, row_id: str) -> Response:
    """Join by the mail's token, as the one it was sent to."""
    guid(provider_id)
    who, world = caller(), here()
    token = body().get("token")
    row = world.get("provider_user", guid(row_id))
    if not row:
        raise bad_request("User invalid.")
    if row["status"] != INVITED:
        raise bad_request("Already accepted.")
    if invitations.check(world, token, row) != "good":
        raise bad_request("Invalid token.")
    if row["email"] != who.row["email"]:
        raise bad_request("User email does not match invite.")
    if _kept_out(world, who.id):
        raise bad_request(_NO_PROVIDER)
    world.put("provider_user", {**row, "status": ACCEPTED, "userId": who.id})
    return empty()


def _kept_out(world: World, user_id: str) -> bool:
    """Say whether an organization's policy forbids somebody to join a provider."""
    homes = [row["organizationId"] for row in world.find("member", userId=user_id)]
    enabled = (world.one("policy", organizationId=home, type=_AUTO_CONFIRM, enabled=True) for home in homes)
    return world.has("auto confirm keeps providers out") and any(enabled)


@routes.post(f"{_USERS}/public-keys")
def public_keys(provider_id: str) -> Response:
    """The public keys of those who wait for confirmation; the others are left out."""
    _unused, provider = managed(provider_id)
    waiting = [row for row in _named(guids(body(), "ids")) if (row["providerId"], row["status"]) == (provider["id"], ACCEPTED)]
    return listed(
        {
            "object": "providerUserPublicKeyResponseModel",
            "id": row["id"],
            "userId": row["userId"],
            "key": (here().get("user", row["userId"]) or {}).get("publicKey"),
        }
        for row in waiting
    )


def _confirm(who: Caller, keys: t.Mapping[str, str]) -> Action:
    def confirmed(row: Row) -> str:
        if row["status"] != ACCEPTED:
            return "Invalid user."
        if _kept_out(who.world, row["userId"]):
            return _NO_PROVIDER
        who.world.put("provider_user", {**row, "status": CONFIRMED, "key": keys[row["id"]]})
        _log(who.world, 1801, who, row)
        who.world.mail(row["email"], "You Have Been Confirmed", "You are a provider user now.")
        return ""

    return confirmed


@routes.post(f"{_USERS}/confirm")
def confirm_all(provider_id: str) -> Response:
    """Hand out the provider's key. Who has no account yet is left out of the answer; no key is looked at."""
    who, provider = managed(provider_id)
    given = [Fields(entry) for entry in body().get("keys") or []]
    keys = {guid(entry.get("id")): str(entry.get("key")) for entry in given}
    return _each(provider, [row for row in _named(keys) if row["userId"]], _confirm(who, keys))


@routes.post(f"{_USERS}/<row_id>/confirm")
def confirm(provider_id: str, row_id: str) -> Response:
    """Hand it to one."""
    who, provider = managed(provider_id)
    key = body().get("key")
    if not key:
        raise invalid("Key", "The Key field is required.")
    _each(provider, _named([guid(row_id)]), _confirm(who, {guid(row_id): str(key)}))
    return empty()


@routes.put(f"{_USERS}/<row_id>")
@routes.post(f"{_USERS}/<row_id>")
def update(provider_id: str, row_id: str) -> Response:
    """Change a role."""
    who, provider = managed(provider_id)
    role, row = _role(body()), _own(provider, row_id)
    if role != ADMIN:
        _keep_an_admin(provider, [row["id"]])
    _log(here(), 1802, who, here().put("provider_user", {**row, "type": role}))
    return empty()


def _keep_an_admin(provider: Row, leaving: t.Container[str]) -> None:
    admins = here().find("provider_user", providerId=provider["id"], type=ADMIN, status=CONFIRMED)
    if all(row["id"] in leaving for row in admins):
        raise bad_request("Provider must have at least one confirmed ProviderAdmin.")


def _remove(who: Caller) -> Action:
    def removed(row: Row) -> str:
        if row["userId"] == who.id:
            return "You cannot remove yourself."
        who.world.delete("provider_user", row["id"])
        _log(who.world, 1803, who, row)
        who.world.mail(row["email"], "You Have Been Removed", "You are no provider user any more.")
        return ""

    return removed


@routes.delete(_USERS)
@routes.post(f"{_USERS}/delete")
def remove_all(provider_id: str) -> Response:
    """Remove users; the ids come as body of the DELETE."""
    who, provider = managed(provider_id)
    ids = guids(body(), "ids")
    _keep_an_admin(provider, ids)
    return _each(provider, _named(ids), _remove(who))


@routes.delete(f"{_USERS}/<row_id>")
@routes.post(f"{_USERS}/<row_id>/delete")
def remove(provider_id: str, row_id: str) -> Response:
    """Remove one."""
    who, provider = managed(provider_id)
    _keep_an_admin(provider, [guid(row_id)])
    _each(provider, _named([guid(row_id)]), _remove(who))
    return empty()
