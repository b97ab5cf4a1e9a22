"""organization-admin 4.6 and 4.7, and 12.1 items 1, 2, 4 and 5: what becomes of members."""

from __future__ import annotations

import pytest

from tests.contract.organization import (
    CRASH,
    MANAGE,
    NEW,
    NO_OWNER,
    NOT_FOUND,
    UNKNOWN,
    VIEW,
    Organization,
    errors,
    second,
    words,
)
from tests.contract.speak import RELEASES, Http, refused
from tests.lab import Lab


def test_12_1_5_update(organization: Organization) -> None:
    """Collections null is a 500, groups null changes nothing, both replace."""
    ann, collection, group = organization.id_of("ann@example.com"), organization.collection("A"), organization.group("IT")
    refused(organization.ask("PUT", f"/users/{ann}", {"type": 2}), 500, CRASH)
    body = {"type": 4, "permissions": {"manageGroups": True}, "collections": [{"id": collection, **VIEW}], "groups": [group]}
    assert organization.ask("PUT", f"/users/{ann}", body).content == b""
    row = organization.member("ann@example.com")
    assert (row["type"], row["permissions"]["manageGroups"], words(row["collections"])) == (4, True, {collection: "readOnly"})
    organization.done("PUT", f"/users/{ann}", {"type": 2, "collections": [], "groups": None})
    row = organization.member("ann@example.com")
    assert (row["type"], row["collections"], row["groups"]) == (2, [], [group])
    organization.done("PUT", f"/users/{ann}", {"type": 2, "collections": [], "groups": []})
    assert organization.member("ann@example.com")["groups"] == []
    for wrong in ({"collections": [{"id": UNKNOWN}]}, {"collections": [], "groups": [UNKNOWN]}):
        refused(organization.ask("PUT", f"/users/{ann}", {"type": 2, **wrong}), 404, NOT_FOUND)


def test_4_6_yourself(organization: Organization) -> None:
    """Where admins do not reach everything, nobody gives himself collections, and own groups are ignored."""
    owner, ann = organization.id_of("owner@example.com"), organization.id_of("ann@example.com")
    collection, group = organization.collection("A", users=[{"id": ann, **MANAGE}]), organization.group("IT")
    body = {"type": 0, "collections": [{"id": collection, **MANAGE}], "groups": [group]}
    refused(organization.ask("PUT", f"/users/{owner}", body), 400, "You cannot add yourself to a collection.")
    organization.done("PUT", f"/users/{owner}", {"type": 0, "collections": [], "groups": [group]})
    assert organization.member("owner@example.com")["groups"] == []
    refused(organization.ask("PUT", f"/users/{owner}", {"type": 1, "collections": []}), 400, NO_OWNER)


def test_4_6_the_last_owner_of_a_client_may_go(lab: Lab, http: Http) -> None:
    """Because a provider user counts as an owner."""
    lab.reset(scenario="msp")
    where, token = f"eu:/organizations/{lab.facts['alpha_organization_id']}/users", http.token("provider_user")
    row = http.get(where, token).json()["data"][0]
    assert http("PUT", f"{where}/{row['id']}", token, json={"type": 2, "collections": []}).status_code == 200


def test_4_6_remove(lab: Lab, organization: Organization) -> None:
    """Not oneself, not the last owner, not by a lesser role; with all access."""
    ann, bob, owner = (organization.id_of(f"{name}@example.com") for name in ("ann", "bob", "owner"))
    group = organization.group("IT", users=[ann, bob])
    refused(organization.ask("DELETE", f"/users/{owner}"), 400, "You cannot remove yourself.")
    refused(organization.ask("DELETE", f"/users/{UNKNOWN}"), 404, NOT_FOUND)
    organization.done("DELETE", f"/users/{ann}")
    assert organization.done("GET", f"/groups/{group}/users") == [bob]
    lab.set_member("bob@example.com", type=4, permissions={"manageUsers": True})
    lab.set_member(NEW, type=1)
    refused(organization.ask("DELETE", f"/users/{owner}", label="bob"), 400, "Only owners can remove other owners.")
    refused(
        organization.ask("POST", f"/users/{organization.id_of(NEW)}/remove", label="bob"),
        400,
        "Custom users can not remove admins.",
    )
    assert errors(organization.ask("DELETE", "/users", {"ids": [bob, UNKNOWN]})) == [""]
    refused(organization.ask("DELETE", "/users", {"ids": [UNKNOWN]}), 400, "Users invalid.")
    refused(organization.ask("DELETE", "/users", {"ids": [owner]}), 400, NO_OWNER)
    assert organization.events(1503) == [1503, 1503]


