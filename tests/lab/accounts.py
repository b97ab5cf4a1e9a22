"""A person's own account: profile, sync, API key. Source: bitwarden/server AccountsController.cs, SyncController.cs."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, request

from tests.lab.cipher_shapes import SSH_KEY
from tests.lab.ciphers import items_of_user
from tests.lab.collections import collections_of_user
from tests.lab.core import World, iso, not_found
from tests.lab.identity import account_keys
from tests.lab.people import secret
from tests.lab.policies import policies_of_user
from tests.lab.provider_access import PENDING
from tests.lab.state import Row
from tests.lab.views import profile_organization, profile_provider, provider_organization
from tests.lab.web import answer, body, caller, guid, here, listed, proven

routes = Blueprint("accounts", __name__)


def _memberships(world: World, user_id: str, statuses: tuple[int, ...] = (2,)) -> list[Row]:
    members = [member for member in world.find("member", userId=user_id) if member["status"] in statuses]
    rows = [(member, world.get("organization", member["organizationId"])) for member in members]
    return [profile_organization(world, row, member) for member, row in rows if row]


def _profile(world: World, user: Row) -> Row:
    found: Row = {
        "object": "profile",
        **{name: user[name] for name in ("id", "name", "email", "emailVerified", "key", "privateKey", "securityStamp")},
        "premium": False,
        "premiumFromOrganization": False,
        "culture": "en-US",
        "twoFactorEnabled": bool(user.get("twoStepCode")),
        "accountKeys": account_keys(user, "object"),
        "forcePasswordReset": False,
        "usesKeyConnector": False,
        "avatarColor": None,
        "verifyDevices": True,
        "organizations": _memberships(world, user["id"]),
        "providers": [],
        "providerOrganizations": [],
    }
    if world.has("organizationsNew"):
        found["organizationsNew"] = _memberships(world, user["id"], (1, 2))
    for member in world.find("provider_user", userId=user["id"], status=2):
        provider = world.get("provider", member["providerId"])
        if provider and provider["status"] != PENDING:
            found["providers"].append(profile_provider(provider, member))
            links = world.find("provider_organization", providerId=provider["id"])
            found["providerOrganizations"] += [provider_organization(world, provider, link, user["id"]) for link in links]
    return found


@routes.get("/accounts/profile")
def profile() -> Response:
    """The caller's profile."""
    return answer(_profile(here(), caller().row))


@routes.get("/accounts/organizations")
@routes.get("/organizations")
def organizations() -> Response:
    """The caller's confirmed memberships."""
    return listed(_memberships(here(), caller().id))


@routes.get("/accounts/revision-date")
def revision_date() -> Response:
    """When anything of the caller's vault changed last; here it always just did."""
    caller()
    return answer(int(here().now().timestamp() * 1000))


@routes.get("/sync")
def sync() -> Response:
    """Everything a client keeps; one that does not say its release gets no newer kinds of items."""
    world, user = here(), caller().row
    ciphers, policies = items_of_user(world, user["id"]), policies_of_user(world, user["id"])
    if not request.headers.get("Bitwarden-Client-Version"):
        ciphers = [item for item in ciphers if item["type"] < SSH_KEY]
    found: Row = {
        "object": "sync",
        "profile": _profile(world, user),
        "folders": [],
        "collections": collections_of_user(world, user["id"]),
        "ciphers": ciphers,
        "domains": None,
        "policies": policies,
        "sends": [],
        "userDecryption": None,
    }
    if world.has("policiesNew"):
        found["policiesNew"] = policies
    return answer(found)


@routes.post("/accounts/api-key")
def api_key() -> Response:
    """The caller's personal API key."""
    return _api_key(rotate=False)


@routes.post("/accounts/rotate-api-key")
def rotate_api_key() -> Response:
    """A new one; the old one is worth nothing from now on."""
    return _api_key(rotate=True)


def _api_key(*, rotate: bool) -> Response:
    who, world = caller(), here()
    proven(who, body(), "", "User verification failed.")
    user = who.row
    if rotate:
        user = world.put("user", {**user, "apiKey": secret(secrets.token_hex(16))})
    return answer({"object": "apiKey", "apiKey": user["apiKey"], "revisionDate": iso(world.now())})


@routes.get("/users/<user_id>/public-key")
def public_key(user_id: str) -> Response:
    """Anybody's public key."""
    caller()
    user = here().get("user", guid(user_id))
    if not user or not user["publicKey"]:
        raise not_found()
    return answer({"object": "userKey", "userId": user["id"], "publicKey": user["publicKey"]})
