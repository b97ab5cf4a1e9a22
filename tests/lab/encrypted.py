"""What the server can see of a ciphertext: its shape and its length. Source: bitwarden/server EncryptedStringAttribute.cs."""

from __future__ import annotations

import typing as t

from tests.lab import crypto
from tests.lab.core import invalid


def problem(name: str, value: t.Any, limit: int) -> str | None:
    """Return what is wrong with a ciphertext, if anything is."""
    if not isinstance(value, str) or not crypto.is_enc_string(value):
        return f"{name} is not a valid encrypted string."
    if len(value) > limit:
        return f"The field {name} exceeds the maximum encrypted value length of {limit} characters."
    return None


def check(name: str, value: t.Any, limit: int = 1000, *, required: bool = True) -> None:
    """Refuse a ciphertext that is missing or malformed."""
    if value in (None, ""):
        if required:
            raise invalid(name, f"The {name} field is required.")
    elif wrong := problem(name, value, limit):
        raise invalid(name, wrong)
