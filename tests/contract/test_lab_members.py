"""organization-admin section 4, and 12.1 items 1 to 5 for members."""

from __future__ import annotations

import pytest

from tests.contract.organization import (
    MANAGE,
    NEW,
    NO_OWNER,
    NOT_FOUND,
    OTHER,
    UNKNOWN,
    VIEW,
    Organization,
    errors,
    second,
    words,
)
from tests.contract.speak import Http, invalid, refused
from tests.lab import Lab, crypto


def key(organization: Organization) -> str:
    """The organization's key for whom it may concern; the server does not look."""
    return "4." + crypto.b64(organization.lab.organization_key(organization.id, "selfhost"))


def test_4_2_flags_of_the_list(organization: Organization) -> None:
    """Without them both lists are empty, which does not mean no access."""
    ann = organization.id_of("ann@example.com")
    collection = organization.collection("A", users=[{"id": ann, **MANAGE}])
    group = organization.group("IT", users=[ann])
    row = next(row for row in organization.data("/users") if row["id"] == ann)
    assert (row["collections"], row["groups"]) == ([], [])
    row = organization.member("ann@example.com")
    assert (words(row["collections"]), row["groups"]) == ({collection: "manage"}, [group])
    one = organization.done("GET", f"/users/{ann}")
    assert (words(one["collections"]), one["groups"]) == ({collection: "manage"}, [])
    assert {"email", "name", "twoFactorEnabled"}.isdisjoint(one)
    assert organization.done("GET", f"/users/{ann}?includeGroups=true")["groups"] == [group]


def test_4_1_fields_by_release(organizations: Organization) -> None:
    """The reason of a revocation since 2026.4.1, the date since 2026.7.2."""
    row = organizations.member("ann@example.com")
    newest = organizations.http.get("selfhost:/version").json() == "2026.8.0"
    assert ("revocationReason" in row, "creationDate" in row) == (newest, newest)


def test_12_1_3_invite(organization: Organization) -> None:
    """Empty 200; a known address is passed over without a word, in any spelling and status."""
    collection, group = organization.collection("A"), organization.group("IT")
    access = {"collections": [{"id": collection, **VIEW}], "groups": [group]}
    answer = organization.invite("New@Example.org", "ANN@example.com", type=1, **access)
    assert (answer.status_code, answer.content) == (200, b"")
    assert organization.members()[NEW] == (1, 0)
    assert organization.members()["ann@example.com"] == (2, 2)
    row = organization.member(NEW)
    assert (words(row["collections"]), row["groups"], row["userId"]) == ({collection: "readOnly"}, [group], None)
    assert [mail.to for mail in organization.lab.mailbox()] == [NEW]
    organization.invite(NEW, type=2)
    assert organization.members()[NEW] == (1, 0)
    assert len(organization.lab.mailbox()) == 1
    assert organization.events(1500) == [1500]


@pytest.mark.parametrize(
    ("emails", "text"),
    [
        ([], "An email is required."),
        ([f"a{number}@example.org" for number in range(21)], "You can only submit up to 20 emails at a time."),
        (["a@example.org", "no address"], "Email #2 is not valid."),
        (["ä@example.org"], "Email #1 is not valid."),
        (["a" * 250 + "@example.org"], "Email #1 is longer than 256 characters."),
    ],
)
def test_4_3_addresses(organization: Organization, emails: list[str], text: str) -> None:
    """One to twenty, of the strict form."""
    invalid(organization.invite(*emails), "Emails", text)


def test_12_1_5_invite_without_collections(organization: Organization) -> None:
    """Null is told as an inner error, and nothing is left behind."""
    answer = organization.invite(NEW, collections=None)
    refused(answer, 400, "Errors have occurred.")
    inner = {"An error has occurred.": ["Value cannot be null. (Parameter 'source')"]}
    assert answer.json()["validationErrors"] == inner
    assert NEW not in organization.members()


def test_12_1_3_seats_are_checked_first(organization: Organization) -> None:
    """Nothing is created when there is one too many."""
    organization.lab.set_organization("selfhost", organization.id, seats=4)
    text = "Cannot autoscale on self-hosted instance."
    refused(organization.invite(NEW, "newer@example.org"), 400, text)
    assert len(organization.members()) == 3
    assert organization.invite(NEW).status_code == 200
    refused(organization.invite("newer@example.org"), 400, text)


