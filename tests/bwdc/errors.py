"""The two ways in which a command of the connector fails."""

from __future__ import annotations


class Failure(Exception):
    """A failure that the program handles: its text is shown, the exit code is 1."""


class Uncaught(Exception):
    """What Node shows with a stack trace; no option changes that."""


def null_property(name: str) -> str:
    """What Node says when something is read from nothing."""
    return f"Cannot read properties of null (reading '{name}')"
