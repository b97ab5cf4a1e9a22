"""provider-and-client-orgs section 5: users of a provider, and who follows the link of an invitation."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest

from tests.contract.provider import UNKNOWN, Provider, Row
from tests.contract.speak import RELEASES, Http, claims, invalid, refused
from tests.lab import Lab, crypto, people

_LAST_ADMIN = "Provider must have at least one confirmed ProviderAdmin."
_AUTO_CONFIRM = (
    "An organization the user is a part of has enabled Automatic User Confirmation policy,"
    " and it does not support the user joining a provider."
)
NEW = "new@example.net"


@pytest.fixture
def provider(lab: Lab, http: Http) -> Provider:
    """An MSP with two clients, at the newest cloud."""
    return Provider(lab, http)


def results(provider: Provider, path: str, body: Row, method: str = "POST") -> dict[str, str]:
    """Do something to many and return what was wrong, by id."""
    answer = provider.ask(method, path, body=body)
    assert answer.status_code == 200, answer.text
    assert all(row["object"] == "providerBulkConfirmResponseModel" for row in answer.json()["data"])
    return {row["id"]: row["error"] for row in answer.json()["data"]}


def accepted(provider: Provider, email: str = NEW) -> str:
    """Invite somebody who accepts; returns the row's id."""
    provider.invite(email)
    provider.lab.accept_invitation(email)
    return str(provider.users()[email]["id"])


def test_5_reading(provider: Provider) -> None:
    """The list has names and addresses, the single user has not; nobody has permissions."""
    users = provider.users()
    assert {email: (row["type"], row["status"]) for email, row in users.items()} == {
        "provider@example.net": (0, 2),
        "service@example.net": (1, 2),
    }
    sam = users["service@example.net"]
    assert (sam["object"], sam["name"]) == ("providerUserUserDetails", "Sam Service")
    assert not any(sam["permissions"].values())
    one = provider.ask("GET", f"/users/{sam['id']}").json()
    assert one["object"] == "providerUser"
    assert set(one) == set(sam) - {"name", "email"}
    assert provider.ask("GET", f"/users/{UNKNOWN}").status_code == 404


def test_5_invite(provider: Provider) -> None:
    """Nothing tells the ids; who is there is passed over without a mail."""
    answer = provider.invite("New@Example.net", "service@example.net", role=0)
    assert (answer.status_code, answer.content) == (200, b"")
    row = provider.users()[NEW]
    assert (row["userId"], row["name"], row["type"], row["status"]) == (None, None, 0, 0)
    provider.invite(NEW)
    assert (len(provider.lab.mailbox(NEW)), provider.lab.mailbox("service@example.net"), provider.events()) == (1, [], [1800])


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        ({"type": 1}, "Emails", "The Emails field is required."),
        ({"emails": [], "type": 1}, "Emails", "An email is required."),
        ({"emails": ["a@b.c"] * 21, "type": 1}, "Emails", "You can only submit up to 20 emails at a time."),
        ({"emails": ["a@b.c", "b@c"], "type": 1}, "Emails", "Email #2 is not valid."),
        ({"emails": ["a" * 257 + "@b.c"], "type": 1}, "Emails", "Email #1 is longer than 256 characters."),
        ({"emails": ["a@b.c"]}, "Type", "The Type field is required."),
    ],
)
def test_5_refused_invitations(provider: Provider, body: Row, field: str, text: str) -> None:
    """Before anybody is invited."""
    invalid(provider.ask("POST", "/users/invite", body=body), field, text)
    assert len(provider.users()) == 2


def test_5_the_link_of_the_mail(provider: Provider) -> None:
    """Its values are encoded; a second mail has another token, and the first one holds as long as before."""
    provider.invite("new+tag@example.net")
    row = provider.users()["new+tag@example.net"]
    assert results(provider, "/users/reinvite", {"ids": [row["id"]]}) == {row["id"]: ""}
    first, second = provider.lab.mailbox("new+tag@example.net")
    link = re.search(r"https://vault\.bitwarden\.eu/#/providers/accept-provider\?(\S+)", first.text)
    assert link
    values = {name: found[0] for name, found in parse_qs(link[1]).items()}
    about = {"providerId": provider.id, "providerUserId": row["id"], "email": "new+tag@example.net"}
    assert values == {**about, "providerName": "Example Provider", "token": first.token}
    assert first.token != second.token
    who = provider.lab.accept_invitation("new+tag@example.net")
    provider.lab.put_row("eu", "provider_user", **{**provider.lab.rows("eu", "provider_user")[-1], "status": 0, "userId": None})
    token = provider.http.grant("eu", **provider.http.key_form(who)).json()["access_token"]
    assert provider.ask("POST", f"/users/{row['id']}/accept", token, {"token": first.token}).status_code == 200


