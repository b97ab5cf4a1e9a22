"""Addresses as the API takes them. Source: bitwarden/server StrictEmailAddressAttribute.cs and its list."""

from __future__ import annotations

import re

from tests.lab.core import Refusal
from tests.lab.web import Fields

_ADDRESS = re.compile(r"[\x21-\x3f\x41-\x7e]+@[^@\s]+\.[^@\s]*[A-Za-z]")
_MOST, _LONGEST = 20, 256


def is_email(text: str) -> bool:
    """Say whether a text is an address: a local part in ASCII, and a domain with a dot that ends in a letter."""
    return _ADDRESS.fullmatch(text) is not None


def invited(fields: Fields) -> list[str]:
    """Return the addresses of an invitation in lower case, or refuse all that is wrong with them at once."""
    given = fields.get("emails")
    wrong = ["The Emails field is required."] if given is None else _wrong(given)
    if wrong:
        raise Refusal(400, "The model state is invalid.", {"Emails": wrong})
    return [text.lower() for text in given]


def _wrong(given: list[str]) -> list[str]:
    if not given:
        return ["An email is required."]
    if len(given) > _MOST:
        return [f"You can only submit up to {_MOST} emails at a time."]
    found = []
    for number, text in enumerate(given, 1):
        if not is_email(text):
            found.append(f"Email #{number} is not valid.")
        elif len(text) > _LONGEST:
            found.append(f"Email #{number} is longer than {_LONGEST} characters.")
    return found