def test_4_6_claimed_accounts(lab: Lab, organization: Organization) -> None:
    """Belong to the organization and cannot just be removed."""
    row = {"id": UNKNOWN, "organizationId": organization.id, "domainName": "example.com", "verifiedDate": lab.now()}
    lab.put_row("selfhost", "domain", **row)
    text = "Cannot remove member accounts claimed by the organization. To offboard a member, revoke or delete the account."
    refused(organization.ask("DELETE", f"/users/{organization.id_of('ann@example.com')}"), 400, text)
    assert organization.member("ann@example.com")["claimedByOrganization"] is True


def test_4_6_revoke_and_restore(organization: Organization) -> None:
    """Back to what one was; a revoked seat is free."""
    organization.invite(NEW)
    ann, owner, new = (organization.id_of(email) for email in ("ann@example.com", "owner@example.com", NEW))
    for method in ("PUT", "PATCH"):
        organization.done(method, f"/users/{ann}/revoke")
        assert organization.members()["ann@example.com"] == (2, -1)
        assert organization.member("ann@example.com")["revocationReason"] == 1
        refused(organization.ask(method, f"/users/{ann}/revoke"), 400, "Already revoked.")
        organization.done(method, f"/users/{ann}/restore")
        refused(organization.ask(method, f"/users/{ann}/restore"), 400, "Already active.")
    assert organization.member("ann@example.com")["revocationReason"] is None
    refused(organization.ask("PUT", f"/users/{owner}/revoke"), 400, "You cannot revoke yourself.")
    refused(organization.ask("PUT", f"/users/{owner}/restore"), 400, "You cannot restore yourself.")
    assert errors(organization.ask("PUT", "/users/revoke", {"ids": [ann, new, UNKNOWN]})) == ["", ""]
    assert errors(organization.ask("PUT", "/users/revoke", {"ids": [UNKNOWN]})) == []
    organization.lab.set_organization("selfhost", organization.id, seats=3)
    text = "Cannot autoscale on self-hosted instance."
    refused(organization.ask("PUT", "/users/restore", {"ids": [ann, new]}), 400, text)
    assert errors(organization.ask("PUT", "/users/restore", {"ids": [ann]})) == [""]
    refused(organization.ask("PUT", f"/users/{new}/restore"), 400, text)
    refused(organization.ask("PUT", "/users/restore", {"ids": [UNKNOWN]}), 400, "Users invalid.")
    assert (organization.members()["ann@example.com"], organization.members()[NEW]) == ((2, 2), (2, -1))


@pytest.mark.parametrize(
    ("policies", "elsewhere", "text"),
    [
        ((0,), False, "{} is not compliant with the two-step login policy."),
        ((3,), True, "{} cannot be restored until they leave all other organization vaults."),
        ((0, 3), True, "{} is not compliant with the single organization membership and two-step login policy."),
    ],
)
def test_4_6_restore_and_policies(
    lab: Lab, organization: Organization, policies: tuple[int, ...], elsewhere: bool, text: str
) -> None:
    """Who does not comply stays revoked."""
    lab.set_member("ann@example.com", status=-1)
    for kind in policies:
        row = {"id": f"{kind}", "organizationId": organization.id, "type": kind, "enabled": True, "data": None}
        lab.put_row("selfhost", "policy", **row)
    if elsewhere:
        second(lab, "ann@example.com")
    where = f"/users/{organization.id_of('ann@example.com')}/restore"
    refused(organization.ask("PUT", where), 400, text.format("ann@example.com"))