def test_5_accepting(provider: Provider) -> None:
    """By the one who was invited, once, with a token of less than five days."""
    provider.invite("family@example.org")
    row = provider.users()["family@example.org"]["id"]
    family, petra = provider.http.token("family"), provider.petra
    token = provider.lab.mailbox("family@example.org")[-1].token
    accept = f"/users/{row}/accept"
    refused(provider.ask("POST", f"/users/{UNKNOWN}/accept", family, {"token": token}), 400, "User invalid.")
    refused(provider.ask("POST", accept, family, {"token": "x"}), 400, "Invalid token.")
    refused(provider.ask("POST", accept, petra, {"token": token}), 400, "User email does not match invite.")
    provider.lab.advance(120 * 3600 + 1)
    family = provider.http.token("family")
    refused(provider.ask("POST", accept, family, {"token": token}), 400, "Invalid token.")
    provider.petra = provider.http.token("provider_user")
    assert provider.ask("POST", f"/users/{row}/reinvite").content == b""
    token = provider.lab.mailbox("family@example.org")[-1].token
    assert provider.ask("POST", accept, family, {"token": token}).content == b""
    refused(provider.ask("POST", accept, family, {"token": token}), 400, "Already accepted.")
    assert provider.users()["family@example.org"]["status"] == 1
    assert "providerserviceuser" not in claims(provider.http.token("family")), "not yet confirmed"


def test_15_8_public_keys_of_those_who_wait(provider: Provider) -> None:
    """And of nobody else."""
    row = accepted(provider)
    provider.invite("invited@example.net")
    ids = [user["id"] for user in provider.users().values()]
    shown = provider.ask("POST", "/users/public-keys", body={"ids": [*ids, UNKNOWN]}).json()["data"]
    user = provider.lab.rows("eu", "user", email=NEW)[0]
    expected = {"object": "providerUserPublicKeyResponseModel", "id": row, "userId": user["id"], "key": user["publicKey"]}
    assert shown == [expected]


def test_15_7_bulk_confirmation_tells_per_row(provider: Provider) -> None:
    """Who has not accepted is missing, everybody else who cannot be confirmed has an error; what is stored is not looked at."""
    row = accepted(provider)
    provider.invite("invited@example.net")
    users = provider.users()
    invited, sam = users["invited@example.net"]["id"], users["service@example.net"]["id"]
    wrapped = crypto.wrap(provider.key, provider.lab.rows("eu", "user", email=NEW)[0]["publicKey"])
    keys = [{"id": one, "key": wrapped} for one in (row, invited, sam, UNKNOWN)]
    assert results(provider, "/users/confirm", {"keys": keys}) == {row: "", sam: "Invalid user."}
    assert results(provider, "/users/confirm", {"keys": keys}) == {row: "Invalid user.", sam: "Invalid user."}
    assert provider.lab.rows("eu", "provider_user", id=row)[0]["key"] == wrapped
    assert provider.events() == [1800, 1800, 1801]
    for email in ("provider@example.net", "service@example.net"):
        stored = provider.lab.rows("eu", "provider_user", email=email)[0]
        provider.lab.put_row("eu", "provider_user", **{**stored, "key": "4.AAAA"})
    provider.lab.put_row("eu", "member", **{**provider.lab.rows("eu", "member")[0], "key": "4.AAAA"})
    alpha = provider.lab.facts["alpha_organization_id"]
    assert provider.lab.organization_key(alpha) == people.key64("alpha organization"), "opened by the new user"


def test_15_7_single_actions_say_nothing(provider: Provider) -> None:
    """200 although nothing happened."""
    provider.invite("invited@example.net")
    invited, sam = (provider.users()[email]["id"] for email in ("invited@example.net", "service@example.net"))
    for path, body in ((f"{invited}/confirm", {"key": "4.AAAA"}), (f"{sam}/reinvite", None), (f"{UNKNOWN}/reinvite", None)):
        answer = provider.ask("POST", f"/users/{path}", body=body)
        assert (answer.status_code, answer.content) == (200, b"")
    petra = provider.users()["provider@example.net"]["id"]
    provider.invite("second@example.net", role=0)
    second = accepted(provider, "third@example.net")
    provider.ask("PUT", f"/users/{second}", body={"type": 0})
    provider.ask("POST", f"/users/{second}/confirm", body={"key": "4.AAAA"})
    assert provider.ask("DELETE", f"/users/{petra}").status_code == 200
    assert provider.users()["provider@example.net"]["status"] == 2
    assert provider.users()["invited@example.net"]["status"] == 0
    invalid(provider.ask("POST", f"/users/{invited}/confirm", body={}), "Key", "The Key field is required.")


