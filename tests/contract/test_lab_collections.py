"""organization-admin 12.1 items 6 and 7, and sections 1.2 and 2."""

from __future__ import annotations

import pytest

from tests.contract.organization import MANAGE, NOT_FOUND, OTHER, UNKNOWN, VIEW, Organization
from tests.contract.speak import Http, invalid, refused
from tests.lab import Lab

ONE_MANAGES = "At least one member or group must have can manage permission."
EXCLUSIVE = "The Manage property is mutually exclusive and cannot be true"
EXCLUSIVE += " while the ReadOnly or HidePasswords properties are also true."


def test_1_2_an_omitted_setting_is_false(organization: Organization) -> None:
    """One event per change."""
    first = organization.done("PUT", "/collection-management", {"limitItemDeletion": True, "LimitCollectionCreation": True})
    assert (first["limitItemDeletion"], first["limitCollectionCreation"]) == (True, True)
    second = organization.done("PUT", "/collection-management", {"limitItemDeletion": True})
    assert second["limitCollectionCreation"] is False
    assert organization.events() == [1610, 1614, 1611]
    refused(organization.ask("PUT", "/collection-management", {}, "ann"), 404, NOT_FOUND)


def test_2_2_create_and_read(organization: Organization) -> None:
    """A collection with access, as all its readers see it."""
    owner, group = organization.id_of("owner@example.com"), organization.group("IT")
    name = organization.encrypted("Servers")
    access = {"groups": [{"id": group, **VIEW}], "users": [{"id": owner, **MANAGE}]}
    made = organization.done("POST", "/collections", {"name": name, "externalId": "x", **access})
    assert made["object"] == "collectionAccessDetails"
    assert (made["assigned"], made["manage"], made["unmanaged"], made["type"]) == (True, True, False, 0)
    assert organization.access(made["id"]) == ({group: "readOnly"}, {owner: "manage"})
    entry = {"id": made["id"], "organizationId": organization.id, "name": name, "externalId": "x", "type": 0}
    shown = {"object": "collection", **entry, "defaultUserCollectionEmail": None}
    assert organization.data("/collections") == [shown]
    assert organization.done("GET", f"/collections/{made['id']}") == shown
    assert [row["id"] for row in organization.data("/collections/details")] == [made["id"]]
    everything = {"readOnly": False, "hidePasswords": False, "manage": True}
    assert organization.done("GET", f"/collections/{made['id']}/users") == [{"id": owner, **everything}]
    mine = organization.raw("GET", "/collections").json()["data"]
    assert mine == [{**shown, "object": "collectionDetails", **everything}]
    assert organization.events(1300) == [1300]


@pytest.mark.parametrize("name", [None, "", "plain", "2.AAAA", "2." + "A" * 1000 + "|AAAA|AAAA"])
def test_2_2_name_must_be_ciphertext(organization: Organization, name: str | None) -> None:
    """Present, of the right shape, and no longer than 1000 characters."""
    texts = {
        "plain": "Name is not a valid encrypted string.",
        "2.AAAA": "Name is not a valid encrypted string.",
    }
    text = "The Name field is required." if not name else texts.get(name)
    text = text or "The field Name exceeds the maximum encrypted value length of 1000 characters."
    invalid(organization.ask("POST", "/collections", {"name": name}), "Name", text)


def test_12_1_6_somebody_must_manage(organization: Organization) -> None:
    """Unless admins reach everything; manage goes with nothing else."""
    owner, name = organization.id_of("owner@example.com"), organization.encrypted("Servers")
    body = {"name": name, "users": [{"id": owner, **VIEW}]}
    refused(organization.ask("POST", "/collections", body), 400, ONE_MANAGES)
    group = organization.group("IT")
    both = {"name": name, "groups": [{"id": group, **VIEW, **MANAGE}]}
    refused(organization.ask("POST", "/collections", both), 400, EXCLUSIVE)
    organization.reach_all()
    assert organization.ask("POST", "/collections", body).status_code == 200


