"""Free Families sponsorships of an Enterprise organization, on both sides.

Source: bitwarden/server OrganizationFeatures/OrganizationSponsorships/**, *OrganizationSponsorshipsController.cs.
"""

from __future__ import annotations

import re
import uuid

from flask import Blueprint, Response, request

from tests.lab import crypto, views
from tests.lab.core import Refusal, World, bad_request, crash, invalid, not_found
from tests.lab.state import Row
from tests.lab.web import Caller, Fields, answer, body, caller, cloud_only, empty, guid, here, listed, owned, selfhost_only

routes = Blueprint("sponsorships", __name__)

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BASE = "/organization/sponsorship"
_LOCAL = f"{_BASE}/self-hosted"
# Shown in lists and sent to the cloud, in this order.
SYNCED = (
    "sponsoringOrganizationUserId",
    "friendlyName",
    "offeredToEmail",
    "planSponsorshipType",
    "lastSyncDate",
    "validUntil",
    "toDelete",
)


def _checked(fields: Fields) -> Row:
    email = str(fields.get("sponsoredEmail") or "")
    if not email:
        raise invalid("SponsoredEmail", "The SponsoredEmail field is required.")
    if not _ADDRESS.fullmatch(email) or len(email) > 256:
        raise invalid("SponsoredEmail", "The SponsoredEmail field is not a supported e-mail address format.")
    notes = fields.get("notes")
    if notes and not crypto.is_enc_string(notes):
        raise invalid("Notes", "Notes is not a valid encrypted string.")
    return {
        "offeredToEmail": email,
        "friendlyName": fields.get("friendlyName"),
        "planSponsorshipType": fields.get("planSponsorshipType", 0),
        "isAdminInitiated": bool(fields.get("isAdminInitiated")),
        "notes": notes,
    }


def _offer(who: Caller, organization_id: str) -> Row | None:
    """Create a sponsorship; None when one of that name is already there."""
    world, wanted = here(), _checked(body())
    row = world.get("organization", guid(organization_id))
    member = world.one("member", organizationId=row["id"], userId=who.id) if row else None
    if not row or not member:
        raise crash()
    if wanted["offeredToEmail"].lower() == who.row["email"]:
        raise bad_request("Cannot offer a Families Organization Sponsorship to yourself. Choose a different email.")
    if views.tier(row) != views.ENTERPRISE:
        raise bad_request("Specified Organization cannot sponsor other organizations.")
    if member["status"] != 2:
        raise bad_request("Only confirmed users can sponsor other organizations.")
    own = world.one("sponsorship", sponsoringOrganizationUserId=member["id"], isAdminInitiated=False)
    if own and own["sponsoredOrganizationId"]:
        raise bad_request("Can only sponsor one organization per Organization User.")
    if wanted["isAdminInitiated"]:
        if not who.may("manageusers", row["id"]):
            raise Refusal(401, "Unauthorized.")
        if not row["useAdminSponsoredFamilies"]:
            raise bad_request("Sponsoring organization cannot send admin-initiated sponsorship invitations")
    if world.one("sponsorship", sponsoringOrganizationId=row["id"], friendlyName=wanted["friendlyName"]):
        return None
    reused = own["id"] if own and not wanted["isAdminInitiated"] else str(uuid.uuid4())
    return world.put("sponsorship", {"id": reused, **new_sponsorship(row["id"], member["id"]), **wanted})


def new_sponsorship(organization_id: str, member_id: str) -> Row:
    """Return an empty sponsorship."""
    dates = dict.fromkeys(("lastSyncDate", "validUntil", "sponsoredOrganizationId"))
    owner = {"sponsoringOrganizationId": organization_id, "sponsoringOrganizationUserId": member_id}
    return {**owner, **dates, "toDelete": False, "isAdminInitiated": False, "notes": None}


@routes.post(f"{_LOCAL}/<organization_id>/families-for-enterprise")
def offer_locally(organization_id: str) -> Response:
    """Offer a sponsorship on a self-hosted server; nothing leaves it before the next sync."""
    selfhost_only()
    _offer(caller(), organization_id)
    return empty()


@routes.delete(f"{_LOCAL}/<organization_id>")
@routes.post(f"{_LOCAL}/<organization_id>/delete")
def revoke_own_locally(organization_id: str) -> Response:
    """Take one's own sponsorship back."""
    world = selfhost_only()
    _revoke(world, _own(world, caller(), organization_id))
    return empty()


def _own(world: World, who: Caller, organization_id: str) -> Row:
    member = world.one("member", organizationId=guid(organization_id), userId=who.id)
    if not member:
        raise bad_request("Unknown Organization User")
    row = world.one("sponsorship", sponsoringOrganizationUserId=member["id"], isAdminInitiated=False)
    if not row:
        raise bad_request("You are not currently sponsoring an organization.")
    return row


def _revoke(world: World, row: Row) -> None:
    """Never synced (or never redeemed, in the cloud): gone at once. Else the next sync finishes it."""
    if row["sponsoredOrganizationId"] if world.cloud else row["lastSyncDate"]:
        world.put("sponsorship", {**row, "toDelete": True})
    else:
        world.delete("sponsorship", row["id"])


@routes.get(f"{_LOCAL}/<organization_id>/sponsored")
def sponsored_locally(organization_id: str) -> Response:
    """The sponsorships that admins offered."""
    selfhost_only()
    return _sponsored(organization_id)


