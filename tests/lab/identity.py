"""Tokens: POST /connect/token.

Source: bitwarden/server src/Identity/IdentityServer (ClientProviders, RequestValidators), ProfileService.
"""

from __future__ import annotations

import secrets
import typing as t
from datetime import timedelta

from flask import Blueprint, Response, request

from tests.lab.core import Refusal, World, iso, parse
from tests.lab.login_checks import (
    TokenError,
    check_client,
    check_device,
    check_legacy,
    check_new_device,
    check_two_step,
    check_version,
    policy,
)
from tests.lab.state import Row
from tests.lab.web import ROLE_CLAIMS, answer, guid, here, issue

routes = Blueprint("identity", __name__)

# Clients without a secret; days a refresh token lives. Source: ApiClient.cs
_APPS = {"web": 7, "browser": 30, "desktop": 30, "cli": 30, "mobile": 60, "connector": 30}


@routes.errorhandler(TokenError)
def refuse(error: TokenError) -> Response:
    """Turn a refusal into its answer."""
    request.environ["lab.notes"]["delay"] = error.delay
    return answer(error.body, 400)


@routes.post("/connect/token")
def token() -> Response:
    """Exchange a secret for an access token; parameter names are read in any case."""
    form = {name.lower(): value for name, value in request.form.items()}
    if request.authorization and request.authorization.type == "basic":
        form["client_id"] = request.authorization.username or ""
        form["client_secret"] = request.authorization.password or ""
    grant = {"client_credentials": _client_credentials, "password": _password, "refresh_token": _refresh}
    kind = form.get("grant_type", "")
    client = form.get("client_id", "")
    if client not in _APPS and not _is_machine(client):
        raise TokenError("invalid_client")
    if kind not in grant:
        raise TokenError("unsupported_grant_type")
    if (kind == "client_credentials") == (client in _APPS):
        raise TokenError("unauthorized_client")
    return answer(grant[kind](here(), form))


def _is_machine(client: str) -> bool:
    kind, *ids = client.split(".")
    most = {"user": 1, "organization": 2, "installation": 1}.get(kind, 0)
    try:
        return 1 <= len(ids) <= most and all(map(guid, ids))
    except Refusal:
        return False


def _scope(form: Row, allowed: str) -> list[str]:
    wanted = form.get("scope", allowed).split()
    if not set(wanted) <= set(allowed.split()):
        raise TokenError("invalid_scope")
    return list(wanted)


def _client_credentials(world: World, form: Row) -> Row:
    kind, *ids = form["client_id"].split(".")
    checks: dict[str, t.Callable[..., Row]] = {
        "user": _user_api_key,
        "organization": _organization_api_key,
        "installation": _installation_key,
    }
    return checks[kind](world, form, *map(guid, ids))


def _user_api_key(world: World, form: Row, user_id: str) -> Row:
    user = world.get("user", user_id)
    if not user or form.get("client_secret") != user["apiKey"]:
        raise TokenError("invalid_client")
    scope = _scope(form, "api")
    check_client(world, form, user)
    claims = {"client_id": f"user.{user_id}", "type": "User"}
    return _user_answer(world, user, scope, claims, form)


def _organization_api_key(world: World, form: Row, organization_id: str, key_id: str | None = None) -> Row:
    """With the one key for everything, or with one of those that are restricted to scopes and that have ids."""
    organization = world.get("organization", organization_id)
    key = world.one("organization_api_key", organizationId=organization_id, type=0)
    if key_id:
        key = world.one("scoped_api_key", id=key_id, organizationId=organization_id)
    usable = organization and organization["enabled"] and organization["useApi"]
    ended = key and key.get("expireAt") and parse(key["expireAt"]) <= world.now()
    if not usable or not key or ended or form.get("client_secret") != key["apiKey"]:
        raise TokenError("invalid_client")
    scope = _scope(form, " ".join(key.get("scopes", ["api.organization"])))
    return _machine_answer(world, form, scope, 3600, {"client_sub": organization_id})


def _installation_key(world: World, form: Row, installation_id: str) -> Row:
    installation = world.get("installation", installation_id) if world.cloud else None
    if not installation or not installation["enabled"] or form.get("client_secret") != installation["key"]:
        raise TokenError("invalid_client")
    world.put("installation", {**installation, "lastActivityDate": iso(world.now())})
    return _machine_answer(world, form, _scope(form, "api.push api.licensing api.installation"), 86400, {})


def _machine_answer(world: World, form: Row, scope: list[str], seconds: int, claims: Row) -> Row:
    access = issue(world, {"client_id": form["client_id"], "scope": scope, **claims}, seconds)
    return {"access_token": access, "expires_in": seconds, "token_type": "Bearer", "scope": " ".join(scope)}


