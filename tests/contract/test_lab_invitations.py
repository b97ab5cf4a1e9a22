"""organization-admin 4.4 and auth-and-crypto 3.3: what the mail of an invitation holds, and people who follow its link."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest

from tests.contract.speak import Http, refused
from tests.lab import Lab, crypto

NEW = "new@example.com"
_CLOSED = "Open registration has been disabled by the system administrator."


def invite(lab: Lab, http: Http, email: str = NEW) -> str:
    """Invite somebody into the self-hosted organization; returns the membership's id."""
    where = f"selfhost:/organizations/{lab.facts['organization_id']}/users"
    body = {"emails": [email], "type": 2, "collections": [], "groups": []}
    assert http.post(f"{where}/invite", http.token("owner"), body).status_code == 200
    return str(next(row["id"] for row in http.get(where, http.token("owner")).json()["data"] if row["email"] == email))


def link(lab: Lab, email: str) -> dict[str, str]:
    """Return the values of the newest link."""
    found = re.search(r"https://vault\.example\.com/#/accept-organization\?(\S+)", lab.mailbox(email)[-1].text)
    assert found
    return {name: values[0] for name, values in parse_qs(found[1]).items()}


def test_4_4_the_link(lab: Lab, http: Http) -> None:
    """Leads to the server that invites and says whether there is an account; with SSO, its identifier."""
    member = invite(lab, http, "tag+new@example.com")
    values = link(lab, "tag+new@example.com")
    about = {"organizationId": lab.facts["organization_id"], "organizationUserId": member, "email": "tag+new@example.com"}
    told = {"organizationName": "Example Org", "initOrganization": "False", "orgUserHasExistingUser": "False"}
    assert values == {**about, **told, "token": lab.mailbox("tag+new@example.com")[-1].token}
    lab.set_organization("selfhost", lab.facts["organization_id"], identifier="example")
    lab.accept_invitation("tag+new@example.com", server="selfhost")
    lab.delete_row("selfhost", "member", member)
    invite(lab, http, "tag+new@example.com")
    again = link(lab, "tag+new@example.com")
    assert (again["orgUserHasExistingUser"], again["orgSsoIdentifier"]) == ("True", "example")


def test_4_4_somebody_without_an_account(lab: Lab, http: Http) -> None:
    """Registers with the token, even where registration is closed, and is a member once he is confirmed."""
    lab.change_settings({"globalSettings__disableUserRegistration": "true"})
    member, organization = invite(lab, http), lab.facts["organization_id"]
    closed = {"email": NEW, "orgInviteToken": "x", "organizationUserId": member}
    refused(http.post("selfhost!/accounts/register/finish", body=closed), 400, _CLOSED)
    who = lab.accept_invitation(NEW, server="selfhost")
    assert (who.server, who.email) == ("selfhost", NEW)
    assert lab.rows("selfhost", "member", id=member)[0]["status"] == 1
    public = http.get(f"selfhost:/users/{who.user_id}/public-key", http.token("owner")).json()["publicKey"]
    key = crypto.wrap(lab.organization_key(organization, server="selfhost"), public)
    confirm = f"selfhost:/organizations/{organization}/users/{member}/confirm"
    assert http.post(confirm, http.token("owner"), {"key": key}).status_code == 200
    token = http.grant("selfhost", **http.key_form(who)).json()["access_token"]
    entry = http.get("selfhost:/accounts/profile", token).json()["organizations"][0]
    assert (entry["id"], entry["key"]) == (organization, key)


def test_4_4_who_is_enrolled_sends_his_key(lab: Lab, http: Http) -> None:
    """Where the organization enrols everybody in account recovery; it opens with the organization's private key."""
    organization = lab.facts["organization_id"]
    policy = {"organizationId": organization, "type": 8, "enabled": True, "data": {"autoEnrollEnabled": True}}
    lab.put_row("selfhost", "policy", id="recovery", **policy)
    member = invite(lab, http)
    who = lab.accept_invitation(NEW, server="selfhost")
    sent = lab.rows("selfhost", "member", id=member)[0]["resetPasswordKey"]
    row = lab.rows("selfhost", "organization", id=organization)[0]
    private = crypto.decrypt(row["privateKey"], lab.organization_key(organization, server="selfhost"))
    user = lab.rows("selfhost", "user", email=NEW)[0]
    stretched = crypto.stretch(crypto.master_key(who.master_password, who.email, user))
    assert crypto.unwrap(sent, crypto.b64(private)) == crypto.decrypt(user["key"], stretched)


def test_4_4_tokens_end(lab: Lab, http: Http) -> None:
    """After five days; nobody accepts without an invitation."""
    invite(lab, http)
    lab.advance(120 * 3600 + 1)
    with pytest.raises(RuntimeError, match="Organization invite token is invalid"):
        lab.accept_invitation(NEW, server="selfhost")
    with pytest.raises(LookupError):
        lab.accept_invitation(NEW)
