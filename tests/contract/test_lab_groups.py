"""organization-admin section 3, and 12.1 items 1 and 5 for groups."""

from __future__ import annotations

import pytest

from tests.contract.organization import CRASH, MANAGE, NOT_FOUND, OTHER, UNKNOWN, VIEW, Organization, words
from tests.contract.speak import Http, invalid, refused
from tests.lab import Lab


def test_3_create_and_read(organization: Organization) -> None:
    """Members are read elsewhere; the external id is nothing for this API; unknown members are left out."""
    ann, collection = organization.id_of("ann@example.com"), organization.collection("Servers")
    body = {"name": "IT", "externalId": "x", "collections": [{"id": collection, **VIEW}], "users": [ann, UNKNOWN]}
    made = organization.done("POST", "/groups", body)
    shown = {"object": "group", "id": made["id"], "organizationId": organization.id, "name": "IT", "externalId": None}
    assert made == shown
    held = [{"id": collection, "readOnly": True, "hidePasswords": False, "manage": False}]
    details = {**shown, "object": "groupDetails", "collections": held}
    assert organization.data("/groups") == [shown]
    assert organization.data("/groups/details") == [details]
    assert organization.done("GET", f"/groups/{made['id']}") == shown
    assert organization.done("GET", f"/groups/{made['id']}/details") == details
    assert organization.done("GET", f"/groups/{made['id']}/users") == [ann]
    assert organization.member("ann@example.com")["groups"] == [made["id"]]
    assert organization.events(1400, 1504) == [1504, 1400]


def test_3_names_are_not_unique(organization: Organization) -> None:
    """But there must be one, of at most 100 characters."""
    assert organization.group("IT") != organization.group("IT")
    invalid(organization.ask("POST", "/groups", {"name": ""}), "Name", "The Name field is required.")
    text = "The field Name must be a string with a maximum length of 100."
    invalid(organization.ask("POST", "/groups", {"name": "x" * 101}), "Name", text)


def test_12_1_5_null_arrays(organization: Organization) -> None:
    """Collections null is a 500; members null keeps only where admins reach everything."""
    ann = organization.id_of("ann@example.com")
    group = organization.group("IT", users=[ann])
    body = {"name": "IT", "users": [ann]}
    refused(organization.ask("PUT", f"/groups/{group}", body), 500, CRASH)
    refused(organization.ask("PUT", f"/groups/{group}", {"name": "IT", "collections": []}), 500, CRASH)
    organization.reach_all()
    refused(organization.ask("PUT", f"/groups/{group}", body), 500, CRASH)
    assert organization.done("PUT", f"/groups/{group}", {"name": "New", "collections": []})["name"] == "New"
    assert organization.done("GET", f"/groups/{group}/users") == [ann]
    organization.done("PUT", f"/groups/{group}", {"name": "New", "collections": [], "users": []})
    assert organization.done("GET", f"/groups/{group}/users") == []


def test_3_update_replaces(organization: Organization) -> None:
    """Name, collections and members; unknown ids are 404, and who may not change a collection keeps it."""
    ann = organization.id_of("ann@example.com")
    secret = organization.collection("Secret", users=[{"id": ann, **MANAGE}])
    mine = organization.collection("Mine")
    group = organization.group("IT", collections=[{"id": mine, **VIEW}])
    organization.done("PUT", f"/collections/{secret}", {"users": [{"id": ann, **MANAGE}], "groups": [{"id": group}]}, "ann")
    organization.done("PUT", f"/groups/{group}", {"name": "IT", "users": [ann], "collections": []})
    assert words(organization.done("GET", f"/groups/{group}/details")["collections"]) == {secret: ""}
    for wrong in ({"collections": [{"id": UNKNOWN}]}, {"users": [UNKNOWN]}, {"collections": [{"id": secret, **VIEW}]}):
        body = {"name": "IT", "users": [], "collections": [], **wrong}
        refused(organization.ask("PUT", f"/groups/{group}", body), 404, NOT_FOUND)
    assert organization.done("GET", f"/groups/{group}/users") == [ann]
    refused(organization.ask("PUT", f"/groups/{UNKNOWN}", {"name": "x", "collections": [], "users": []}), 404, NOT_FOUND)


