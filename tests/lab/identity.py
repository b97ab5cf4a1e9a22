"""Tokens: POST /connect/token, prelogin and discovery.

Source: bitwarden/server src/Identity/IdentityServer (ClientProviders, RequestValidators), ProfileService.
"""

from __future__ import annotations

import secrets
import typing as t
from datetime import timedelta

from flask import Blueprint, Response, request

from tests.lab import versions
from tests.lab.core import World, invalid, iso, not_found, parse
from tests.lab.state import Row
from tests.lab.web import answer, body, guid, here, issue

routes = Blueprint("identity", __name__)

# Clients without a secret; days a refresh token lives. Source: ApiClient.cs
_APPS = {"web": 7, "browser": 30, "desktop": 30, "cli": 30, "mobile": 60, "connector": 30}
_V2_NEEDS = (2025, 11, 0)
_POLICY = dict.fromkeys(
    ("MinComplexity", "MinLength", "RequireLower", "RequireUpper", "RequireNumbers", "RequireSpecial", "EnforceOnLogin")
)
_ROLE_CLAIMS = {0: "orgowner", 1: "orgadmin", 2: "orguser", 4: "orgcustom"}


class TokenError(Exception):
    """An OAuth error answer, status 400."""

    def __init__(
        self, error: str, description: str | None = None, message: str | None = None, *, delay: float = 0, **more: t.Any
    ) -> None:
        super().__init__(error, description)
        self.delay = delay
        self.body: Row = {"error": error, **more}
        if description:
            self.body["error_description"] = description
        if message:
            inner = ("ValidationErrors", "ExceptionMessage", "ExceptionStackTrace", "InnerExceptionMessage")
            self.body["ErrorModel"] = {"Message": message, **dict.fromkeys(inner), "Object": "error"}


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
    kind, _, row_id = client.partition(".")
    try:
        return kind in ("user", "organization", "installation") and bool(guid(row_id))
    except Exception:  # noqa: BLE001 - any malformed id is an unknown client
        return False


def _scope(form: Row, allowed: str) -> list[str]:
    wanted = form.get("scope", allowed).split()
    if not set(wanted) <= set(allowed.split()):
        raise TokenError("invalid_scope")
    return list(wanted)


def _client_credentials(world: World, form: Row) -> Row:
    kind, _, row_id = form["client_id"].partition(".")
    checks: dict[str, t.Callable[[World, Row, str], Row]] = {
        "user": _user_api_key,
        "organization": _organization_api_key,
        "installation": _installation_key,
    }
    return checks[kind](world, form, guid(row_id))


def _user_api_key(world: World, form: Row, user_id: str) -> Row:
    user = world.get("user", user_id)
    if not user or form.get("client_secret") != user["apiKey"]:
        raise TokenError("invalid_client")
    scope = _scope(form, "api")
    _check_client(world, form, user)
    claims = {"client_id": f"user.{user_id}", "type": "User"}
    return _user_answer(world, user, scope, claims, form)


def _organization_api_key(world: World, form: Row, organization_id: str) -> Row:
    organization = world.get("organization", organization_id)
    key = world.one("organization_api_key", organizationId=organization_id, type=0)
    usable = organization and organization["enabled"] and organization["useApi"]
    if not usable or not key or form.get("client_secret") != key["apiKey"]:
        raise TokenError("invalid_client")
    return _machine_answer(world, form, _scope(form, "api.organization"), 3600, {"client_sub": organization_id})


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
    _check_version(world, user)
    if identifier := user.get("ssoRequired"):
        text = "Sso authentication is required."
        raise TokenError("invalid_grant", text, text, SsoOrganizationIdentifier=identifier)
    _check_two_step(user, form)
    _check_device(world, form, user)
    if code := user.get("newDeviceCode"):
        _check_new_device(world, form, code)
    _check_legacy(user)
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


def _check_client(world: World, form: Row, user: Row) -> None:
    _check_version(world, user)
    _check_device(world, form, user)
    _check_legacy(user)


