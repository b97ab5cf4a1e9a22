"""The official client takes the lab for a Bitwarden server. Each run costs a second or two, so a test is a whole story."""

from __future__ import annotations

import pytest

from tests.e2e.client import RELEASES, Client
from tests.lab import Lab

pytestmark = pytest.mark.cli


def names(client: Client, kind: str) -> list[str]:
    """The names of what the client lists."""
    return [entry["name"] for entry in client.run("list", kind)["data"]]


def test_password_login(client: Client, lab: Lab) -> None:
    """A wrong password is told in the client's own words; the right one opens the vault down to a collection's name."""
    owner = lab.people["owner"]
    lab.encrypt_collection(lab.facts["organization_id"], "Operations")
    with pytest.raises(RuntimeError, match="Invalid master password"):
        client.session("login", owner.email, "wrong")
    client.session("login", owner.email, "--passwordenv", "PASSWORD", PASSWORD=owner.master_password)
    assert names(client, "organizations") == [lab.facts["organization_name"]]
    assert names(client, "collections") == ["Operations"]

    lab.clear_requests()
    client.run("sync", "-f")
    assert [seen.path for seen in lab.requests()][:2] == ["/connect/token", "/sync"], "the refresh token was used"


def test_api_key_login(client: Client, lab: Lab) -> None:
    """What an unattended job does: API key, unlock, sync, list."""
    owner = lab.people["owner"]
    with pytest.raises(RuntimeError, match="client_id or client_secret is incorrect"):
        client.run("login", "--apikey", BW_CLIENTID=owner.client_id, BW_CLIENTSECRET="wrong")
    client.run("login", "--apikey", BW_CLIENTID=owner.client_id, BW_CLIENTSECRET=owner.client_secret)
    assert client.run("status")["template"]["status"] == "locked"
    client.session("unlock", "--passwordenv", "PASSWORD", PASSWORD=owner.master_password)
    client.run("sync", "-f")
    assert names(client, "organizations") == [lab.facts["organization_name"]]


@pytest.mark.parametrize("lab", RELEASES[-1:], indirect=True)
def test_password_login_with_argon2id(client: Client, lab: Lab) -> None:
    """The other key derivation."""
    bob = lab.people["bob"]
    client.session("login", bob.email, "--passwordenv", "PASSWORD", PASSWORD=bob.master_password)
    assert names(client, "organizations") == [lab.facts["organization_name"]]