def test_12_1_6_update_by_release(organizations: Organization) -> None:
    """Null keeps since 2025.12.2 and clears before; the name may be left out since 2025.8.1; the external id is always reset."""
    organizations.reach_all()
    group, owner = organizations.group("IT"), organizations.id_of("owner@example.com")
    made = organizations.collection("Servers", externalId="x", groups=[{"id": group, **VIEW}])
    name = organizations.encrypted("Renamed")
    old = organizations.done("GET", f"/collections/{made}")["name"]
    answer = organizations.ask("PUT", f"/collections/{made}", {})
    oldest = organizations.http.get("selfhost:/version").json() == "2025.8.0"
    if oldest:
        invalid(answer, "Name", "The Name field is required.")
    else:
        assert (answer.json()["name"], answer.json()["externalId"]) == (old, None)
        assert organizations.access(made) == ({group: "readOnly"}, {owner: "manage"})
    kept = organizations.done("PUT", f"/collections/{made}", {"name": name})
    assert (kept["name"], kept["externalId"]) == (name, None)
    assert organizations.access(made) == (({}, {}) if oldest else ({group: "readOnly"}, {owner: "manage"}))
    organizations.done("PUT", f"/collections/{made}", {"name": name, "groups": [], "users": []})
    assert organizations.access(made) == ({}, {})
    assert organizations.done("GET", f"/collections/{made}/details")["unmanaged"] is True


def test_2_4_owners_without_manage(lab: Lab, organization: Organization) -> None:
    """Where admins do not reach everything, an owner changes what he manages and what nobody does."""
    ann = organization.id_of("ann@example.com")
    made = organization.collection("Secret", users=[{"id": ann, **MANAGE}])
    body = {"name": organization.encrypted("Mine"), "users": [{"id": ann, **MANAGE}]}
    refused(organization.ask("PUT", f"/collections/{made}", body), 404, NOT_FOUND)
    refused(organization.ask("DELETE", f"/collections/{made}"), 404, NOT_FOUND)
    assert organization.ask("PUT", f"/collections/{made}", body, "ann").status_code == 200
    lab.delete_row("selfhost", "access", f"{made}/{ann}")
    assert organization.ask("PUT", f"/collections/{made}", body).status_code == 200
    lab.delete_row("selfhost", "access", f"{made}/{ann}")
    assert organization.ask("DELETE", f"/collections/{made}").status_code == 200


def test_2_4_members(organization: Organization) -> None:
    """Members see what they manage, and create unless that is limited."""
    ann = organization.id_of("ann@example.com")
    mine = organization.collection("Mine", users=[{"id": ann, **MANAGE}])
    seen = organization.collection("Seen", users=[{"id": ann, **VIEW}, {"id": organization.id_of("owner@example.com"), **MANAGE}])
    assert [row["id"] for row in organization.data("/collections", "ann")] == [mine]
    assert [row["id"] for row in organization.data("/collections/details", "ann")] == [mine]
    refused(organization.ask("GET", f"/collections/{seen}", label="ann"), 404, NOT_FOUND)
    body = {"name": organization.encrypted("New"), "users": [{"id": ann, **MANAGE}]}
    assert organization.ask("POST", "/collections", body, "ann").status_code == 200
    organization.settings(limitCollectionCreation=True, limitCollectionDeletion=True)
    refused(organization.ask("POST", "/collections", body, "ann"), 404, NOT_FOUND)
    refused(organization.ask("DELETE", f"/collections/{mine}", label="ann"), 404, NOT_FOUND)
    organization.settings()
    assert organization.ask("DELETE", f"/collections/{mine}", label="ann").status_code == 200


def test_2_1_access_through_groups(organization: Organization) -> None:
    """The most that any way allows."""
    owner = organization.id_of("owner@example.com")
    ann, group = organization.id_of("ann@example.com"), organization.group("IT")
    users = [{"id": ann, "readOnly": True, "hidePasswords": True}, {"id": owner, **MANAGE}]
    made = organization.collection("Servers", users=users, groups=[{"id": group, "readOnly": True}])
    organization.done("PUT", f"/groups/{group}", {"name": "IT", "users": [ann], "collections": [{"id": made, **VIEW}]})
    mine = organization.raw("GET", "/collections", label="ann").json()["data"]
    assert [(row["readOnly"], row["hidePasswords"], row["manage"]) for row in mine] == [(True, False, False)]


def test_12_1_7_bulk_access_merges(organization: Organization) -> None:
    """Adds and overwrites, removes nothing; ids that do not belong are named."""
    organization.reach_all()
    owner, ann, group = organization.id_of("owner@example.com"), organization.id_of("ann@example.com"), organization.group("IT")
    made = [organization.collection(name) for name in ("A", "B")]
    body = {"collectionIds": made, "users": [{"id": ann, **VIEW}], "groups": [{"id": group, **MANAGE}]}
    answer = organization.ask("POST", "/collections/bulk-access", body)
    assert (answer.status_code, answer.content) == (200, b"")
    organization.done("POST", "/collections/bulk-access", {"collectionIds": made, "users": [{"id": ann}], "groups": []})
    assert organization.access(made[0]) == ({group: "manage"}, {owner: "manage", ann: ""})
    unknown = {"collectionIds": [*made, UNKNOWN], "users": [], "groups": []}
    refused(organization.ask("POST", "/collections/bulk-access", unknown), 404, NOT_FOUND)
    nobody = {"collectionIds": made, "users": [{"id": UNKNOWN}], "groups": []}
    refused(organization.ask("POST", "/collections/bulk-access", nobody), 400, "One or more users do not exist.")
    organization.lab.put_row("selfhost", "group", id=OTHER, organizationId=UNKNOWN, name="x", externalId=None)
    foreign = {"collectionIds": made, "users": [], "groups": [{"id": OTHER}]}
    text = "One or more groups do not belong to the same organization as the collection being assigned."
    refused(organization.ask("POST", "/collections/bulk-access", foreign), 400, text)


