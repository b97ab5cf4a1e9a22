"""licensing-and-billing-sync, checklist item 8 and section 5."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.speak import Answer, Http, invalid, refused
from tests.lab import Lab

BASE = "/organization/sponsorship"


def offer(lab: Lab, http: Http, email: str = "family@example.org", label: str = "ann", **fields: t.Any) -> Answer:
    """Offer a sponsorship at the self-hosted server."""
    body = {"planSponsorshipType": 0, "sponsoredEmail": email, "friendlyName": email, "isAdminInitiated": False, "notes": None}
    where = f"selfhost:{BASE}/self-hosted/{lab.facts['organization_id']}/families-for-enterprise"
    return http.post(where, http.token(label), {**body, **fields})


def entry(lab: Lab, http: Http, label: str = "ann") -> dict[str, t.Any]:
    """What a member's profile says of his sponsorship."""
    found: dict[str, t.Any] = http.get("selfhost:/organizations", http.token(label)).json()["data"][0]
    return {name.removeprefix("familySponsorship"): value for name, value in found.items() if name.startswith("family")}


def test_5_1_to_5_5_the_whole_life_of_a_sponsorship(lab: Lab, http: Http) -> None:
    """Requested, sent, redeemed, active, removal requested, gone."""
    http.connect()
    assert (answer := offer(lab, http)).status_code == 200
    assert answer.content == b""
    assert lab.mailbox("family@example.org") == [], "nothing leaves the server before the sync"
    assert entry(lab, http) == {
        "FriendlyName": "family@example.org",
        "Available": False,
        "LastSyncDate": None,
        "ValidUntil": None,
        "ToDelete": False,
    }
    assert lab.run_sponsorship_sync() == "Billing Synced!"
    mail = lab.mailbox("family@example.org")[-1]
    assert entry(lab, http)["LastSyncDate"] is not None
    assert lab.rows("eu", "event")[0]["type"] == 1608

    token = http.token("family")
    check = http.post(f"eu:{BASE}/validate-token", token, params={"sponsorshipToken": mail.token})
    assert check.json() == {"isTokenValid": True, "isFreeFamilyPolicyEnabled": False}
    body = {"planSponsorshipType": 0, "sponsoredOrganizationId": lab.facts["families_organization_id"]}
    redeemed = http.post(f"eu:{BASE}/redeem", token, body, params={"sponsorshipToken": mail.token})
    assert redeemed.status_code == 200, redeemed.text
    assert entry(lab, http)["ValidUntil"] is None
    lab.run_sponsorship_sync()
    assert entry(lab, http)["ValidUntil"] is not None

    http("DELETE", f"selfhost:{BASE}/self-hosted/{lab.facts['organization_id']}", http.token("ann"))
    assert entry(lab, http)["ToDelete"] is True
    lab.run_sponsorship_sync()
    assert lab.rows("eu", "sponsorship")[0]["toDelete"] is True, "redeemed: it ends with its date"


def test_5_2_revoked_before_any_sync_is_gone_at_once(lab: Lab, http: Http) -> None:
    """And revoked before it was redeemed it is gone with the next sync."""
    http.connect()
    own = f"selfhost:{BASE}/self-hosted/{lab.facts['organization_id']}"
    offer(lab, http)
    assert http("DELETE", own, http.token("ann")).status_code == 200
    assert lab.rows("selfhost", "sponsorship") == []
    refused(http("DELETE", own, http.token("ann")), 400, "You are not currently sponsoring an organization.")
    offer(lab, http)
    lab.run_sponsorship_sync()
    http.post(f"{own}/delete", http.token("ann"))
    lab.run_sponsorship_sync()
    assert (lab.rows("selfhost", "sponsorship"), lab.rows("eu", "sponsorship")) == ([], [])


def test_5_1_the_same_friendly_name_creates_nothing(lab: Lab, http: Http) -> None:
    """Also across members."""
    offer(lab, http)
    assert offer(lab, http, label="bob").status_code == 200
    assert len(lab.rows("selfhost", "sponsorship")) == 1


def test_5_1_refusals(lab: Lab, http: Http) -> None:
    """Own address, bad address, plan, unconfirmed, unknown."""
    organization = lab.facts["organization_id"]
    own = "Cannot offer a Families Organization Sponsorship to yourself. Choose a different email."
    refused(offer(lab, http, "ann@example.com"), 400, own)
    invalid(offer(lab, http, ""), "SponsoredEmail", "The SponsoredEmail field is required.")
    lab.set_organization("selfhost", organization, planType=18)
    refused(offer(lab, http), 400, "Specified Organization cannot sponsor other organizations.")
    lab.set_organization("selfhost", organization, planType=20)
    lab.set_member("ann@example.com", status=1)
    refused(offer(lab, http), 400, "Only confirmed users can sponsor other organizations.")
    lab.delete_row("selfhost", "member", lab.rows("selfhost", "member", email="ann@example.com")[0]["id"])
    assert offer(lab, http).status_code == 500


