"""Opening what people hold, with the passwords that the lab knows: to look at what is encrypted, and to act for them."""

from __future__ import annotations

from tests.lab import crypto
from tests.lab.core import World
from tests.lab.people import PEOPLE, Person
from tests.lab.state import Row


def known(world: World, user: Row) -> Person:
    """Return who is behind an account: somebody of the cast, or a guest whose password follows from the address."""
    for who in PEOPLE.values():
        if (who.server, who.email) == (world.name, user["email"]):
            return who
    return guest(world, user["email"], user["id"], user["apiKey"])


def guest(world: World, email: str, user_id: str = "", api_key: str = "") -> Person:
    """Return somebody who registers when he is invited."""
    name = email.partition("@")[0].title()
    return Person(world.name, email, name, f"master password of {email}", user_id, f"user.{user_id}", api_key)


def user_key(world: World, user: Row) -> bytes:
    """Return somebody's user key. Raises ValueError when the lab does not know the password."""
    password = known(world, user).master_password
    return crypto.decrypt(user["key"], crypto.stretch(crypto.master_key(password, user["salt"], user)))


def opened(world: World, holder: Row) -> bytes:
    """Open the key that a member or a provider user holds, with his private key."""
    user = world.get("user", holder["userId"]) or {}
    private = crypto.decrypt(user["privateKey"], user_key(world, user))
    return crypto.unwrap(holder["key"], crypto.b64(private))


def _first_opened(world: World, holders: list[Row]) -> bytes | None:
    for holder in holders:
        try:
            return opened(world, holder)
        except ValueError:  # an account whose password the lab does not know, or a wrongly wrapped key
            continue
    return None


def organization_key(world: World, organization_id: str) -> bytes:
    """Return an organization's key, opened as its members or its provider's users open it. Raises LookupError."""
    key = _first_opened(world, world.find("member", organizationId=organization_id, status=2))
    link = world.one("provider_organization", organizationId=organization_id)
    if key is None and link:
        provider_key = _first_opened(world, world.find("provider_user", providerId=link["providerId"], status=2))
        key = crypto.decrypt(link["key"], provider_key) if provider_key else None
    if key is None:
        raise LookupError(f"nobody whom the lab knows can open organization {organization_id} on {world.name}")
    return key
