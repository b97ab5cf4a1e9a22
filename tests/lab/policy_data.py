"""The types of policies: their names, since when, what they require, and what the server checks of their data.

Source: bitwarden/server Core/AdminConsole/Enums/PolicyType.cs, Utilities/PolicyDataValidator.cs, Policies/PolicyEventHandlers/*.
"""

from __future__ import annotations

import typing as t

from tests.lab import versions
from tests.lab.core import bad_request
from tests.lab.state import Row

TWO_STEP, MASTER_PASSWORD, SINGLE_ORGANIZATION, REQUIRE_SSO, DATA_OWNERSHIP = 0, 1, 3, 4, 5
REMOVE_SEND, SEND_OPTIONS, ACCOUNT_RECOVERY, FAMILIES, AUTO_CONFIRM = 6, 7, 8, 13, 18
BLOCK_ACCOUNTS, SEND_CONTROLS, FILL_ASSIST = 19, 21, 22

# Names as messages have them.
NAMES = {
    TWO_STEP: "Require two-step login",
    MASTER_PASSWORD: "Master password requirements",
    2: "Password generator",
    SINGLE_ORGANIZATION: "Single organization",
    REQUIRE_SSO: "Require single sign-on authentication",
    DATA_OWNERSHIP: "Enforce organization data ownership",
    REMOVE_SEND: "Remove Send",
    SEND_OPTIONS: "Send options",
    ACCOUNT_RECOVERY: "Account recovery administration",
    9: "Vault timeout",
    10: "Remove individual vault export",
    11: "Active auto-fill",
    12: "Automatic login with SSO",
    FAMILIES: "Remove Free Bitwarden Families sponsorship",
    14: "Remove unlock with PIN",
    15: "Restricted item types",
    16: "URI match defaults",
    17: "Autotype default setting",
    AUTO_CONFIRM: "Automatically confirm invited users",
    BLOCK_ACCOUNTS: "Block account creation for claimed domains",
    20: "Vault banner message",
    SEND_CONTROLS: "Send controls",
    FILL_ASSIST: "Fill Assist",
}
_SINCE = {
    16: "2025.9.2",
    17: "2025.10.0",
    AUTO_CONFIRM: "2025.10.1",
    BLOCK_ACCOUNTS: "2025.12.0",
    20: "2026.4.0",
    SEND_CONTROLS: "2026.4.0",
    FILL_ASSIST: "2026.8.0",
}
REQUIRES = dict.fromkeys((REQUIRE_SSO, ACCOUNT_RECOVERY, 9, 16, AUTO_CONFIRM, 20), SINGLE_ORGANIZATION)

# Data whose JSON types are checked: type -> (its name in messages, key -> type).
_FLAGS = ("requireLower", "requireUpper", "requireNumbers", "requireSpecial", "enforceOnLogin")
_SHAPES: dict[int, tuple[str, dict[str, type]]] = {
    MASTER_PASSWORD: ("MasterPassword", {"minComplexity": int, "minLength": int, **dict.fromkeys(_FLAGS, bool)}),
    SEND_OPTIONS: ("SendOptions", {"disableHideEmail": bool}),
    ACCOUNT_RECOVERY: ("ResetPassword", {"autoEnrollEnabled": bool}),
}
_RANGES = {"minComplexity": ("MinComplexity", 0, 4), "minLength": ("MinLength", 12, 128)}


def exists(version: str, kind: int) -> bool:
    """Say whether a release knows a type."""
    return kind in NAMES and versions.number(version) >= versions.number(_SINCE.get(kind, "0"))


def checked(kind: int, data: Row | None) -> Row | None:
    """Return the data to store, just as they came; other keys than the known ones do not matter to the server."""
    if not data:
        return None
    name, shape = _SHAPES.get(kind, ("", {}))
    for key, of_type in shape.items():
        value = data.get(key)
        nullable = kind == MASTER_PASSWORD and value is None
        fits = isinstance(value, of_type) and isinstance(value, bool) == (of_type is bool)  # to Python, a boolean is an int, too
        if key in data and not nullable and not fits:
            raise bad_request(f"Invalid data for {name} policy: {key} has an invalid value.")
    if kind == MASTER_PASSWORD:
        _check_ranges(name, data)
    return data


def _check_ranges(name: str, data: Row) -> None:
    wrong = [
        f"The field {label} must be between {least} and {most}."
        for key, (label, least, most) in _RANGES.items()
        if data.get(key) is not None and not least <= data[key] <= most
    ]
    if wrong:
        raise bad_request(f"Invalid data for {name} policy: {', '.join(wrong)}")


def problem(kind: int, enabled: bool, data: Row) -> str | None:
    """Return what a type's own rules say about its data."""
    if kind == SEND_CONTROLS and data.get("allowedDomains") is not None and data.get("whoCanAccess") != 2:
        return "Allowed domains can only be set when the required access type is set to specific people"
    if kind == FILL_ASSIST and enabled:
        return _address_problem(data.get("rulesUrl"))
    return None


def _address_problem(url: t.Any) -> str | None:
    if not url:
        return "The RulesUrl field is required."
    return None if str(url).startswith("https://") else "RulesUrl must use HTTPS."
