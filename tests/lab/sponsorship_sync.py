"""How sponsorships travel from a self-hosted server to the cloud and back.

Source: bitwarden/server SelfHostedSyncSponsorshipsCommand.cs, CloudSyncSponsorshipsCommand.cs.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response

from tests.lab import views
from tests.lab.cloud import check_sync_key
from tests.lab.connections import sync_config
from tests.lab.core import Refusal, World, bad_request, crash, iso
from tests.lab.sponsorships import SYNCED, new_sponsorship, send_offer
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, calling_machine, cloud_only

routes = Blueprint("sponsorship_sync", __name__)

_CHUNK = 1000


@routes.post("/organization/sponsorship/sync")
def receive() -> Response:
    """The cloud's side: take over what is new, forget what is to be deleted, tell what is redeemed."""
    world = cloud_only()
    calling_machine("api.installation")
    fields = body()
    row = world.get("organization", str(fields.get("sponsoringOrganizationCloudId")).lower())
    if not row:
        raise bad_request("Invalid organization")
    check_sync_key(world, row, fields.get("billingSyncKey"))
    batch = fields.get("sponsorshipsBatch")
    if batch is None:
        raise crash()
    synced = [_received(world, row, Fields(entry)) for entry in batch]
    now = iso(world.now())
    world.put("event", {"id": str(uuid.uuid4()), "type": 1608, "organizationId": row["id"], "date": now})
    return answer({"sponsorshipsBatch": synced})


def _received(world: World, organization: Row, entry: Fields) -> Row:
    sent = {name: entry.get(name) for name in SYNCED}
    member_id = sent["sponsoringOrganizationUserId"]
    held = world.one("sponsorship", sponsoringOrganizationId=organization["id"], sponsoringOrganizationUserId=member_id)
    refused = views.tier(organization) != views.ENTERPRISE
    if held is None and not refused and not sent["toDelete"]:
        held = {"id": str(uuid.uuid4()), **new_sponsorship(organization["id"], member_id), **sent}
        send_offer(world, held)
    removed = held is None or refused or (sent["toDelete"] and not held["sponsoredOrganizationId"])
    if held is not None and removed:
        world.delete("sponsorship", held["id"])
    elif held is not None:
        held = world.put("sponsorship", {**held, "toDelete": bool(sent["toDelete"]), "lastSyncDate": iso(world.now())})
    told = {name: (held or sent)[name] for name in SYNCED}
    return {**told, "lastSyncDate": iso(world.now()), "cloudSponsorshipRemoved": bool(removed), "isAdminInitiated": False}


def send(world: World, organization_id: str) -> str:
    """The self-hosted side: what the daily job and the portal's button do. Returns the text that the portal shows."""
    connection = world.one("connection", organizationId=organization_id, type=1, enabled=True)
    if not connection:
        return ""
    try:
        _send(world, organization_id, connection)
    except Refusal as refusal:
        return str(refusal.message)
    return "Billing Synced!"


def _send(world: World, organization_id: str, connection: Row) -> None:
    selfhost = world.core.selfhost
    if not selfhost.flag("enableCloudCommunication"):
        raise bad_request("Failed to sync instance with cloud - Cloud communication is disabled in global settings")
    config = sync_config(connection)
    offers = world.find("sponsorship", sponsoringOrganizationId=organization_id)
    if not offers:
        selfhost.log.append(f"No existing sponsorships to sync for organization {organization_id}")
        return
    by_member = {}
    for offer in offers:
        member_id = offer["sponsoringOrganizationUserId"]
        if member_id in by_member:
            raise bad_request(f"An item with the same key has already been added. Key: {member_id}")
        by_member[member_id] = offer
    for start in range(0, len(offers), _CHUNK):
        batch = [{name: offer[name] for name in SYNCED} for offer in offers[start : start + _CHUNK]]
        keys = {"billingSyncKey": config["BillingSyncKey"], "sponsoringOrganizationCloudId": config["CloudOrganizationId"]}
        path = "organization/sponsorship/sync"
        found = selfhost.ask_cloud("POST", path, "api.installation", {**keys, "sponsorshipsBatch": batch})
        if found is None:
            raise bad_request("Organization sync failed")
        for entry in found["sponsorshipsBatch"]:
            _store(world, by_member[entry["sponsoringOrganizationUserId"]], entry)


def _store(world: World, offer: Row, entry: Row) -> None:
    if entry["cloudSponsorshipRemoved"]:
        world.delete("sponsorship", offer["id"])
    else:
        world.put("sponsorship", {**offer, **{name: entry[name] for name in ("lastSyncDate", "validUntil", "toDelete")}})