def _password(world: World, form: Row) -> Row:
    user = world.one("user", email=form.get("username", "").strip().lower())
    if not user or form.get("password") != user["passwordHash"]:
        message = "Username or password is incorrect. Try again."
        raise TokenError("invalid_grant", "invalid_username_or_password", message, delay=2)
    scope = _scope(form, "api offline_access")
    check_version(world, user)
    if identifier := user.get("ssoRequired"):
        text = "Sso authentication is required."
        raise TokenError("invalid_grant", text, text, SsoOrganizationIdentifier=identifier)
    check_two_step(user, form)
    check_device(world, form, user)
    if code := user.get("newDeviceCode"):
        check_new_device(form, code)
    check_legacy(user)
    found = _user_answer(world, user, scope, {"client_id": form["client_id"]}, form)
    if "offline_access" in scope:
        found["refresh_token"] = _refresh_token(world, user, form["client_id"], scope)
    return found


def _refresh_token(world: World, user: Row, client: str, scope: list[str]) -> str:
    value = secrets.token_urlsafe(32)
    ends = iso(world.now() + timedelta(days=_APPS[client]))
    stamp = {"userId": user["id"], "client": client, "stamp": user["securityStamp"], "scope": scope, "ends": ends}
    world.put("refresh_token", {"id": value, **stamp})
    return value


def _refresh(world: World, form: Row) -> Row:
    held = world.get("refresh_token", form.get("refresh_token"))
    user = world.get("user", held["userId"]) if held else None
    current = held and user and held["stamp"] == user["securityStamp"] and parse(held["ends"]) > world.now()
    if not held or not user or not current or held["client"] != form["client_id"]:
        raise TokenError("invalid_grant")
    ends = iso(world.now() + timedelta(days=_APPS[held["client"]]))  # sliding
    world.put("refresh_token", {**held, "ends": ends})
    found = _user_answer(world, user, held["scope"], {"client_id": held["client"]}, form)
    return {**found, "refresh_token": held["id"]}


def memberships(world: World, user_id: str) -> Row:
    """Return the claims that a token issued now carries: confirmed memberships only."""
    claims: dict[str, list[str]] = {}
    for member in world.find("member", userId=user_id, status=2):
        names = [ROLE_CLAIMS[member["type"]]]
        if member["type"] == 4:
            names += [name.lower() for name, allowed in (member.get("permissions") or {}).items() if allowed]
        for name in names:
            claims.setdefault(name, []).append(member["organizationId"])
    for member in world.find("provider_user", userId=user_id, status=2):
        name = "providerprovideradmin" if member["type"] == 0 else "providerserviceuser"
        claims.setdefault(name, []).append(member["providerId"])
    return {name: ids[0] if len(ids) == 1 else ids for name, ids in claims.items()}


def _user_answer(world: World, user: Row, scope: list[str], claims: Row, form: Row) -> Row:
    seconds = 86400 if claims["client_id"] == "connector" else 3600
    now = int(world.now().timestamp())
    about = {name: user[name] for name in ("email", "name")}
    access = issue(
        world,
        {
            "sub": user["id"],
            **about,
            "email_verified": user["emailVerified"],
            "premium": False,
            "sstamp": user["securityStamp"],
            "device": form.get("deviceidentifier"),
            "scope": scope,
            "amr": ["Application"],
            "idp": "bitwarden",
            "auth_time": now,
            "jti": secrets.token_hex(16).upper(),
            **memberships(world, user["id"]),
            **claims,
        },
        seconds,
    )
    found = {"access_token": access, "expires_in": seconds, "token_type": "Bearer", "scope": " ".join(scope)}
    return {**found, **_keys(world, user)}


def _keys(world: World, user: Row) -> Row:
    kdf = {"Kdf": user["kdf"], "KdfIterations": user["kdfIterations"]}
    kdf |= {"KdfMemory": user["kdfMemory"], "KdfParallelism": user["kdfParallelism"]}
    unlock: Row = {
        "Kdf": dict(zip(("KdfType", "Iterations", "Memory", "Parallelism"), kdf.values(), strict=True)),
        "MasterKeyEncryptedUserKey": user["key"],
        "Salt": user["salt"],
    }
    if world.has("contained key id"):
        unlock["ContainedKeyId"] = None
    options = {"HasMasterPassword": True, "MasterPasswordUnlock": unlock, "Object": "userDecryptionOptions"}
    found: Row = {
        "PrivateKey": user["privateKey"],
        "Key": user["key"],
        "MasterPasswordPolicy": policy(),
        "ForcePasswordReset": False,
    }
    if world.has("account keys"):
        found["AccountKeys"] = account_keys(user, "Object")
    if not world.has("no ResetMasterPassword"):
        found["ResetMasterPassword"] = False
    return {**found, **kdf, "UserDecryptionOptions": options}


def account_keys(user: Row, tag: str) -> Row:
    """Return the key pair as token (tag C(Object)) and profile (tag C(object)) show it."""
    pair = {"wrappedPrivateKey": user["privateKey"], "publicKey": user["publicKey"], "signedPublicKey": None}
    pair[tag] = "publicKeyEncryptionKeyPair"
    return {"signatureKeyPair": None, "publicKeyEncryptionKeyPair": pair, "securityState": None, tag: "privateKeys"}
