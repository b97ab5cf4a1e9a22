"""organization-admin 12.1 items 1, 2 and 9, and the reads of its sections 1 and 4."""

from __future__ import annotations

import pytest

from tests.contract.speak import Http, refused
from tests.lab import Lab

UNKNOWN = "11111111-2222-4333-8444-555555555555"


def test_12_1_1_how_each_controller_refuses(lab: Lab, http: Http) -> None:
    """404 JSON, 403 empty, 401 empty, 401 JSON."""
    organization = f"selfhost:/organizations/{lab.facts['organization_id']}"
    ann = http.token("ann")
    for path in ("", "/subscription", "/users", "/api-key-information"):
        refused(http.get(organization + path, ann), 404, "Resource not found.")
    member = lab.rows("selfhost", "member")[0]["id"]
    refused(http.get(f"{organization}/users/{member}", ann), 403, None)
    refused(http("PUT", organization, ann, json={}), 401, None)
    refused(
        http.post(f"{organization}/keys", ann, {"publicKey": "A", "encryptedPrivateKey": "2.AAAA|AAAA|AAAA"}),
        401,
        "Unauthorized.",
    )
    lab.set_member("ann@example.com", status=-1)
    refused(http.get(f"{organization}/users/mini-details", http.token("ann")), 403, None)


def test_12_1_9_put_on_selfhost_changes_nothing(lab: Lab, http: Http) -> None:
    """And answers 200 with the old values; in the cloud it works."""
    body = {"name": "Other", "billingEmail": "other@example.com"}
    here = http("PUT", f"selfhost:/organizations/{lab.facts['organization_id']}", http.token("owner"), json=body)
    assert (here.status_code, here.json()["name"]) == (200, "Example Org")
    there = http("PUT", f"eu:/organizations/{lab.facts['cloud_organization_id']}", http.token("cloud_owner"), json=body)
    assert there.json()["name"] == "Other"


def test_1_3_organization(lab: Lab, http: Http) -> None:
    """C(enabled) and the identifier are in the profile entry only."""
    found = http.get(f"selfhost:/organizations/{lab.facts['organization_id']}", http.token("owner")).json()
    assert found["plan"] == {"object": "plan", "type": 20, "productTier": 3, "name": "Enterprise (Annually)"}
    assert {"enabled", "identifier"}.isdisjoint(found)
    entry = http.get("selfhost:/organizations", http.token("owner")).json()["data"][0]
    assert (entry["enabled"], entry["productTierType"], entry["useDisableSMAdsForUsers"]) == (True, 3, False)


def test_4_2_members(lab: Lab, http: Http) -> None:
    """Invited people have no user; a single member is shown without name and address."""
    lab.set_member("new@example.com")
    organization = f"selfhost:/organizations/{lab.facts['organization_id']}"
    token = http.token("owner")
    rows = http.get(f"{organization}/users?includeGroups=true&includeCollections=true", token).json()["data"]
    shown = {row["email"]: (row["userId"] is not None, row["type"], row["status"]) for row in rows}
    assert shown["new@example.com"] == (False, 2, 0)
    assert shown["owner@example.com"] == (True, 0, 2)
    one = http.get(f"{organization}/users/{rows[0]['id']}", token).json()
    assert {"name", "email"}.isdisjoint(one)
    brief = http.get(f"{organization}/users/mini-details", http.token("ann")).json()["data"]
    assert len(brief) == 4


def test_1_1_public_keys(lab: Lab, http: Http) -> None:
    """For anybody with an account."""
    token = http.token("ann")
    key = http.get(f"selfhost:/organizations/{lab.facts['organization_id']}/public-key", token).json()
    assert key["object"] == "organizationPublicKey"
    assert http.get(f"selfhost:/users/{lab.people['owner'].user_id}/public-key", token).json()["object"] == "userKey"
    refused(http.get(f"selfhost:/users/{UNKNOWN}/public-key", token), 404, "Resource not found.")


@pytest.mark.parametrize(("permission", "status"), [("manageUsers", 200), ("manageScim", 404)])
def test_0_5_custom_roles(lab: Lab, http: Http, permission: str, status: int) -> None:
    """One claim per permission."""
    lab.set_member("ann@example.com", type=4, permissions={permission: True})
    where = f"selfhost:/organizations/{lab.facts['organization_id']}/users"
    assert http.get(where, http.token("ann")).status_code == status


def test_unknown_routes_are_404(http: Http) -> None:
    """With the API's error body."""
    refused(http.get("selfhost:/no/such/route"), 404, "Resource not found.")