@pytest.mark.parametrize("release", RELEASES)
def test_4_6_restore_vnext(lab: Lab, http: Http, release: str) -> None:
    """Since 2026.2.0; with a collection of one's own where the organization owns all data."""
    organization = Organization(lab, http, release)
    assert organization.policy(5).status_code == 200
    lab.set_member("ann@example.com", status=-1)
    where = f"/users/{organization.id_of('ann@example.com')}/restore/vnext"
    name = organization.encrypted("My items")
    answer = organization.ask("PUT", where, {"defaultUserCollectionName": name})
    if release == "2025.8.0":
        refused(answer, 404, NOT_FOUND)
        return
    assert answer.status_code == 200
    own = organization.raw("GET", "/collections", label="ann").json()["data"]
    assert [(row["type"], row["name"], row["manage"]) for row in own] == [(1, name, True)]
    organization.done("DELETE", f"/users/{organization.id_of('ann@example.com')}")
    left = organization.data("/collections")
    assert [(row["type"], row["defaultUserCollectionEmail"]) for row in left] == [(0, "ann@example.com")]


def test_12_1_1_and_2_roles_are_those_of_the_token(lab: Lab, organization: Organization) -> None:
    """403 without a body, 404 for the list; a new role needs a new token."""
    ann = organization.id_of("ann@example.com")
    for method, path in (
        ("POST", "/users/invite"),
        ("PUT", f"/users/{ann}"),
        ("POST", "/users/confirm"),
        ("PUT", "/users/revoke"),
    ):
        refused(organization.ask(method, path, {}, "ann"), 403, None)
    refused(organization.ask("GET", "/users", label="ann"), 404, NOT_FOUND)
    organization.done("PUT", f"/users/{ann}", {"type": 1, "collections": []})
    refused(organization.ask("GET", f"/users/{ann}", label="ann"), 403, None)
    organization.renew()
    assert organization.ask("GET", f"/users/{ann}", label="ann").status_code == 200


def test_4_7_enrolment_in_account_recovery(lab: Lab, organization: Organization) -> None:
    """By the member himself, with his password, while the policy is on."""
    user = lab.people["ann"].user_id
    body = {"resetPasswordKey": "4.AAAA", **organization.http.proof("ann")}
    where = f"/users/{user}/reset-password-enrollment"
    text = "Organization does not have the password reset policy enabled."
    refused(organization.ask("PUT", where, body, "ann"), 400, text)
    for kind in (3, 8):
        assert organization.policy(kind).status_code == 200
    refused(organization.ask("PUT", where, {**body, "masterPasswordHash": "x"}, "ann"), 400, "Incorrect password")
    organization.done("PUT", where, body, "ann")
    assert organization.member("ann@example.com")["resetPasswordEnrolled"] is True
    lab.set_member("bob@example.com", type=4, permissions={"manageResetPassword": True})
    assert [row["email"] for row in organization.data("/users", "bob")] == ["ann@example.com"]
    organization.done("PUT", where, {"resetPasswordKey": None}, "ann")
    organization.policy(8, data={"autoEnrollEnabled": True})
    text = "Due to an Enterprise policy, you are not allowed to withdraw from account recovery."
    refused(organization.ask("PUT", where, {"resetPasswordKey": None}, "ann"), 400, text)
    assert organization.events(1506, 1507) == [1506, 1507]


def test_1_1_leave(lab: Lab, organization: Organization) -> None:
    """By one's own wish, but not the last owner."""
    refused(organization.ask("POST", "/leave"), 400, NO_OWNER)
    organization.done("POST", "/leave", label="ann")
    assert "ann@example.com" not in organization.members()
    refused(organization.ask("POST", "/leave", label="ann"), 404, NOT_FOUND)
