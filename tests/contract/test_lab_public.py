"""organization-admin section 8, and 12.1 item 14."""

from __future__ import annotations

import pytest

from tests.contract.organization import MANAGE, OTHER, UNKNOWN, VIEW, Organization, second, words
from tests.contract.public import Public, wrong
from tests.contract.speak import Http, refused
from tests.lab import Lab

NEW = "new@example.org"


def test_12_1_14_errors(public: Public) -> None:
    """Another shape, 404 without a body, and each token opens its own half only."""
    fields = {"Email": ["The Email field is required."]}
    wrong(public.ask("POST", "/members", {"type": 2}), 400, "The request's model state is invalid.", fields)
    for path in (f"/members/{UNKNOWN}", f"/groups/{UNKNOWN}", f"/collections/{UNKNOWN}", "/policies/1"):
        refused(public.ask("GET", path), 404, None)
    refused(public.organization.raw("GET", "/public/members"), 403, None)
    refused(public.http.get("selfhost:/accounts/profile", public.token), 403, None)
    refused(public.http.get("selfhost:/public/members"), 401, None)


def test_8_collections(public: Public) -> None:
    """Without names; external id and groups are replaced, absent groups stay."""
    organization = public.organization
    group = organization.group("IT")
    made = organization.collection("Servers", groups=[{"id": group, **VIEW}])
    shown = {"object": "collection", "id": made, "externalId": None}
    held = [{"id": group, "readOnly": True, "hidePasswords": False, "manage": False}]
    assert public.data("/collections") == [{**shown, "groups": held}]
    changed = public.done("PUT", f"/collections/{made}", {"externalId": "x"})
    assert changed == {**shown, "externalId": "x", "groups": held}
    assert public.done("PUT", f"/collections/{made}", {"groups": []})["externalId"] is None
    assert organization.access(made)[1] == {organization.id_of("owner@example.com"): "manage"}
    public.done("DELETE", f"/collections/{made}")
    assert public.data("/collections") == []
    assert organization.lab.rows("selfhost", "event", type=1302)[0]["systemUser"] == 3


def test_8_collections_in_the_oldest_release(lab: Lab, http: Http) -> None:
    """There the same call also takes all direct access away."""
    organization = Organization(lab, http, "2025.8.0")
    organization.reach_all()
    made = organization.collection("Servers")
    Public(organization).done("PUT", f"/collections/{made}", {"externalId": "x"})
    assert organization.access(made) == ({}, {})


def test_8_groups(public: Public) -> None:
    """With an external id, and members at an address of their own."""
    organization = public.organization
    collection, ann = organization.collection("Servers"), organization.id_of("ann@example.com")
    made = public.done("POST", "/groups", {"name": "IT", "externalId": "g1", "collections": [{"id": collection, **VIEW}]})
    assert (made["object"], made["externalId"], words(made["collections"])) == ("group", "g1", {collection: "readOnly"})
    public.done("PUT", f"/groups/{made['id']}/member-ids", {"memberIds": [ann, UNKNOWN]})
    assert public.done("GET", f"/groups/{made['id']}/member-ids") == [ann]
    changed = public.done("PUT", f"/groups/{made['id']}", {"name": "New"})
    assert (changed["externalId"], len(changed["collections"])) == (None, 1)
    assert public.done("PUT", f"/groups/{made['id']}", {"name": "New", "collections": []})["collections"] == []
    assert public.done("GET", f"/groups/{made['id']}/member-ids") == [ann]
    public.done("DELETE", f"/groups/{made['id']}")
    assert public.data("/groups") == []


def test_8_members(public: Public) -> None:
    """Invited one by one; what a change leaves out is taken away, except groups."""
    organization = public.organization
    collection, group = organization.collection("Servers"), organization.group("IT")
    body = {"email": "New@example.org", "type": 2, "externalId": "u1", "collections": [{"id": collection, **VIEW}]}
    made = public.done("POST", "/members", {**body, "groups": [group]})
    assert (made["object"], made["email"], made["status"], made["permissions"]) == ("member", NEW, 0, None)
    assert [mail.to for mail in organization.lab.mailbox()] == [NEW]
    wrong(public.ask("POST", "/members", body), 400, "This user has already been invited.")
    assert public.done("GET", f"/members/{made['id']}/group-ids") == [group]
    changed = public.done("PUT", f"/members/{made['id']}", {"type": 4, "permissions": {"manageGroups": True}})
    assert (changed["collections"], changed["externalId"]) == ([], None)
    assert public.done("PUT", f"/members/{made['id']}", {"type": 4})["permissions"]["manageGroups"] is True
    text = "Only users with the Custom role may use custom permissions."
    answer = public.ask("PUT", f"/members/{made['id']}", {"type": 2, "permissions": {}})
    wrong(answer, 400, "The request's model state is invalid.", {"Permissions": [text]})
    assert public.done("GET", f"/members/{made['id']}/group-ids") == [group]
    public.done("PUT", f"/members/{made['id']}/group-ids", {"groupIds": []})
    assert public.done("GET", f"/members/{made['id']}/group-ids") == []
    public.done("POST", f"/members/{made['id']}/reinvite")
    assert len(organization.lab.mailbox(NEW)) == 2
    ann = public.member("ann@example.com")["id"]
    wrong(public.ask("POST", f"/members/{ann}/reinvite"), 400, "User invalid.")
    public.done("DELETE", f"/members/{made['id']}")
    owner = public.member("owner@example.com")["id"]
    wrong(public.ask("DELETE", f"/members/{owner}"), 400, "Organization must have at least one confirmed owner.")


