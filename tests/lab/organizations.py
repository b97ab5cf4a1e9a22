"""Organizations and their keys. Source: bitwarden/server AdminConsole/Controllers/OrganizationsController.cs."""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab import crypto, views
from tests.lab.core import Refusal, World, bad_request, crash, invalid, not_found, parse
from tests.lab.events import record_event
from tests.lab.license_checks import TokenRefused, verified_claims
from tests.lab.license_files import claim_date
from tests.lab.provider_access import RESELLER
from tests.lab.state import Row
from tests.lab.web import Caller, Fields, answer, body, caller, guid, here, owned

routes = Blueprint("organizations", __name__)

# setting: events of switching it on and off
_SETTING_EVENTS = {
    "limitCollectionCreation": (1610, 1611),
    "limitCollectionDeletion": (1612, 1613),
    "limitItemDeletion": (1614, 1615),
    "allowAdminAccessToAllCollectionItems": (1616, 1617),
}


@routes.get("/organizations/<organization_id>")
def read(organization_id: str) -> Response:
    """An organization, for its owner."""
    _unused, row = owned(organization_id)
    return answer(views.organization(row))


@routes.put("/organizations/<organization_id>")
@routes.post("/organizations/<organization_id>")
def update(organization_id: str) -> Response:
    """Change name and billing e-mail; a self-hosted server takes both from the license and ignores the request."""
    who, world = caller(), here()
    row = world.get("organization", guid(organization_id))
    if not row or not who.owns(row["id"]):
        raise Refusal(401)
    fields = body()
    if fields.get("billingEmail") is not None and not _pays(who, row):
        raise Refusal(401)
    keys = Fields(fields.get("keys") or {})
    if keys and not row["publicKey"]:
        row |= {"publicKey": keys.get("publicKey"), "privateKey": keys.get("encryptedPrivateKey")}
    if world.cloud:
        row |= {name: fields.get(name) for name in ("name", "billingEmail") if fields.get(name)}
    return answer(views.organization(world.put("organization", row)))


@routes.put("/organizations/<organization_id>/collection-management")
def update_settings(organization_id: str) -> Response:
    """Replace the four settings; one that is left out is false from now on."""
    (who, row), fields, world = owned(organization_id), body(), here()
    for name, (on, off) in _SETTING_EVENTS.items():
        wanted = bool(fields.get(name))
        if wanted != row[name]:
            row[name] = wanted
            record_event(world, on if wanted else off, row["id"], who)
    return answer(views.organization(world.put("organization", row)))


@routes.get("/organizations/<organization_id>/subscription")
def subscription(organization_id: str) -> Response:
    """What is paid for, or, self-hosted, what the stored license says."""
    world = here()
    who = caller()
    row = world.get("organization", guid(organization_id))
    if not row or not who.owns(row["id"]) or not _pays(who, row):
        raise not_found()
    dates = _paid(row) if world.cloud else _licensed(world, row)
    storage = {"storageName": None, "storageGb": 0, "subscription": None, "upcomingInvoice": None, "customerDiscount": None}
    return answer({**views.organization(row), "object": "organizationSubscription", **storage, **dates})


def _pays(who: Caller, row: Row) -> bool:
    """Say whether an owner may look after the bills: those of a client are its provider's, unless that only sells."""
    link = who.world.one("provider_organization", organizationId=row["id"])
    provider = who.world.get("provider", link["providerId"]) if link else None
    return provider is None or provider["type"] == RESELLER or who.provides(row["id"])


def _paid(row: Row) -> Row:
    return {"expirationWithoutGracePeriod": None, "expiration": row.get("expirationDate")}


def _licensed(world: World, row: Row) -> Row:
    stored = world.core.selfhost.read_license(row["id"])
    if stored is None:
        raise crash()
    expires, soft = stored.get("Expires"), stored.get("ExpirationWithoutGracePeriod")
    if stored.get("Token"):
        try:
            claims = verified_claims(stored["Token"], f"organization:{stored['Id']}", world.now())
        except TokenRefused as refused:
            raise bad_request(f"Invalid license. {refused}") from None
        soft = claim_date(claims.get("ExpirationWithoutGracePeriod"))
        if world.has("subscription dates from token"):
            expires = claim_date(claims.get("Expires"))
    return {"expirationWithoutGracePeriod": _plain(soft), "expiration": _plain(expires)}


def _plain(date: str | None) -> str | None:
    """Without zone and fraction, as self-hosted servers write these two."""
    return parse(date).strftime("%Y-%m-%dT%H:%M:%S") if date else None


@routes.get("/organizations/<organization_id>/public-key")
@routes.get("/organizations/<organization_id>/keys")
def public_key(organization_id: str) -> Response:
    """The public key, for anybody with an account."""
    caller()
    row = here().get("organization", guid(organization_id))
    if not row:
        raise not_found()
    return answer({"object": "organizationPublicKey", "publicKey": row["publicKey"]})


@routes.post("/organizations/<organization_id>/keys")
def set_keys(organization_id: str) -> Response:
    """Give an organization its key pair, once."""
    who, world = caller(), here()
    row = world.get("organization", guid(organization_id))
    if not row or not who.may("manageresetpassword", row["id"]):
        raise Refusal(401, "Unauthorized.")
    fields = body()
    public, private = fields.get("publicKey"), fields.get("encryptedPrivateKey")
    if not public:
        raise invalid("PublicKey", "The PublicKey field is required.")
    if not private or not crypto.is_enc_string(private):
        raise invalid("EncryptedPrivateKey", "EncryptedPrivateKey is not a valid encrypted string.")
    if row["publicKey"] and row["privateKey"]:
        raise bad_request("Organization Keys already exist.")
    world.put("organization", {**row, "publicKey": public, "privateKey": private})
    return answer({"object": "organizationKeys", "publicKey": public, "privateKey": private})
