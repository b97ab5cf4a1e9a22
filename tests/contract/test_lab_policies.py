"""organization-admin section 5, and 12.1 item 8."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.organization import NOT_FOUND, OTHER, UNKNOWN, Organization, second
from tests.contract.speak import RELEASES, Answer, Http, invalid, refused
from tests.lab import Lab

FLAT: dict[str, t.Any] = {"type": 1, "enabled": True, "data": {"minLength": 14}}
SEND = {"disableSend": False, "disableHideEmail": False}
SEND |= dict.fromkeys(("whoCanAccess", "allowedDomains", "deletionHours", "allowedSendTypes"))


def put(organization: Organization, kind: int, body: dict[str, t.Any], more: str = "") -> Answer:
    """Save a policy with a body of one release."""
    return organization.ask("PUT", f"/policies/{kind}{more}", body)


@pytest.mark.parametrize(
    ("release", "statuses"),
    [("2025.8.0", (200, 400, 404)), ("2026.4.0", (200, 400, 200)), ("2026.4.1", (400, 200, 200)), ("2026.8.0", (400, 200, 404))],
)
def test_12_1_8_bodies(lab: Lab, http: Http, release: str, statuses: tuple[int, int, int]) -> None:
    """Flat, wrapped, and at an address of its own; one body works everywhere."""
    flat, wrapped, vnext = statuses
    organization = Organization(lab, http, release)
    assert put(organization, 1, FLAT).status_code == flat
    assert put(organization, 1, {"policy": FLAT}).status_code == wrapped
    assert put(organization, 1, {"policy": FLAT, "metadata": None}, "/vnext").status_code == vnext
    answer = organization.policy(1, data={"minLength": 15})
    assert set(answer.json()) == {"object", "id", "organizationId", "type", "data", "enabled", "revisionDate"}
    assert answer.json()["data"] == {"minLength": 15}
    if flat == 400:
        invalid(put(organization, 1, FLAT), "Policy", "The Policy field is required.")
    else:
        invalid(put(organization, 1, {"type": 1, "policy": FLAT}), "Enabled", "The Enabled field is required.")


@pytest.mark.parametrize(("release", "saved"), [("2025.8.0", 3), ("2026.4.0", 1)])
def test_5_2_which_type_counts(lab: Lab, http: Http, release: str, saved: int) -> None:
    """In the oldest releases the body's, which is demanded; later the path's."""
    organization = Organization(lab, http, release)
    assert put(organization, 1, {**FLAT, "type": 3, "data": None}).json()["type"] == saved
    assert put(organization, 1, {"enabled": True}).status_code == (400 if saved == 3 else 200)


@pytest.mark.parametrize(("release", "listed", "single"), [("2025.8.0", True, True), ("2026.4.0", False, False)])
def test_5_1_shapes(lab: Lab, http: Http, release: str, listed: bool, single: bool) -> None:
    """With and without id; never saved is disabled, and not in the list."""
    organization = Organization(lab, http, release)
    assert [row["type"] for row in organization.data("/policies")] == ([] if listed else [21])
    never = organization.done("GET", "/policies/9")
    assert (never["enabled"], never["data"], "id" in never) == (False, {}, single)
    organization.policy(1)
    row = organization.data("/policies")[0]
    assert ("id" in row, "revisionDate" in row, "canToggleState" in row) == (listed, listed, not listed)
    assert row["data"] == (None if listed else {})
    assert organization.done("GET", "/policies/1")["canToggleState"] is True


def test_12_1_8_send_controls(organization: Organization) -> None:
    """Type 21 is made up while it was never saved, and kept in step with 6 and 7."""
    shown = {row["type"]: row for row in organization.data("/policies")}
    assert shown[21]["data"] == SEND
    assert shown[21]["enabled"] is False
    organization.policy(7, data={"disableHideEmail": True})
    organization.policy(6)
    row = organization.done("GET", "/policies/21")
    assert (row["enabled"], row["data"]) == (True, {**SEND, "disableSend": True, "disableHideEmail": True})
    organization.policy(21, data={"disableSend": False, "disableHideEmail": True, "whoCanAccess": 1})
    shown = {row["type"]: row for row in organization.data("/policies")}
    assert (shown[6]["enabled"], shown[7]["enabled"], shown[7]["data"]) == (False, True, {"disableHideEmail": True})
    organization.policy(6)
    assert organization.done("GET", "/policies/21")["data"]["whoCanAccess"] == 1
    text = "Allowed domains can only be set when the required access type is set to specific people"
    refused(organization.policy(21, data={"allowedDomains": "example.com", "whoCanAccess": 1}), 400, text)


def test_5_3_dependencies(organization: Organization) -> None:
    """In the names that people see; looked at only when a policy goes on or off."""
    text = "Turn on the Single organization policy because it is required for the Require single sign-on authentication policy."
    refused(organization.policy(4), 400, text)
    assert organization.policy(4, enabled=False).status_code == 200
    for kind in (3, 4):
        assert organization.policy(kind).status_code == 200
    text = "Turn off the Require single sign-on authentication policy because it requires the Single organization policy."
    refused(organization.policy(3, enabled=False), 400, text)
    organization.policy(8)
    text = "Turn off all of the policies that require the Single organization policy."
    refused(organization.policy(3, enabled=False), 400, text)
    assert organization.policy(3).status_code == 200
    for kind in (8, 4, 3):
        assert organization.policy(kind, enabled=False).status_code == 200


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (1, {"minLength": 11}, "MasterPassword policy: The field MinLength must be between 12 and 128."),
        (1, {"minComplexity": 5}, "MasterPassword policy: The field MinComplexity must be between 0 and 4."),
        (1, {"minLength": "14"}, "MasterPassword policy: minLength has an invalid value."),
        (1, {"requireUpper": 1}, "MasterPassword policy: requireUpper has an invalid value."),
        (7, {"disableHideEmail": "yes"}, "SendOptions policy: disableHideEmail has an invalid value."),
        (8, {"autoEnrollEnabled": 1}, "ResetPassword policy: autoEnrollEnabled has an invalid value."),
    ],
)
def test_5_3_data(organization: Organization, kind: int, data: dict[str, t.Any], text: str) -> None:
    """The few types that are looked at."""
    organization.policy(3)
    refused(organization.policy(kind, data=data), 400, f"Invalid data for {text}")


def test_5_3_data_are_kept_as_they_came(organization: Organization) -> None:
    """Wrong spelling, unknown keys and all; saving replaces them, and null or nothing erases them."""
    odd = {"MinLength": 3, "nonsense": [1]}
    assert organization.policy(1, data=odd).json()["data"] == odd
    assert organization.policy(1, data={}).json()["data"] is None
    organization.policy(1, data={"minLength": 20})
    assert organization.policy(1, enabled=False).json()["data"] is None


def test_5_3_two_step_login_revokes(lab: Lab, organization: Organization) -> None:
    """Members without it, with a mail; not owners, not admins, not the caller; only when it goes on."""
    lab.set_user("selfhost", "bob@example.com", twoFactorEnabled=True)
    organization.invite("new@example.org")
    assert organization.policy(0).status_code == 200
    assert organization.members() == {
        "owner@example.com": (0, 2),
        "ann@example.com": (2, -1),
        "bob@example.com": (2, 2),
        "new@example.org": (2, 0),
    }
    assert organization.member("ann@example.com")["revocationReason"] == 2
    assert [mail.subject for mail in lab.mailbox("ann@example.com")] == ["You have been revoked from Example Org"]
    lab.set_member("ann@example.com", status=2)
    assert organization.policy(0).status_code == 200
    assert organization.members()["ann@example.com"] == (2, 2)
    assert organization.events(1511, 1700) == [1511, 1700, 1700]


def test_5_3_two_step_login_and_lost_accounts(lab: Lab, organization: Organization) -> None:
    """Somebody without a master password would have no way back."""
    lab.set_user("selfhost", "ann@example.com", passwordHash=None)
    answer = organization.policy(0)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Policy could not be enabled. Non-compliant members will lose access")
    assert organization.members()["ann@example.com"] == (2, 2)


def test_5_3_single_organization_revokes(lab: Lab, organization: Organization) -> None:
    """Members who are in another organization."""
    second(lab, "bob@example.com")
    assert organization.policy(3).status_code == 200
    assert (organization.members()["ann@example.com"], organization.members()["bob@example.com"]) == ((2, 2), (2, -1))
    assert organization.member("bob@example.com")["revocationReason"] == 4


def test_5_3_domains(lab: Lab, organization: Organization) -> None:
    """A claimed one fixes single organization, and type 19 needs one."""
    refused(organization.policy(19), 400, "You must claim at least one domain to turn on this policy")
    organization.policy(3)
    row = {"id": UNKNOWN, "organizationId": organization.id, "domainName": "example.com", "verifiedDate": lab.now()}
    lab.put_row("selfhost", "domain", **row)
    assert organization.done("GET", "/policies/3")["canToggleState"] is False
    text = "The Single organization policy is required for organizations that have enabled domain verification."
    refused(organization.policy(3, enabled=False), 400, text)
    assert organization.policy(19).status_code == 200


def test_5_3_automatic_confirmation(lab: Lab, organization: Organization) -> None:
    """Nobody may be in another organization, or work for a provider."""
    organization.policy(3)
    second(lab, "ann@example.com")
    answer = organization.policy(18)
    assert answer.json()["message"].startswith("All members must be compliant with the single organization membership policy")
    lab.delete_row("selfhost", "member", UNKNOWN)
    lab.put_row("selfhost", "provider_user", id=OTHER, userId=lab.people["ann"].user_id, providerId=OTHER, status=2, type=0)
    answer = organization.policy(18)
    assert answer.json()["message"].startswith("This organization has members with the Provider user type.")


def test_5_3_fill_assist(organization: Organization) -> None:
    """An address with https when it goes on."""
    refused(organization.policy(22, data={"rulesUrl": "http://example.com"}), 400, "RulesUrl must use HTTPS.")
    assert organization.policy(22).status_code == 400
    assert organization.policy(22, enabled=False).status_code == 200
    assert organization.policy(22, data={"rulesUrl": "https://example.com"}).status_code == 200


@pytest.mark.parametrize(("release", "kind"), [("2025.8.0", 16), ("2025.8.0", 21), ("2026.4.0", 22), ("2026.8.0", 23)])
def test_5_3_types_by_release(lab: Lab, http: Http, release: str, kind: int) -> None:
    """An unknown one cannot be saved."""
    organization = Organization(lab, http, release)
    invalid(organization.policy(kind), "type", f"The value '{kind}' is not valid.")


@pytest.mark.parametrize("release", RELEASES)
def test_5_2_collections_of_members_own(lab: Lab, http: Http, release: str) -> None:
    """Where the body can bring their name, enabling type 5 creates them for confirmed members; once."""
    organization = Organization(lab, http, release)
    lab.set_member("bob@example.com", status=1)
    name = organization.encrypted("My items")
    knows = release == "2026.8.0"
    organization.policy(5, defaultUserCollectionName=name)
    organization.policy(5, enabled=False)
    organization.policy(5, defaultUserCollectionName=name)
    own = [row["name"] for row in lab.rows("selfhost", "collection", type=1)]
    assert own == ([name] if knows else [])
    if release == "2026.4.0":
        organization.policy(5, enabled=False)
        metadata = {"defaultUserCollectionName": name}
        put(organization, 5, {"policy": {"enabled": True, "data": None}, "metadata": metadata}, "/vnext")
        assert len(lab.rows("selfhost", "collection", type=1)) == 1


def test_5_plans_and_roles(organization: Organization) -> None:
    """403 without a body; plans without policies."""
    for method, path in (("GET", "/policies"), ("GET", "/policies/1"), ("PUT", "/policies/1")):
        refused(organization.ask(method, path, {}, "ann"), 403, None)
    organization.lab.set_organization("selfhost", organization.id, usePolicies=False)
    refused(organization.policy(1), 400, "This organization cannot use policies.")


def test_5_1_other_reads(lab: Lab, organization: Organization) -> None:
    """For members about their password, and for who is invited."""
    refused(organization.ask("GET", "/policies/master-password", label="ann"), 404, NOT_FOUND)
    organization.policy(1, data={"minLength": 14})
    assert organization.done("GET", "/policies/master-password", label="ann")["data"] == {"minLength": 14}
    organization.invite("new@example.org")
    row, mail = organization.member("new@example.org"), lab.mailbox("new@example.org")[-1]
    where = f"selfhost:/organizations/{organization.id}/policies/token"
    values = {"email": mail.to, "token": mail.token, "organizationUserId": row["id"]}
    assert [entry["type"] for entry in organization.http.get(where, params=values).json()["data"]] == [1]
    refused(organization.http.get(where, params={**values, "token": "x"}), 404, NOT_FOUND)


def test_5_clients_keep_policies(organization: Organization) -> None:
    """They come with the sync."""
    organization.policy(1, data={"minLength": 14})
    found = organization.raw("GET", "/sync", label="ann").json()
    assert [row["type"] for row in found["policies"]] == [1]
    assert found["policiesNew"] == found["policies"]
