"""Creating an account without anybody's help. Source: bitwarden/server src/Identity/Controllers/AccountsController.cs."""

from __future__ import annotations

import secrets
import typing as t
import uuid
from datetime import timedelta

from flask import Blueprint, Response, request

from tests.lab import crypto, invitations, people
from tests.lab.core import World, bad_request, invalid, iso, parse
from tests.lab.emails import is_email
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, empty, here

routes = Blueprint("registration", __name__)

_CLOSED = "Open registration has been disabled by the system administrator."


def _open(world: World) -> None:
    if not world.cloud and world.core.selfhost.flag("disableUserRegistration"):
        raise bad_request(_CLOSED)


@routes.post("/accounts/register/send-verification-email")
def send_verification_email() -> Response:
    """Hand out the registration token: in the answer when e-mail verification is off, else by mail."""
    world, fields = here(), body()
    _open(world)
    email = str(fields.get("email") or "").lower()
    if not is_email(email):
        raise invalid("Email", "The Email field is not a supported e-mail address format.")
    token = "BwRegistrationEmailVerificationToken_" + secrets.token_urlsafe(32)
    held = {"email": email, "name": fields.get("name"), "ends": iso(world.now() + timedelta(minutes=15))}
    world.put("registration_token", {**held, "id": token})
    taken = world.one("user", email=email) is not None
    if world.cloud or world.core.selfhost.flag("enableEmailVerification"):
        if not taken:
            world.mail(email, "Verify Your Email", "Finish creating your account.", token)
        return Response(b"", 204)
    if taken:
        raise bad_request(f"Email {email} is already taken")
    if "application/json" in request.headers.get("Accept", ""):
        return answer(token)
    return Response(token, content_type="text/plain; charset=utf-8")


def _held(world: World, fields: Fields) -> Row | None:
    held = world.get("registration_token", fields.get("emailVerificationToken"))
    good = held and held["email"] == str(fields.get("email")).lower() and parse(held["ends"]) > world.now()
    return held if good else None


@routes.post("/accounts/register/verification-email-clicked")
def clicked() -> Response:
    """Tell whether a link of the mail is still good."""
    if not _held(here(), body()):
        raise bad_request("Expired link. Please restart registration or try logging in. You may already have an account")
    return empty()


@routes.post("/accounts/register/finish")
def finish() -> Response:
    """Create the account."""
    world, fields = here(), body()
    email = str(fields.get("email")).lower()
    name = _entitled(world, fields, email)
    secret = _secret(world, fields)
    _check_kdf(secret)
    pair = Fields(fields.get("userAsymmetricKeys") or {})
    wrapped = (("UserSymmetricKey", secret["key"]), ("EncryptedPrivateKey", pair.get("encryptedPrivateKey")))
    for member, value in wrapped:
        if not value or not crypto.is_enc_string(value):
            raise invalid(member, f"{member} is not a valid encrypted string.")
    if world.one("user", email=email):
        raise invalid("", f"Email '{email}' is already taken.")
    pair_of_keys = {"publicKey": pair.get("publicKey"), "privateKey": pair.get("encryptedPrivateKey")}
    about = {"email": email, "name": name, "emailVerified": True, "securityStamp": secrets.token_hex(16)}
    world.put(
        "user", {"id": str(uuid.uuid4()), **about, **secret, **pair_of_keys, "apiKey": people.secret(secrets.token_hex(16))}
    )
    world.mail(email, "Welcome to Bitwarden!", "Your account is ready.")
    return answer({"object": "registerFinish"})


def _entitled(world: World, fields: Fields, email: str) -> str | None:
    """Check that somebody may make an account, by mail or by invitation; return the name that he gave before."""
    if token := fields.get("orgInviteToken"):
        row = world.get("member", fields.get("organizationUserId"))
        if not row or row["email"] != email or invitations.check(world, token, row) != "good":
            _open(world)
            raise bad_request("Organization invite token is invalid.")
        return None
    _open(world)
    if token := fields.get("providerInviteToken"):
        row = world.get("provider_user", fields.get("providerUserId"))
        if not row or row["email"] != email or invitations.check(world, token, row) != "good":
            raise bad_request("Invalid provider invite token.")
        return None
    if not fields.get("emailVerificationToken"):
        raise invalid("", "No valid registration token provided")
    held = _held(world, fields)
    if not held:
        raise bad_request("Invalid email verification token.")
    return t.cast("str | None", held["name"])


def _secret(world: World, fields: Fields) -> Row:
    """Read the password and key data, in the old shape or (where the release knows it) the new one."""
    proof = Fields(fields.get("masterPasswordAuthentication") or {})
    unlock = Fields(fields.get("masterPasswordUnlock") or {})
    names = ("kdf", "kdfIterations", "kdfMemory", "kdfParallelism")
    if proof and unlock and world.has("register with unlock data"):
        kdf = Fields(unlock.get("kdf") or {})
        values = [kdf.get(name) for name in ("kdfType", "iterations", "memory", "parallelism")]
        hashed, key = proof.get("masterPasswordAuthenticationHash"), unlock.get("masterKeyWrappedUserKey")
    else:
        values = [fields.get(name) for name in names]
        hashed, key = fields.get("masterPasswordHash"), fields.get("userSymmetricKey")
    if not hashed or len(str(hashed)) < 12:
        raise invalid("MasterPasswordHash", "The MasterPasswordHash field is required.")
    return {**dict(zip(names, values, strict=True)), "salt": str(fields.get("email")).lower(), "passwordHash": hashed, "key": key}


def _check_kdf(secret: Row) -> None:
    """Source: bitwarden/server KdfSettingsValidator.cs."""
    limits = [("kdfIterations", 600000, 2000000, "KDF iterations must be between 600000 and 2000000.")]
    if secret["kdf"] == 1:
        limits = [
            ("kdfIterations", 2, 10, "Argon2 iterations must be between 2 and 10."),
            ("kdfMemory", 15, 1024, "Argon2 memory must be between 15mb and 1024mb."),
            ("kdfParallelism", 1, 16, "Argon2 parallelism must be between 1 and 16."),
        ]
    for name, least, most, text in limits:
        if not least <= (secret[name] or 0) <= most:
            raise invalid("", text)