def test_5_1_admin_initiated(lab: Lab, http: Http) -> None:
    """Needs the right and the ability; listed for managers only, and takes a seat."""
    organization = lab.facts["organization_id"]
    base = f"selfhost:{BASE}/self-hosted/{organization}"
    refused(offer(lab, http, isAdminInitiated=True), 401, "Unauthorized.")
    assert offer(lab, http, label="owner", isAdminInitiated=True).status_code == 200
    found = http.get(f"{base}/sponsored", http.token("owner")).json()["data"]
    assert [row["friendlyName"] for row in found] == ["family@example.org"]
    assert set(found[0]) >= {"offeredToEmail", "lastSyncDate", "validUntil", "toDelete", "isAdminInitiated", "notes"}
    refused(http.get(f"{base}/sponsored", http.token("ann")), 401, "Unauthorized.")
    refused(http("DELETE", f"{base}/family@example.org/revoke", http.token("ann")), 403, None)
    assert http.upload(lab.cloud_license(seats=3), organization).status_code == 400
    assert http("DELETE", f"{base}/family@example.org/revoke", http.token("owner")).status_code == 200
    text = "The specified sponsored organization could not be found under the given sponsoring organization."
    refused(http("DELETE", f"{base}/family@example.org/revoke", http.token("owner")), 400, text)
    lab.set_organization("selfhost", organization, useAdminSponsoredFamilies=False)
    text = "Sponsoring organization cannot send admin-initiated sponsorship invitations"
    refused(offer(lab, http, label="owner", isAdminInitiated=True), 400, text)


def test_10_8_an_empty_table_asks_nothing_of_the_cloud(lab: Lab, http: Http) -> None:
    """So a wrong key is not noticed."""
    http.connect("x" * 30)
    lab.clear_requests()
    assert lab.run_sponsorship_sync() == "Billing Synced!"
    assert lab.requests() == []
    assert "No existing sponsorships to sync" in lab.server_log()[-1]
    status = http.get(f"selfhost:{BASE}/{lab.facts['organization_id']}/sync-status", http.token("owner")).json()
    assert status == {"lastSyncDate": None, "object": "syncStatus"}


def test_5_4_failures_of_the_sync(lab: Lab, http: Http) -> None:
    """No connection, wrong key, cloud communication off, the duplicate-key defect."""
    offer(lab, http)
    assert lab.run_sponsorship_sync() == ""
    http.connect("x" * 30)
    assert lab.run_sponsorship_sync() == "Organization sync failed"
    assert any("500-InternalServerError" in line for line in lab.server_log()), "no key was ever generated"
    http.sync_key()
    assert lab.run_sponsorship_sync() == "Organization sync failed"
    assert any("Invalid Billing Sync Key" in line for line in lab.server_log())
    for number in (1, 2):
        offer(lab, http, f"family{number}@example.org", "owner", isAdminInitiated=True)
    assert lab.run_sponsorship_sync().startswith("An item with the same key has already been added. Key: ")
    lab.change_settings({"globalSettings__enableCloudCommunication": "false"})
    assert lab.run_sponsorship_sync().endswith("Cloud communication is disabled in global settings")


def test_5_4_receiver(lab: Lab, http: Http) -> None:
    """An empty batch is legal; each mistake has its own answer."""
    where, token = f"eu:{BASE}/sync", http.installation_token("api.installation")
    organization = {"sponsoringOrganizationCloudId": lab.facts["cloud_organization_id"]}
    refused(http.post(where, token, {"sponsoringOrganizationCloudId": lab.facts["organization_id"]}), 400, "Invalid organization")
    key = {"billingSyncKey": http.sync_key()}
    assert http.post(where, token, {**key, **organization, "sponsorshipsBatch": []}).json() == {"sponsorshipsBatch": []}
    assert http.post(where, token, {**key, **organization}).status_code == 500
    bad = {**organization, "billingSyncKey": "x", "sponsorshipsBatch": []}
    refused(http.post(where, token, bad), 400, "Invalid Billing Sync Key")


def test_5_5_sync_status_needs_the_owner(lab: Lab, http: Http) -> None:
    """On both sides."""
    refused(
        http.get(f"selfhost:{BASE}/{lab.facts['organization_id']}/sync-status", http.token("ann")), 404, "Resource not found."
    )
    status = http.get(f"eu:{BASE}/{lab.facts['cloud_organization_id']}/sync-status", http.token("cloud_owner"))
    assert status.json()["lastSyncDate"] is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"planType": 18}, "Can only redeem sponsorship offer on families organizations."),
        ({}, "Failed to parse sponsorship token."),
    ],
)
def test_5_6_redeem_refusals(lab: Lab, http: Http, change: dict[str, t.Any], text: str) -> None:
    """The plan of the sponsored organization, and a token that does not exist."""
    where = f"eu:{BASE}/{lab.facts['cloud_organization_id']}/families-for-enterprise"
    http.post(where, http.token("cloud_owner"), {"sponsoredEmail": "family@example.org", "friendlyName": "family"})
    token = lab.mailbox("family@example.org")[-1].token if change else "x"
    lab.set_organization("eu", lab.facts["families_organization_id"], **change)
    body = {"planSponsorshipType": 0, "sponsoredOrganizationId": lab.facts["families_organization_id"]}
    answer = http.post(f"eu:{BASE}/redeem", http.token("family"), body, params={"sponsorshipToken": token})
    refused(answer, 400, text)
