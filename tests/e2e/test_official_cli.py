"""The official client takes the lab for a Bitwarden server."""

from __future__ import annotations

import pytest
from tests.e2e.conftest import Client
from tests.lab import Lab

pytestmark = pytest.mark.cli


def names(client: Client) -> list[str]:
    """The organizations that the client lists."""
    return [entry["name"] for entry in client.run("list", "organizations")["data"]]


@pytest.mark.parametrize("label", ["owner", "bob"])
def test_password_login_opens_the_vault_and_lists_the_organization(client: Client, lab: Lab, label: str) -> None:
    """PBKDF2 (owner) and Argon2id (bob)."""
    client.login_with_password(lab.people[label])
    assert client.run("status")["template"]["status"] == "unlocked"
    assert names(client) == [lab.facts["organization_name"]]


def test_api_key_login_then_unlock_then_sync(client: Client, lab: Lab) -> None:
    """What an unattended job does."""
    owner = lab.people["owner"]
    client.login_with_api_key(owner)
    assert client.run("status")["template"]["status"] == "locked"
    client.session("unlock", "--passwordenv", "PASSWORD", PASSWORD=owner.master_password)
    client.run("sync", "-f")
    assert names(client) == [lab.facts["organization_name"]]
    assert client.run("status")["template"]["lastSync"] is not None


def test_sync_after_password_login_uses_the_refresh_token(client: Client, lab: Lab) -> None:
    """A lost refresh token would crash the client here."""
    client.login_with_password(lab.people["owner"])
    lab.clear_requests()
    client.run("sync", "-f")
    assert [seen.path for seen in lab.requests()][:2] == ["/connect/token", "/sync"]


def test_wrong_password_is_refused_in_the_clients_own_words(client: Client, lab: Lab) -> None:
    """The error body is the one that the client looks for."""
    with pytest.raises(RuntimeError, match="Invalid master password"):
        client.session("login", lab.people["owner"].email, "wrong", "--raw")


def test_wrong_api_key_is_refused_in_the_clients_own_words(client: Client, lab: Lab) -> None:
    """invalid_client."""
    with pytest.raises(RuntimeError, match="client_id or client_secret is incorrect"):
        client.run("login", "--apikey", BW_CLIENTID=lab.people["owner"].client_id, BW_CLIENTSECRET="wrong")


def test_the_organizations_key_really_opens(client: Client, lab: Lab) -> None:
    """The client decrypts a collection name with the organization key that it unwraps with the account's own key."""
    organization = lab.facts["organization_id"]
    lab.encrypt_collection(organization, "Operations")
    client.login_with_password(lab.people["owner"])
    found = client.run("list", "collections")["data"]
    assert [entry["name"] for entry in found] == ["Operations"]