@routes.get(f"{_BASE}/<organization_id>/sponsored")
def sponsored(organization_id: str) -> Response:
    """The same in the cloud."""
    cloud_only()
    return _sponsored(organization_id)


def _sponsored(organization_id: str) -> Response:
    who, world, organization_id = caller(), here(), guid(organization_id)
    if not who.may("manageusers", organization_id):
        raise Refusal(401, "Unauthorized.")
    rows = world.find("sponsorship", sponsoringOrganizationId=organization_id, isAdminInitiated=True)
    more = {"cloudSponsorshipRemoved": False, "object": "organizationSponsorship"}
    return listed({**{name: row[name] for name in (*SYNCED, "isAdminInitiated", "notes")}, **more} for row in rows)


@routes.delete(f"{_LOCAL}/<organization_id>/<friendly_name>/revoke")
def revoke_locally(organization_id: str, friendly_name: str) -> Response:
    """Take back what an admin offered."""
    selfhost_only()
    return _revoke_named(organization_id, friendly_name)


@routes.delete(f"{_BASE}/<organization_id>/<friendly_name>/revoke")
def revoke(organization_id: str, friendly_name: str) -> Response:
    """The same in the cloud."""
    cloud_only()
    return _revoke_named(organization_id, friendly_name)


def _revoke_named(organization_id: str, friendly_name: str) -> Response:
    who, world, organization_id = caller(), here(), guid(organization_id)
    if not who.may("manageusers", organization_id):
        raise Refusal(403)
    row = world.one("sponsorship", sponsoringOrganizationId=organization_id, friendlyName=friendly_name, isAdminInitiated=True)
    if not row:
        raise bad_request("The specified sponsored organization could not be found under the given sponsoring organization.")
    _revoke(world, row)
    return empty()


@routes.get(f"{_BASE}/<organization_id>/sync-status")
def sync_status(organization_id: str) -> Response:
    """When sponsorships were synced last, as this side saw it."""
    _unused, row = owned(organization_id)
    dates = [found["lastSyncDate"] for found in here().find("sponsorship", sponsoringOrganizationId=row["id"])]
    return answer({"lastSyncDate": max((date for date in dates if date), default=None), "object": "syncStatus"})


# Cloud only.


@routes.post(f"{_BASE}/<organization_id>/families-for-enterprise")
def offer(organization_id: str) -> Response:
    """Offer a sponsorship in the cloud; the mail goes out at once."""
    world = cloud_only()
    who = caller()
    if world.one("policy", organizationId=organization_id, type=13, enabled=True):
        raise bad_request("Free Bitwarden Families sponsorship has been disabled by your organization administrator.")
    row = _offer(who, organization_id)
    if row:
        send_offer(world, row)
    return empty()


@routes.post(f"{_BASE}/<organization_id>/families-for-enterprise/resend")
def resend(organization_id: str) -> Response:
    """Send the mail again."""
    world = cloud_only()
    who, organization_id = caller(), guid(organization_id)
    if not who.may("manageusers", organization_id):
        raise Refusal(403)
    name = request.args.get("sponsoredFriendlyName")
    row = world.one("sponsorship", sponsoringOrganizationId=organization_id, friendlyName=name)
    if not row:
        raise not_found()
    send_offer(world, row)
    return empty()


def send_offer(world: World, row: Row) -> None:
    """Mail the link that redeems a sponsorship."""
    token = f"BWOrganizationSponsorship_{uuid.uuid4().hex}"
    world.put("sponsorship_token", {"id": token, "sponsorshipId": row["id"]})
    world.mail(row["offeredToEmail"], "Accept your free Families subscription", "You have been offered a sponsorship.", token)


@routes.delete(f"{_BASE}/<organization_id>")
def revoke_own(organization_id: str) -> Response:
    """Take one's own sponsorship back, in the cloud."""
    world = cloud_only()
    _revoke(world, _own(world, caller(), organization_id))
    return empty()


def _offered(world: World) -> Row | None:
    held = world.get("sponsorship_token", request.args.get("sponsorshipToken"))
    return world.get("sponsorship", held["sponsorshipId"]) if held else None


@routes.post(f"{_BASE}/validate-token")
def validate_token() -> Response:
    """Is the link of the mail still good for the caller?"""
    world = cloud_only()
    who, row = caller(), _offered(world)
    good = row is not None and row["offeredToEmail"].lower() == who.row["email"]
    return answer({"isTokenValid": good, "isFreeFamilyPolicyEnabled": False})


@routes.post(f"{_BASE}/redeem")
def redeem() -> Response:
    """Use a sponsorship for a Families organization of one's own."""
    world = cloud_only()
    who, fields, row = caller(), body(), _offered(world)
    if not row or row["offeredToEmail"].lower() != who.row["email"]:
        raise bad_request("Failed to parse sponsorship token.")
    target = world.get("organization", guid(fields.get("sponsoredOrganizationId", "")))
    if not target or not who.owns(target["id"]):
        raise bad_request("Can only redeem sponsorship for an organization you own.")
    if views.tier(target) != 1:
        raise bad_request("Can only redeem sponsorship offer on families organizations.")
    if world.one("sponsorship", sponsoredOrganizationId=target["id"]):
        raise bad_request(
            "Cannot redeem a sponsorship offer for an organization that is already sponsored. Revoke existing sponsorship first."
        )
    accept(world, row, target)
    return empty()


def accept(world: World, row: Row, target: Row) -> None:
    """Put a sponsorship in force."""
    world.put("sponsorship", {**row, "sponsoredOrganizationId": target["id"], "validUntil": target["expirationDate"]})
