"""Invitations: the token that only a mail's link carries, and whether it still holds.

Source: bitwarden/server OrgUserInviteTokenable.cs, OrganizationInvitesInfo.cs, ProviderService.cs, Models/Mail/Provider/*.cs.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import urlencode

from tests.lab import crypto
from tests.lab.core import REGIONS, World, iso, parse
from tests.lab.state import Row

_HOURS = 120
_PREFIXES = {"member": "BwOrgUserInviteToken_", "provider_user": "CfDJ8"}


def mint(world: World, kind: str, row: Row) -> str:
    """Return a new token for a row of kind C(member) or C(provider_user). Older ones hold until they expire."""
    token = _PREFIXES[kind] + crypto.b64(secrets.token_bytes(64))
    ends = iso(world.now() + timedelta(hours=_HOURS))
    world.put("invitation", {"id": token, "rowId": row["id"], "email": row["email"], "ends": ends})
    return token


def check(world: World, token: str | None, row: Row) -> str:
    """Say what a token is worth for a row: C(good), C(expired) or C(invalid)."""
    held = world.get("invitation", token)
    if not held or held["rowId"] != row["id"] or held["email"] != row["email"]:
        return "invalid"
    return "good" if parse(held["ends"]) > world.now() else "expired"


def send(world: World, kind: str, row: Row) -> None:
    """Mint a token for a row and mail the link to the row's address."""
    token = mint(world, kind, row)
    name, link = {"member": _member_link, "provider_user": _provider_link}[kind](world, row, token)
    world.mail(row["email"], f"Join {name}", f"You have been invited to join {name}:\n\n{link}\n", token)


def _vault(world: World) -> str:
    return f"https://vault.{REGIONS[world.name]}" if world.cloud else world.core.selfhost.base_url()


def _member_link(world: World, row: Row, token: str) -> tuple[str, str]:
    organization = world.get("organization", row["organizationId"]) or {}
    values = {
        "organizationId": organization["id"],
        "organizationUserId": row["id"],
        "email": row["email"],
        "organizationName": organization["name"],
        "token": token,
        "initOrganization": False,
        "orgUserHasExistingUser": world.one("user", email=row["email"]) is not None,
    }
    if organization.get("identifier"):
        values["orgSsoIdentifier"] = organization["identifier"]
    return organization["name"], f"{_vault(world)}/#/accept-organization?{urlencode(values)}"


def _provider_link(world: World, row: Row, token: str) -> tuple[str, str]:
    provider = world.get("provider", row["providerId"]) or {}
    values = {
        "providerId": provider["id"],
        "providerUserId": row["id"],
        "email": row["email"],
        "providerName": provider["name"],
        "token": token,
    }
    return provider["name"], f"{_vault(world)}/#/providers/accept-provider?{urlencode(values)}"