def _check_version(world: World, user: Row) -> None:
    try:
        version = versions.number(request.headers.get("Bitwarden-Client-Version", ""))
    except ValueError:
        version = None
    if version is None and world.has("client version required"):
        text = (
            "No client version header found, required to prevent encryption errors."
            ' Please confirm your client is supplying the header: "Bitwarden-Client-Version"'
        )
        raise TokenError("version_header_missing", text, text)
    if user.get("v2Encryption") and (version is None or version < _V2_NEEDS):
        text = "Please update your app to continue using Bitwarden"
        raise TokenError("invalid_client_version", text, text)


def _check_two_step(user: Row, form: Row) -> None:
    code = user.get("twoStepCode")
    if not code:
        return
    if not form.get("twofactortoken"):
        providers: Row = {"TwoFactorProviders": ["0"], "TwoFactorProviders2": {"0": None}, "Email": user["email"]}
        raise TokenError("invalid_grant", "Two factor required.", **providers, MasterPasswordPolicy=_policy())
    if form["twofactortoken"] != code:
        raise TokenError("invalid_grant", "invalid_username_or_password", "Two-step token is invalid. Try again.", delay=2)


def _check_device(world: World, form: Row, user: Row) -> None:
    values = [form.get(name, "").strip() for name in ("devicetype", "deviceidentifier", "devicename")]
    if not all(values) or any(len(value) > 50 for value in values):
        raise TokenError("device_error", "No device information provided", "no device information provided")
    device = {
        "id": f"{user['id']}/{values[1]}",
        "userId": user["id"],
        "identifier": values[1],
        "name": values[2],
        "type": values[0],
    }
    if not user.get("newDeviceCode") and not world.get("device", device["id"]):
        world.put("device", device)


def _check_new_device(world: World, form: Row, code: str) -> None:
    if not form.get("newdeviceotp"):
        raise TokenError("device_error", "New device verification required", "new device verification required")
    if form["newdeviceotp"] != code:
        raise TokenError("device_error", "Invalid New Device OTP", "invalid new device otp")


def _check_legacy(user: Row) -> None:
    if not user["key"]:
        text = "Legacy encryption without a userkey is no longer supported. To recover your account, please contact support"
        raise TokenError("invalid_grant", text, text)


def _policy() -> Row:
    return {**_POLICY, "Object": "masterPasswordPolicy"}


def memberships(world: World, user_id: str) -> Row:
    """Return the claims that a token issued now carries: confirmed memberships only."""
    claims: dict[str, list[str]] = {}
    for member in world.find("member", userId=user_id, status=2):
        names = [_ROLE_CLAIMS[member["type"]]]
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
        "MasterPasswordPolicy": _policy(),
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


@routes.post("/accounts/prelogin")
def prelogin() -> Response:
    """Tell how a password is derived; unknown addresses get a plausible answer too."""
    world = here()
    email = str(body().get("email") or "").strip().lower()
    if "@" not in email:
        raise invalid("Email", "The Email field is not a supported e-mail address format.")
    user = world.one("user", email=email) or {"kdf": 0, "kdfIterations": 600000, "kdfMemory": None, "kdfParallelism": None}
    found: Row = {name: user[name] for name in ("kdf", "kdfIterations", "kdfMemory", "kdfParallelism")}
    if world.has("kdfSettings"):
        found["kdfSettings"] = dict(zip(("kdfType", "iterations", "memory", "parallelism"), found.values(), strict=True))
    found["salt"] = user.get("salt", email) if world.has("prelogin salt") else None
    return answer(found)


@routes.post("/accounts/prelogin/password")
def prelogin_password() -> Response:
    """The same under its newer address."""
    if not here().has("prelogin/password route"):
        raise not_found()
    return prelogin()


@routes.get("/.well-known/openid-configuration")
def discovery() -> Response:
    """The discovery document; on a self-hosted server it names internal addresses."""
    world = here()
    base = world.issuer if world.cloud else f"{world.issuer}:5000"
    return answer(
        {
            "issuer": world.issuer,
            "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
            "authorization_endpoint": f"{base}/connect/authorize",
            "token_endpoint": f"{base}/connect/token",
            "scopes_supported": ["api", "api.push", "api.licensing", "api.organization", "api.installation", "offline_access"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", "password"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    )