def test_12_1_15_seats_in_the_cloud(lab: Lab, http: Http) -> None:
    """The subscription grows up to its limit; a provider's client never does."""
    organization, token = lab.facts["cloud_organization_id"], http.token("cloud_owner")
    where, body = f"eu:/organizations/{organization}/users/invite", {"type": 2, "collections": []}
    lab.set_organization("eu", organization, seats=1, maxAutoscaleSeats=2)
    assert http.post(where, token, {**body, "emails": ["a@example.org"]}).status_code == 200
    assert lab.rows("eu", "organization", id=organization)[0]["seats"] == 2
    refused(http.post(where, token, {**body, "emails": ["b@example.org"]}), 400, "Seat limit has been reached.")
    lab.set_organization("eu", organization, maxAutoscaleSeats=None, subscription={"status": "canceled"})
    text = "You do not have an active subscription. Reinstate your subscription to make changes"
    refused(http.post(where, token, {**body, "emails": ["b@example.org"]}), 400, text)
    lab.reset(scenario="msp")
    client = lab.facts["alpha_organization_id"]
    lab.set_organization("eu", client, seats=1)
    where = f"eu:/organizations/{client}/users/invite"
    text = "Seat limit has been reached. Please contact your provider to add more seats."
    refused(http.post(where, http.token("provider_user"), {**body, "emails": ["b@example.org"]}), 400, text)


def test_4_3_roles(lab: Lab, organization: Organization) -> None:
    """Who may give which role."""
    invalid(organization.invite(NEW, type=None), "Type", "The Type field is required.")
    invalid(organization.invite(NEW, type=3), "Type", "The field Type is invalid.")
    lab.set_member("ann@example.com", type=4, permissions={"manageUsers": True})
    for role, permissions, text in (
        (0, None, "Only an Owner can configure another Owner's account."),
        (1, None, "Custom users can not manage Admins or Owners."),
        (4, {"manageScim": True}, "Custom users can only grant the same custom permissions that they have."),
    ):
        body = {"emails": [NEW], "type": role, "permissions": permissions, "collections": []}
        refused(organization.ask("POST", "/users/invite", body, "ann"), 400, text)
    body = {"emails": [NEW], "type": 4, "permissions": {"manageUsers": True}, "collections": []}
    assert organization.ask("POST", "/users/invite", body, "ann").status_code == 200
    assert organization.member(NEW)["permissions"]["manageUsers"] is True
    lab.set_organization("selfhost", organization.id, useCustomPermissions=False)
    text = "To enable custom permissions the organization must be on an Enterprise plan."
    refused(organization.invite("newer@example.org", type=4), 400, text)


def test_4_3_an_owner_first(lab: Lab, http: Http) -> None:
    """A confirmed provider user counts as one, without him nobody but owners can be invited."""
    lab.reset(scenario="msp")
    beta, token = lab.facts["beta_organization_id"], http.token("provider_user")
    where, body = f"eu:/organizations/{beta}/users/invite", {"emails": [NEW], "type": 2, "collections": []}
    assert http.post(where, token, body).status_code == 200
    for row in lab.rows("eu", "provider_user"):
        lab.put_row("eu", "provider_user", **row | {"status": 1})
    lab.set_organization("eu", lab.facts["gamma_organization_id"], seats=20)
    lab.set_member("provider@example.net", "eu", lab.facts["gamma_organization_id"], type=1)
    where = f"eu:/organizations/{lab.facts['gamma_organization_id']}/users/invite"
    refused(http.post(where, http.token("provider_user"), body), 400, NO_OWNER)


def test_4_3_reinvite(organization: Organization) -> None:
    """Another mail with another token; the old one still holds."""
    organization.invite(NEW)
    row = organization.member(NEW)
    organization.done("POST", f"/users/{row['id']}/reinvite")
    ann = organization.id_of("ann@example.com")
    refused(organization.ask("POST", f"/users/{ann}/reinvite"), 400, "User invalid.")
    assert errors(organization.ask("POST", "/users/reinvite", {"ids": [row["id"], ann, UNKNOWN]})) == ["", "User invalid."]
    tokens = {mail.token for mail in organization.lab.mailbox(NEW)}
    assert len(tokens) == 3


def test_4_4_accept(lab: Lab, http: Http, organization: Organization) -> None:
    """By the invited person's own token and that of the mail; only once."""
    organization.invite(NEW)
    row = organization.member(NEW)
    token = lab.mailbox(NEW)[-1].token
    for wrong in ("x", None):
        refused(organization.ask("POST", f"/users/{row['id']}/accept", {"token": wrong}, "ann"), 400, "Invalid token.")
    text = "User email does not match invite."
    refused(organization.ask("POST", f"/users/{row['id']}/accept", {"token": token}, "ann"), 400, text)
    who = lab.accept_invitation(NEW, "selfhost")
    assert organization.members()[NEW] == (2, 1)
    own = http.grant("selfhost", **http.key_form(who)).json()["access_token"]
    where = f"selfhost:/organizations/{organization.id}/users/{row['id']}/accept"
    text = "Invitation already accepted. You will receive an email when your organization membership is confirmed."
    refused(http.post(where, own, {"token": token}), 400, text)
    refused(http.post(where.replace(organization.id, OTHER), own, {"token": token}), 404, NOT_FOUND)
    assert lab.mailbox("owner@example.com")[-1].subject == f"Action Required: {NEW} Needs to Be Confirmed"
    lab.advance(121 * 3600)
    refused(
        http.post(where, http.grant("selfhost", **http.key_form(who)).json()["access_token"], {"token": token}),
        400,
        "Expired token.",
    )