def test_2_1_delete_many(organization: Organization) -> None:
    """Unknown ids do not matter unless all are unknown; ids of two organizations are refused."""
    made = [organization.collection(name) for name in ("A", "B", "C")]
    refused(organization.ask("DELETE", "/collections", {"ids": [UNKNOWN]}), 404, NOT_FOUND)
    foreign = organization.lab.put_row("selfhost", "collection", id=OTHER, organizationId=UNKNOWN, name="x", type=0)["id"]
    text = "Requested collections must belong to the same organization."
    refused(organization.ask("DELETE", "/collections", {"ids": [made[0], foreign]}), 400, text)
    assert organization.ask("POST", "/collections/delete", {"ids": [made[0], UNKNOWN, made[1]]}).content == b""
    assert [row["id"] for row in organization.data("/collections")] == [made[2]]
    assert organization.events(1302) == [1302, 1302]


def test_2_3_default_collections(organization: Organization) -> None:
    """Nobody creates, changes, deletes or assigns them, and lists leave them out."""
    owner = organization.id_of("owner@example.com")
    lab = organization.lab
    row = lab.put_row("selfhost", "collection", id=OTHER, organizationId=organization.id, name="2.AAAA|AAAA|AAAA", type=1)
    lab.give_access("selfhost", OTHER, owner, manage=True)
    body = {"name": organization.encrypted("x"), "users": [{"id": owner, **MANAGE}], "groups": []}
    wrong = "a collection with the type as DefaultUserCollection."
    refused(organization.ask("PUT", f"/collections/{row['id']}", body), 400, f"You cannot edit {wrong}")
    refused(organization.ask("DELETE", f"/collections/{row['id']}"), 400, f"You cannot delete {wrong}")
    bulk = {"collectionIds": [OTHER], "users": [{"id": owner}], "groups": []}
    text = "You cannot add access to collections with the type as DefaultUserCollection."
    refused(organization.ask("POST", "/collections/bulk-access", bulk), 400, text)
    assert organization.data("/collections") == organization.data("/collections/details") == []
    assert [entry["type"] for entry in organization.raw("GET", "/collections").json()["data"]] == [1]


def test_2_3_limits(lab: Lab, organization: Organization) -> None:
    """Of the plan; groups are dropped where the organization may not use them."""
    group = organization.group("IT")
    lab.set_organization("selfhost", organization.id, maxCollections=1, useGroups=False)
    made = organization.collection("A", groups=[{"id": group, **VIEW}])
    assert organization.access(made)[0] == {}
    body = {"name": organization.encrypted("B"), "users": [{"id": organization.id_of("owner@example.com"), **MANAGE}]}
    text = "You have reached the maximum number of collections (1) for this organization."
    refused(organization.ask("POST", "/collections", body), 400, text)


def test_2_1_provider_users(lab: Lab, http: Http) -> None:
    """They may do everything, are not told who has access, and looking at the details is written down."""
    lab.reset(scenario="msp")
    alpha, token = lab.facts["alpha_organization_id"], http.token("provider_user")
    where = f"eu:/organizations/{alpha}/collections"
    name = {"name": "2.AAAA|AAAA|AAAA"}
    refused(http.post(where, token, name), 400, ONE_MANAGES)
    member = http.get(f"eu:/organizations/{alpha}/users", token).json()["data"][0]["id"]
    made = http.post(where, token, {**name, "users": [{"id": member, **MANAGE}]}).json()
    assert (made["users"], made["groups"], made["assigned"], made["unmanaged"]) == (None, None, False, False)
    changed = http("PUT", f"{where}/{made['id']}", token, json={**name, "users": [{"id": member, **MANAGE}], "groups": []})
    assert changed.json()["users"] is None
    assert http.get(f"{where}/{made['id']}/details", token).json()["users"][0]["id"] == member
    before = len(lab.rows("eu", "event"))
    http.get(where, token)
    http.get(f"{where}/details", token)
    assert [row["type"] for row in lab.rows("eu", "event")][before:] == [1903, 1603]
