"""Everything that differs between server releases, as one table.

Sources: the "since" columns of bitwarden/server, read by tag. A behaviour is on from its release onwards.
"""

from __future__ import annotations

LATEST = "2026.8.0"
SUPPORTED = ("2025.8.0", "2026.4.0", LATEST)

_SINCE = {
    # identity
    "account keys": "2025.11.0",
    "prelogin/password route": "2025.12.0",
    "kdfSettings": "2025.12.0",
    "register with unlock data": "2026.2.0",
    "client version required": "2026.3.0",
    "no ResetMasterPassword": "2026.3.2",
    "prelogin salt": "2026.5.0",
    "contained key id": "2026.8.0",
    # accounts and configuration
    "policiesNew": "2026.5.0",
    "organizationsNew": "2026.6.0",
    "config communication": "2026.2.0",
    "config onboarding": "2026.6.0",
    # licenses
    "plan type as number": "2025.12.0",
    "subscription dates from token": "2025.12.1",
    "update from claims": "2026.1.0",
    "UseMyItems compared only if claimed": "2026.4.0",
    "payment checks": "2026.5.0",
    "missing license handled": "2026.6.2",
    # collections
    "collection name optional": "2025.8.1",
    "collection update keeps access": "2025.12.2",
    "items of members": "2025.10.0",
    # members
    "restore/vnext": "2026.2.0",
    "revocation reason": "2026.4.1",
    "creation date of members": "2026.7.2",
    "staged members": "2026.7.0",
    "removals by a directory are recorded": "2025.9.0",
    "removals spare accounts without password": "2025.9.0",
    "public revoke and restore": "2026.2.0",
    "seats of the public API": "2026.3.2",
    # policies
    "policy type in the path": "2025.11.1",
    "policies vnext": "2026.1.0",
    "single policy without id": "2026.2.0",
    "policies without id": "2026.4.0",
    "policy in a wrapper": "2026.4.1",
    "no policies vnext": "2026.6.0",
    # providers
    "auto confirm keeps providers out": "2025.12.2",
    "clients of this provider only": "2026.3.2",
    "adding takes an admin": "2026.4.0",
    "provider requirements": "2026.4.1",
    "linked is not addable": "2026.8.0",
    # connections
    "create checks type": "2026.4.0",
    "type is fixed": "2026.6.2",
    "no delete alias": "2026.6.2",
}

_TEXTS = {
    "premium": {
        "0": "Premium licenses cannot be applied to an organization."
        " Upload this license from your personal account settings page.",
        "2026.8.0": "Premium licenses cannot be applied to an organization vault."
        " Upload this license from your personal account Settings page.",
    },
    "in use": {
        "0": "License is already in use by another organization.",
        "2026.8.0": "License is already in use by another organization vault.",
    },
    "unlink": {
        "0": "Failed to remove organization. Please contact support.",
        "2026.8.0": "Failed to remove organization vault. Please contact support.",
    },
    "single organization": {
        "0": "You may not create an organization. You belong to an organization"
        " which has a policy that prohibits you from being a member of any other organization.",
        "2026.8.0": "You cannot create a new organization vault because your current membership"
        " doesn't allow you to join or create additional organization vaults.",
    },
}


def number(version: str) -> tuple[int, ...]:
    """Turn C(2026.8.0) into something that compares. Raises ValueError when it is not a dotted number."""
    return tuple(int(part) for part in version.split("."))


def has(version: str, behaviour: str) -> bool:
    """Say whether a release shows a behaviour of the table."""
    return number(version) >= number(_SINCE[behaviour])


def text(version: str, name: str) -> str:
    """Return a message in the wording of a release."""
    return [wording for since, wording in _TEXTS[name].items() if number(version) >= number(since)][-1]