@pytest.mark.parametrize(
    ("policy", "elsewhere", "text"),
    [
        (0, None, "You cannot join this organization vault until you enable two-step login on your user account."),
        (3, -1, "You cannot accept this invite until you leave all other organization vaults."),
        (None, 3, "You cannot accept this invite because you are a member of another organization vault which forbids it."),
        (8, None, "Master Password reset is required, but not provided."),
    ],
)
def test_4_4_policies_at_acceptance(
    lab: Lab, organization: Organization, policy: int | None, elsewhere: int | None, text: str
) -> None:
    """What keeps somebody out who has been invited."""
    lab.delete_row("selfhost", "member", organization.id_of("ann@example.com"))
    organization.invite("ann@example.com")
    if policy is not None:
        data = {"autoEnrollEnabled": True}
        lab.put_row("selfhost", "policy", id=UNKNOWN, organizationId=organization.id, type=policy, enabled=True, data=data)
    if elsewhere is not None:
        second(lab, "ann@example.com", elsewhere)
    row, token = organization.member("ann@example.com"), lab.mailbox("ann@example.com")[-1].token
    refused(organization.ask("POST", f"/users/{row['id']}/accept", {"token": token}, "ann"), 400, text)


def test_4_5_confirm(lab: Lab, organization: Organization) -> None:
    """Only who has accepted; public keys are shown of these alone, and the key is taken as it comes."""
    organization.invite(NEW, "later@example.org")
    lab.accept_invitation(NEW, "selfhost")
    row, later = organization.member(NEW), organization.member("later@example.org")
    keys = organization.done(
        "POST", "/users/public-keys", {"ids": [row["id"], later["id"], organization.id_of("ann@example.com")]}
    )
    entry = keys["data"][0]
    assert (len(keys["data"]), entry["object"]) == (1, "organizationUserPublicKeyResponseModel")
    assert (entry["id"], entry["userId"]) == (row["id"], row["userId"])
    refused(organization.ask("POST", f"/users/{later['id']}/confirm", {"key": "4.x"}), 400, "User not valid.")
    organization.done("POST", f"/users/{row['id']}/confirm", {"key": key(organization)})
    refused(organization.ask("POST", f"/users/{row['id']}/confirm", {"key": "4.x"}), 400, "User not valid.")
    assert organization.members()[NEW] == (2, 2)
    assert organization.events(1501) == [1501]


def test_12_1_4_bulk_confirm(lab: Lab, organization: Organization) -> None:
    """An error per member; who has not accepted is missing; nobody valid is an empty list."""
    organization.invite("a@example.org", "b@example.org", "c@example.org")
    for email in ("a@example.org", "b@example.org"):
        lab.accept_invitation(email, "selfhost")
    lab.set_user("selfhost", "a@example.org", twoFactorEnabled=True)
    lab.put_row("selfhost", "policy", id=UNKNOWN, organizationId=organization.id, type=0, enabled=True, data=None)
    ids = [organization.id_of(f"{letter}@example.org") for letter in "abc"]
    body = {"keys": [{"id": one, "key": key(organization)} for one in (*ids, UNKNOWN)]}
    assert errors(organization.ask("POST", "/users/confirm", body)) == ["", "User does not have two-step login enabled."]
    assert errors(organization.ask("POST", "/users/confirm", {"keys": [{"id": UNKNOWN, "key": "x"}]})) == []


@pytest.mark.parametrize(
    ("own", "elsewhere", "text"),
    [
        (3, -1, "{} cannot be confirmed until they leave all other organization vaults."),
        (None, 3, "{} cannot be confirmed because they are a member of another organization which forbids it."),
    ],
)
def test_4_5_single_organization(lab: Lab, organization: Organization, own: int | None, elsewhere: int, text: str) -> None:
    """The same rules again."""
    lab.set_member("ann@example.com", status=1, key=None)
    second(lab, "ann@example.com", elsewhere)
    if own is not None:
        lab.put_row("selfhost", "policy", id=UNKNOWN, organizationId=organization.id, type=own, enabled=True, data=None)
    where = f"/users/{organization.id_of('ann@example.com')}/confirm"
    refused(organization.ask("POST", where, {"key": "4.x"}), 400, text.format("ann@example.com"))