@pytest.mark.parametrize(
    ("release", "seats", "status"),
    [
        ("2025.8.0", "Cannot autoscale on self-hosted instance.", 404),
        ("2026.4.0", "Cannot auto scale self-host.", 200),
        ("2026.8.0", "Cannot auto scale self-host.", 200),
    ],
)
def test_8_members_by_release(lab: Lab, http: Http, release: str, seats: str, status: int) -> None:
    """The words about seats, and revoking, which came with 2026.2.0."""
    organization = Organization(lab, http, release)
    public = Public(organization)
    lab.set_organization("selfhost", organization.id, seats=3)
    wrong(public.ask("POST", "/members", {"email": NEW, "type": 2}), 400, seats)
    ann = public.member("ann@example.com")["id"]
    assert public.ask("POST", f"/members/{ann}/revoke").status_code == status
    assert public.ask("POST", f"/members/{ann}/restore").status_code == status
    if status == 200:
        wrong(public.ask("POST", f"/members/{ann}/restore"), 400, "Already active.")


@pytest.mark.parametrize("release", ["2025.8.0", "2026.4.0", "2026.8.0"])
def test_8_policies(lab: Lab, http: Http, release: str) -> None:
    """Flat on every release, with the same rules."""
    public = Public(Organization(lab, http, release))
    refused(public.ask("GET", "/policies/3"), 404, None)
    made = public.done("PUT", "/policies/3", {"enabled": True, "data": None})
    assert made == {"object": "policy", "id": made["id"], "type": 3, "enabled": True, "data": None}
    assert public.data("/policies") == [made]
    answer = public.ask("PUT", "/policies/1", {"enabled": True, "data": {"minLength": 1}})
    wrong(answer, 400, "Invalid data for MasterPassword policy: The field MinLength must be between 12 and 128.")


def test_8_policies_revoke_here_too(public: Public) -> None:
    """Everybody who does not comply."""
    public.done("PUT", "/policies/0", {"enabled": True})
    assert public.member("bob@example.com")["status"] == -1


def test_8_events(public: Public) -> None:
    """In a shape of their own, newest first."""
    made = public.done("POST", "/groups", {"name": "IT"})["id"]
    public.organization.group("Second")
    found = public.done("GET", "/events")
    assert [row["type"] for row in found["data"]] == [1400, 1400]
    assert found["continuationToken"] is None
    assert (found["data"][1]["groupId"], found["data"][1]["actingUserId"]) == (made, None)
    assert {"itemId", "memberId", "device"} <= set(found["data"][0])
    owner = public.organization.lab.people["owner"].user_id
    assert len(public.done("GET", f"/events?actingUserId={owner}")["data"]) == 1
    answer = public.ask("GET", "/events?start=2024-01-01&end=2026-01-01")
    wrong(answer, 400, "Date range must be < 367 days.")


def test_8_2_import(public: Public) -> None:
    """Members and groups by external id; an address that is there is adopted; groups are not, by name."""
    organization = public.organization
    organization.group("Dev")
    members = [{"email": "ANN@example.com", "externalId": "u1"}, {"email": NEW, "externalId": "u2"}]
    groups = [{"name": "Dev", "externalId": "g1", "memberExternalIds": ["u1", "u2", "nobody"]}]
    answer = public.directory(members, groups)
    assert (answer.status_code, answer.content) == (200, b"")
    ann, new = public.member("ann@example.com"), public.member(NEW)
    assert (ann["externalId"], new["externalId"], new["status"], new["type"]) == ("u1", "u2", 0, 2)
    rows = {row["externalId"]: row for row in public.data("/groups")}
    assert [row["name"] for row in rows.values()] == ["Dev", "Dev"]
    assert public.done("GET", f"/groups/{rows['g1']['id']}/member-ids") == [ann["id"], new["id"]]
    renamed = [{"name": "Development", "externalId": "g1", "memberExternalIds": ["u2"]}]
    assert public.directory([{"email": "ann@example.com", "externalId": "other"}], renamed).status_code == 200
    assert public.member("ann@example.com")["externalId"] == "u1"
    assert public.done("GET", f"/groups/{rows['g1']['id']}/member-ids") == [new["id"]]
    assert public.done("GET", f"/groups/{rows['g1']['id']}")["name"] == "Development"


