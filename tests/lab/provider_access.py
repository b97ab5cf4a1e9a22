"""Who may speak to a provider's routes, and how each of their controllers refuses.

Roles are those of the token. Source: bitwarden/server src/Libraries/OrganizationAuthorization, BaseProviderController.cs.
"""

from __future__ import annotations

from tests.lab.core import Refusal, World, not_found
from tests.lab.state import Row
from tests.lab.web import Caller, caller, guid, here

MSP, RESELLER, BUSINESS_UNIT = 0, 1, 2
PENDING, CREATED, BILLABLE = 0, 1, 2


def managed(provider_id: str, *, admin: bool = True) -> tuple[Caller, Row]:
    """The caller and a provider that he may manage; who may not gets an empty 403, or 404 from an older server."""
    who, provider_id = caller(), guid(provider_id)
    if not _allowed(who, provider_id, admin=admin):
        raise Refusal(403) if here().has("provider requirements") else not_found()
    return who, _provider(here(), provider_id)


def billable(provider_id: str, *, admin: bool = True) -> tuple[Caller, Row]:
    """The caller and a provider whose clients he may manage: one on consolidated billing, known to Stripe."""
    who, provider_id = caller(), guid(provider_id)
    if not _allowed(who, provider_id, admin=admin):
        raise Refusal(403) if here().has("provider requirements") else unauthorized()
    provider = _provider(here(), provider_id)
    if not is_billable(provider):
        raise nobody(here())
    if not provider["stripe"]:
        raise misconfigured()
    return who, provider


def bills_of(provider_id: str) -> Row:
    """A provider whose bills the caller may read."""
    who, provider_id = caller(), guid(provider_id)
    provider = here().get("provider", provider_id)
    if not who.serves(provider_id) or (provider and not is_billable(provider)):
        raise unauthorized()
    return _provider(here(), provider_id)


def _allowed(who: Caller, provider_id: str, *, admin: bool) -> bool:
    return who.administers(provider_id) if admin else who.serves(provider_id)


def _provider(world: World, provider_id: str) -> Row:
    found = world.get("provider", provider_id)
    if not found:
        raise not_found()
    return found


def is_billable(provider: Row) -> bool:
    """Say whether a provider is on consolidated billing."""
    return provider["type"] in (MSP, BUSINESS_UNIT) and provider["status"] == BILLABLE


def unauthorized(message: str = "Unauthorized.") -> Refusal:
    """A controller's own refusal."""
    return Refusal(401, message)


def nobody(world: World) -> Refusal:
    """The refusal of the clients controller: without a body on newer servers."""
    return Refusal(401) if world.has("provider requirements") else unauthorized()


def misconfigured() -> Refusal:
    """What the clients controller cannot bill."""
    return Refusal(500, "Something went wrong with your request. Please contact support for assistance.")


def billing_failed() -> Refusal:
    """What the billing services cannot do."""
    return Refusal(500, "Something went wrong with your request. Please contact support.")