def test_3_add_yourself(organization: Organization) -> None:
    """Only where admins reach everything; who is already in stays."""
    owner = organization.id_of("owner@example.com")
    group = organization.group("IT")
    body = {"name": "IT", "collections": [], "users": [owner]}
    refused(organization.ask("PUT", f"/groups/{group}", body), 400, "You cannot add yourself to groups.")
    organization.reach_all()
    assert organization.ask("PUT", f"/groups/{group}", body).status_code == 200
    organization.settings()
    assert organization.ask("PUT", f"/groups/{group}", body).status_code == 200


def test_3_manage_is_exclusive(organization: Organization) -> None:
    """Here, too; rights on every listed collection are demanded."""
    collection = organization.collection("Servers")
    body = {"name": "IT", "collections": [{"id": collection, **VIEW, **MANAGE}], "users": []}
    assert organization.ask("POST", "/groups", body).json()["message"].startswith("The Manage property is mutually exclusive")
    secret = organization.collection("Secret", users=[{"id": organization.id_of("ann@example.com"), **MANAGE}])
    for unreachable in (secret, UNKNOWN):
        refused(organization.ask("POST", "/groups", {"name": "x", "collections": [{"id": unreachable}]}), 404, NOT_FOUND)


def test_3_delete(organization: Organization) -> None:
    """One, several, and one member out of one; unknown ids do not matter, foreign ones do."""
    ann = organization.id_of("ann@example.com")
    groups = [organization.group(name, users=[ann]) for name in ("A", "B", "C")]
    organization.done("DELETE", f"/groups/{groups[2]}/user/{ann}")
    assert organization.done("GET", f"/groups/{groups[2]}/users") == []
    organization.lab.put_row("selfhost", "group", id=OTHER, organizationId=UNKNOWN, name="x", externalId=None)
    refused(organization.ask("DELETE", "/groups", {"ids": [groups[0], OTHER]}), 404, NOT_FOUND)
    organization.done("DELETE", "/groups", {"ids": [groups[0], UNKNOWN]})
    organization.done("POST", f"/groups/{groups[1]}/delete")
    assert [row["id"] for row in organization.data("/groups")] == [groups[2]]
    assert organization.member("ann@example.com")["groups"] == []


def test_3_plans_without_groups(organization: Organization) -> None:
    """Reading still works."""
    organization.lab.set_organization("selfhost", organization.id, useGroups=False)
    body = {"name": "x", "collections": [], "users": []}
    refused(organization.ask("POST", "/groups", body), 400, "This organization cannot use groups.")
    assert organization.data("/groups") == []


def test_12_1_1_no_permission_is_403(organization: Organization) -> None:
    """Without a body; the short list is for everybody who creates collections."""
    group = organization.group("IT")
    for method, path in (("GET", f"/groups/{group}"), ("GET", "/groups/details"), ("DELETE", f"/groups/{group}")):
        refused(organization.ask(method, path, label="ann"), 403, None)
    refused(organization.ask("POST", "/groups", {"name": "x"}, "ann"), 403, None)
    assert len(organization.data("/groups", "ann")) == 1
    organization.settings(limitCollectionCreation=True)
    refused(organization.ask("GET", "/groups", label="ann"), 403, None)


@pytest.mark.parametrize("permission", ["manageGroups", "manageUsers"])
def test_3_custom_permissions(lab: Lab, http: Http, organization: Organization, permission: str) -> None:
    """One for writing, either for the details."""
    lab.set_member("ann@example.com", type=4, permissions={permission: True})
    assert organization.ask("GET", "/groups/details", label="ann").status_code == 200
    writes = organization.ask("POST", "/groups", {"name": "x", "collections": [], "users": []}, "ann")
    assert writes.status_code == (200 if permission == "manageGroups" else 403)


def test_8_provider_users_and_null_members(lab: Lab, http: Http) -> None:
    """For them null keeps the members on every setting."""
    lab.reset(scenario="msp")
    where, token = f"eu:/organizations/{lab.facts['alpha_organization_id']}/groups", http.token("service_user")
    member = http.get(where.replace("/groups", "/users"), token).json()["data"][0]["id"]
    group = http.post(where, token, {"name": "IT", "users": [member], "collections": []}).json()["id"]
    assert http("PUT", f"{where}/{group}", token, json={"name": "New", "collections": []}).status_code == 200
    assert http.get(f"{where}/{group}/users", token).json() == [member]
