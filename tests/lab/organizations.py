"""Organizations and their keys. Source: bitwarden/server AdminConsole/Controllers/OrganizationsController.cs."""

from __future__ import annotations

import re
import secrets

from flask import Blueprint, Response

from tests.lab import crypto, people, views
from tests.lab.core import Refusal, World, bad_request, crash, invalid, iso, not_found, parse
from tests.lab.license_checks import TokenRefused, verified_claims
from tests.lab.license_files import claim_date
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, caller, guid, here, listed, owned, proven

routes = Blueprint("organizations", __name__)


@routes.get("/organizations/<organization_id>")
def read(organization_id: str) -> Response:
    """An organization, for its owner."""
    _, row = owned(organization_id)
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
    keys = Fields(fields.get("keys") or {})
    if keys and not row["publicKey"]:
        row |= {"publicKey": keys.get("publicKey"), "privateKey": keys.get("encryptedPrivateKey")}
    if world.cloud:
        row |= {name: fields.get(name) for name in ("name", "billingEmail") if fields.get(name)}
    return answer(views.organization(world.put("organization", row)))


@routes.get("/organizations/<organization_id>/subscription")
def subscription(organization_id: str) -> Response:
    """What is paid for, or, self-hosted, what the stored license says."""
    world = here()
    who = caller()
    row = world.get("organization", guid(organization_id))
    if not row or not who.owns(row["id"]):
        raise not_found()
    dates = _paid(row) if world.cloud else _licensed(world, row)
    storage = {"storageName": None, "storageGb": 0, "subscription": None, "upcomingInvoice": None, "customerDiscount": None}
    return answer({**views.organization(row), "object": "organizationSubscription", **storage, **dates})


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


# API keys of an organization: 0 public API, 1 billing sync, 2 SCIM.


@routes.post("/organizations/<organization_id>/api-key")
def api_key(organization_id: str) -> Response:
    """Get or create a key. It is created before the password is looked at."""
    return _api_key(organization_id, rotate=False)


@routes.post("/organizations/<organization_id>/rotate-api-key")
def rotate_api_key(organization_id: str) -> Response:
    """Replace a key."""
    return _api_key(organization_id, rotate=True)


def _api_key(organization_id: str, *, rotate: bool) -> Response:
    who, world, fields = caller(), here(), body()
    if not fields.get("masterPasswordHash") and not fields.get("otp"):
        raise invalid("", "MasterPasswordHash, OTP, or AccessCode must be supplied.")
    kind = fields.get("type", 0)
    row = world.get("organization", guid(organization_id, crash()))
    allowed = row and (who.may("managescim", row["id"]) if kind == 2 else who.owns(row["id"]))
    if not row or not allowed:
        raise not_found()
    if not rotate and kind in (1, 2) and views.tier(row) not in (views.TEAMS, views.ENTERPRISE):
        raise not_found()
    key = find_key(world, row["id"], kind) or create_key(world, row["id"], kind)
    proven(who, fields, "MasterPasswordHash", "Invalid password.")
    if rotate:
        key = world.put("organization_api_key", {**key, "apiKey": _random(), "revisionDate": iso(world.now())})
    return answer({"apiKey": key["apiKey"], "revisionDate": key["revisionDate"], "object": "apiKey"})


def find_key(world: World, organization_id: str, kind: int) -> Row | None:
    """Return an organization's API key, if it was ever created."""
    return world.one("organization_api_key", organizationId=organization_id, type=kind)


def create_key(world: World, organization_id: str, kind: int) -> Row:
    """Create an organization's API key."""
    row = {"organizationId": organization_id, "type": kind, "apiKey": _random(), "revisionDate": iso(world.now())}
    return world.put("organization_api_key", {"id": f"{organization_id}/{kind}", **row})


def _random() -> str:
    return people.secret(secrets.token_hex(16))


@routes.get("/organizations/<organization_id>/api-key-information")
@routes.get("/organizations/<organization_id>/api-key-information/<kind>")
def api_key_information(organization_id: str, kind: str | None = None) -> Response:
    """Which keys exist, without the keys."""
    who, world = caller(), here()
    wanted = {"0": 0, "1": 1, "2": 2, "Default": 0, "BillingSync": 1, "Scim": 2}.get(kind or "")
    row = world.get("organization", guid(organization_id, crash()))
    if not row or not (who.may("managescim", row["id"]) if wanted == 2 else who.owns(row["id"])):
        raise not_found()
    keys = [key for key in world.find("organization_api_key", organizationId=row["id"]) if kind is None or key["type"] == wanted]
    return listed({"keyType": key["type"], "revisionDate": key["revisionDate"], "object": "keyInformation"} for key in keys)


# Members, as far as they are read.


@routes.get("/organizations/<organization_id>/users")
def members(organization_id: str) -> Response:
    """Everybody in an organization."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    if not who.may("manageusers", organization_id):
        raise not_found()
    return listed(_member(world, row) for row in world.find("member", organizationId=organization_id))


@routes.get("/organizations/<organization_id>/users/mini-details")
def members_briefly(organization_id: str) -> Response:
    """The same for every member; somebody else gets 403 with an empty body."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    if not who.member_of(organization_id) and not who.provides(organization_id):
        raise Refusal(403)
    names = ("id", "userId", "type", "status", "name", "email")
    rows = (_member(world, row) for row in world.find("member", organizationId=organization_id))
    return listed({"object": "organizationUserUserMiniDetails", **{name: row[name] for name in names}} for row in rows)


@routes.get("/organizations/<organization_id>/users/<member_id>")
def member(organization_id: str, member_id: str) -> Response:
    """One member, without name and e-mail."""
    who, world = caller(), here()
    organization_id = guid(organization_id)
    if not who.may("manageusers", organization_id):
        raise Refusal(403)
    row = world.get("member", guid(member_id))
    if not row or row["organizationId"] != organization_id:
        raise not_found()
    shown = {name: value for name, value in _member(world, row).items() if name not in ("name", "email")}
    return answer({**shown, "object": "organizationUserDetails"})


def _member(world: World, row: Row) -> Row:
    user = world.get("user", row["userId"]) or {}
    found = {
        "object": "organizationUserUserDetails",
        **{name: row[name] for name in ("id", "userId", "type", "status")},
        "externalId": None,
        "accessSecretsManager": False,
        "resetPasswordEnrolled": False,
        "usesKeyConnector": False,
        "hasMasterPassword": bool(user),
        "name": user.get("name"),
        "email": user.get("email", row["email"]),
        "avatarColor": None,
        "twoFactorEnabled": False,
        "ssoBound": False,
        "claimedByOrganization": False,
        "collections": [],
        "groups": [],
    }
    return found | ({"permissions": row["permissions"]} if row.get("permissions") else {})


def creates_nothing(world: World, path: str, data: bytes) -> bool:
    """Say whether a POST to an api-key route only reads, because the key is already there."""
    found = re.fullmatch(r"/organizations/([^/]+)/api-key/?", path)
    if not found:
        return path.rstrip("/") == "/accounts/api-key"
    kind = re.search(rb'"type"\s*:\s*"?(\d)', data, re.IGNORECASE)
    return find_key(world, found[1].lower(), int(kind[1]) if kind else 0) is not None