def test_8_2_removals(lab: Lab, public: Public) -> None:
    """Deleted members go, owners stay; overwriting removes who is not listed but has an external id."""
    members = [{"email": "ann@example.com", "externalId": "u1"}, {"email": "owner@example.com", "externalId": "u0"}]
    public.directory([*members, {"email": "bob@example.com", "externalId": "u2"}])
    public.directory([{"externalId": "u1", "deleted": True}, {"externalId": "u0", "deleted": True}])
    assert set(public.organization.members()) == {"owner@example.com", "bob@example.com"}
    lab.set_user("selfhost", "bob@example.com", passwordHash=None)
    text = "Sync failed. To proceed, disable the 'Remove and re-add users during next sync' setting and try again."
    wrong(public.directory([], overwriteExisting=True), 400, text)
    lab.set_user("selfhost", "bob@example.com", passwordHash="x")
    assert public.directory([], overwriteExisting=True).status_code == 200
    assert set(public.organization.members()) == {"owner@example.com"}


def test_8_2_refusals(lab: Lab, public: Public) -> None:
    """Null arrays and duplicates break the server; plans and seats are told."""
    organization = public.organization
    unhandled = "An unhandled server error has occurred."
    wrong(public.ask("POST", "/organization/import", {"overwriteExisting": False, "members": []}), 500, unhandled)
    twice = [{"email": NEW, "externalId": "1"}, {"email": NEW, "externalId": "2"}]
    wrong(public.directory(twice), 500, unhandled)
    invalid = "The request's model state is invalid."
    text = "Email is required for enabled members."
    wrong(public.directory([{"externalId": "1"}]), 400, invalid, {"Members[0].Email": [text]})
    lab.set_organization("selfhost", organization.id, seats=3)
    wrong(public.directory(twice[:1]), 400, "Cannot autoscale on self-hosted instance.")
    lab.set_organization("selfhost", organization.id, seats=9, useGroups=False)
    groups = [{"name": "Dev", "externalId": "g1", "memberExternalIds": []}]
    wrong(public.directory(twice[:1], groups), 400, "Organization cannot use groups.")
    assert public.member(NEW)["status"] == 0
    lab.set_organization("selfhost", organization.id, useDirectory=False)
    wrong(public.directory([]), 400, "Organization cannot use directory syncing.")


def test_8_foreign_rows_are_404(lab: Lab, public: Public) -> None:
    """Of another organization."""
    second(lab, "ann@example.com")
    refused(public.ask("GET", f"/members/{UNKNOWN}"), 404, None)
    lab.put_row("selfhost", "group", id=OTHER, organizationId=OTHER, name="x", externalId=None)
    refused(public.ask("DELETE", f"/groups/{OTHER}"), 404, None)
    made = public.organization.collection("x")
    body = {"type": 2, "collections": [{"id": made, **VIEW, **MANAGE}]}
    answer = public.ask("PUT", f"/members/{public.member('bob@example.com')['id']}", body)
    assert answer.json()["message"].startswith("The Manage property is mutually exclusive")


def test_8_members_are_listed_without_their_collections(public: Public) -> None:
    """Only a member of his own is shown with them."""
    ann = public.member("ann@example.com")
    assert ann["collections"] is None
    assert public.done("GET", f"/members/{ann['id']}")["collections"] == []


def test_8_subscription(public: Public, lab: Lab, http: Http) -> None:
    """Clouds tell it, servers do not."""
    wrong(public.ask("GET", "/organization/subscription"), 400, "Only allowed when not self hosted.")
    key = lab.rows("eu", "organization_api_key", organizationId=lab.facts["cloud_organization_id"], type=0)[0]
    about = {
        "grant_type": "client_credentials",
        "client_id": f"organization.{key['organizationId']}",
        "client_secret": key["apiKey"],
    }
    token = http.grant("eu", **about, scope="api.organization").json()["access_token"]
    found = http.get("eu:/public/organization/subscription", token).json()
    assert set(found) == {"passwordManager", "secretsManager"}
    assert found["passwordManager"]["seats"] == lab.rows("eu", "organization", id=key["organizationId"])[0]["seats"]
