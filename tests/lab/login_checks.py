"""What stands between a right secret and a token, and how a refusal is told.

Source: bitwarden/server src/Identity/IdentityServer/RequestValidators.
"""

from __future__ import annotations

import typing as t

from flask import request

from tests.lab import versions
from tests.lab.core import World
from tests.lab.state import Row

_V2_NEEDS = (2025, 11, 0)
_POLICY = dict.fromkeys(
    ("MinComplexity", "MinLength", "RequireLower", "RequireUpper", "RequireNumbers", "RequireSpecial", "EnforceOnLogin")
)


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


def check_client(world: World, form: Row, user: Row) -> None:
    """What an API key login has to pass."""
    check_version(world, user)
    check_device(world, form, user)
    check_legacy(user)


def check_version(world: World, user: Row) -> None:
    """The client tells its release, and an account with the new encryption needs a recent one."""
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


def check_two_step(user: Row, form: Row) -> None:
    """The account's C(twoStepCode), when it has one."""
    code = user.get("twoStepCode")
    if not code:
        return
    if not form.get("twofactortoken"):
        providers: Row = {"TwoFactorProviders": ["0"], "TwoFactorProviders2": {"0": None}, "Email": user["email"]}
        raise TokenError("invalid_grant", "Two factor required.", **providers, MasterPasswordPolicy=policy())
    if form["twofactortoken"] != code:
        raise TokenError("invalid_grant", "invalid_username_or_password", "Two-step token is invalid. Try again.", delay=2)


def check_device(world: World, form: Row, user: Row) -> None:
    """The client tells its device; a new one is remembered."""
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


def check_new_device(form: Row, code: str) -> None:
    """The account's C(newDeviceCode), when it has one."""
    if not form.get("newdeviceotp"):
        raise TokenError("device_error", "New device verification required", "new device verification required")
    if form["newdeviceotp"] != code:
        raise TokenError("device_error", "Invalid New Device OTP", "invalid new device otp")


def check_legacy(user: Row) -> None:
    """An account without a user key is too old."""
    if not user["key"]:
        text = "Legacy encryption without a userkey is no longer supported. To recover your account, please contact support"
        raise TokenError("invalid_grant", text, text)


def policy() -> Row:
    """The master password policy of nobody's organization."""
    return {**_POLICY, "Object": "masterPasswordPolicy"}