def test_5_roles_and_the_last_admin(provider: Provider) -> None:
    """One confirmed admin stays, whatever is asked; a bulk removal fails as a whole."""
    users = provider.users()
    petra, sam = users["provider@example.net"]["id"], users["service@example.net"]["id"]
    refused(provider.ask("PUT", f"/users/{petra}", body={"type": 1}), 400, _LAST_ADMIN)
    refused(provider.ask("DELETE", "/users", body={"ids": [petra, sam]}), 400, _LAST_ADMIN)
    refused(provider.ask("DELETE", f"/users/{petra}"), 400, _LAST_ADMIN)
    assert provider.ask("PUT", f"/users/{sam}", body={"type": 0}).content == b""
    assert provider.users()["service@example.net"]["type"] == 0
    both = results(provider, "/users", {"ids": [petra, UNKNOWN]}, "DELETE")
    assert both == {petra: "You cannot remove yourself."}
    assert results(provider, "/users", {"ids": [sam]}, "DELETE") == {sam: ""}
    assert "service@example.net" not in provider.users()
    assert provider.events() == [1802, 1803]


@pytest.mark.parametrize("version", RELEASES)
def test_13_auto_confirmation_keeps_people_out_of_providers(lab: Lab, http: Http, version: str) -> None:
    """Since 2025.12.2."""
    provider = Provider(lab, http, cloud_version=version)
    provider.invite("owner@alpha.example")
    row = provider.users()["owner@alpha.example"]["id"]
    policy = {"id": "auto", "organizationId": lab.facts["alpha_organization_id"], "type": 18, "enabled": True}
    lab.put_row("eu", "policy", **policy)
    body = {"token": lab.mailbox("owner@alpha.example")[-1].token}
    answer = provider.ask("POST", f"/users/{row}/accept", http.token("alpha_owner"), body)
    if version == "2025.8.0":
        assert answer.status_code == 200
    else:
        refused(answer, 400, _AUTO_CONFIRM)


def test_registration_by_invitation(provider: Provider) -> None:
    """The token stands for the mail's; it is bound to its row and address."""
    lab, http = provider.lab, provider.http
    provider.invite(NEW)
    row = provider.users()[NEW]["id"]
    body = {"email": NEW, "providerInviteToken": "x", "providerUserId": row}
    refused(http.post("eu!/accounts/register/finish", body=body), 400, "Invalid provider invite token.")
    token = lab.mailbox(NEW)[-1].token
    for changes in ({"email": "other@example.net"}, {"providerUserId": UNKNOWN}):
        answer = http.post("eu!/accounts/register/finish", body={**body, "providerInviteToken": token, **changes})
        refused(answer, 400, "Invalid provider invite token.")
    beta = lab.rows("eu", "member", email="owner@beta.example")[0]
    body = {"email": "owner@beta.example", "orgInviteToken": "x", "organizationUserId": beta["id"]}
    refused(http.post("eu!/accounts/register/finish", body=body), 400, "Organization invite token is invalid.")


def test_a_person_accepts(provider: Provider) -> None:
    """With an account and keys of his own, of which tests know the password; his requests are not counted."""
    lab, http = provider.lab, provider.http
    provider.invite(NEW)
    lab.clear_requests()
    who = lab.accept_invitation(NEW)
    assert lab.writes() == []
    assert http.grant("eu", **http.password_form(who)).status_code == 200
    assert http.grant("eu", **http.key_form(who)).status_code == 200
    user = lab.rows("eu", "user", email=NEW)[0]
    assert (provider.users()[NEW]["userId"], user["emailVerified"]) == (who.user_id, True)
    owner = lab.accept_invitation("owner@beta.example")
    member = lab.rows("eu", "member", email="owner@beta.example")[0]
    assert (member["userId"], member["status"]) == (owner.user_id, 1)
    assert user["publicKey"] != lab.rows("eu", "user", email="owner@beta.example")[0]["publicKey"]
    with pytest.raises(LookupError):
        lab.accept_invitation("nobody@example.net")
    with pytest.raises(RuntimeError, match="Already accepted"):
        lab.accept_invitation(NEW)


def test_a_person_with_an_account_accepts(provider: Provider) -> None:
    """As himself."""
    provider.invite("family@example.org")
    assert provider.lab.accept_invitation("family@example.org") == provider.lab.people["family"]
