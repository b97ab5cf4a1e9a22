"""provider-and-client-orgs section 11: from a new client to an organization of the self-hosted server, and its own owner."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.provider import Provider
from tests.contract.speak import RELEASES, Http, refused
from tests.lab import Lab, Person, crypto, people

SERVICE, OWNER = "service@new.example", "owner@new.example"
_CUSTOM = {"type": 4, "accessSecretsManager": False, "permissions": {"manageUsers": True}, "collections": [], "groups": []}


def token(http: Http, who: Person) -> str:
    """Log in by API key."""
    return str(http.grant(who.server, **http.key_form(who)).json()["access_token"])


def apply(provider: Provider, name: str, who: Person) -> t.Any:
    """Download a client's license and create an organization from it on the self-hosted server."""
    http, lab = provider.http, provider.lab
    organization, installation = provider.clients()[name]["organizationId"], lab.facts["installation_id"]
    found = http.get(f"eu:/organizations/{organization}/license?installationId={installation}", provider.petra)
    key, user = people.key64(f"local {name}"), lab.rows("selfhost", "user", id=who.user_id)[0]
    parts = {"key": crypto.wrap(key, user["publicKey"]), "collectionName": crypto.encrypt(b"Default collection", key)}
    return http.upload(found.content, token=token(http, who), **parts)


@pytest.mark.parametrize("version", RELEASES)
def test_11_activation(lab: Lab, http: Http, version: str) -> None:
    """Create, license, apply, promote, demote; a Teams license is refused, and so is the last owner's demotion."""
    lab.reset(version=version)
    provider = Provider(lab, http, cloud_version=version)
    provider.create(ownerEmail=SERVICE, seats=5)
    provider.create(ownerEmail=SERVICE, name="Teams Client", planType=17)
    cloud = lab.accept_invitation(SERVICE)
    assert (cloud.server, lab.rows("selfhost", "organization")) == ("eu", [])
    service = lab.people["owner"]
    refused_license = apply(provider, "Teams Client", service)
    assert "The license does not allow for on-premise hosting" in refused_license.json()["message"]
    created = apply(provider, "New Client", service).json()
    assert (created["seats"], created["planType"]) == (5, 19)
    assert lab.organization_key(created["id"], server="selfhost") == people.key64("local New Client")

    where, admin = f"selfhost:/organizations/{created['id']}/users", token(http, service)
    body = {"emails": [OWNER], "type": 0, "collections": [], "groups": []}
    assert http.post(f"{where}/invite", admin, body).status_code == 200
    members = {row["email"]: row["id"] for row in http.get(where, admin).json()["data"]}
    demote = f"{where}/{members[service.email]}"
    no_owner = "Organization must have at least one confirmed owner."
    refused(http("PUT", demote, admin, json=_CUSTOM), 400, no_owner)
    owner = lab.accept_invitation(OWNER, server="selfhost")
    public = lab.rows("selfhost", "user", id=owner.user_id)[0]["publicKey"]
    confirmed = {"key": crypto.wrap(people.key64("local New Client"), public)}
    assert http.post(f"{where}/{members[OWNER]}/confirm", admin, confirmed).status_code == 200
    assert http("PUT", demote, token(http, owner), json=_CUSTOM).status_code == 200
    assert lab.rows("selfhost", "member", id=members[service.email])[0]["type"] == 4
