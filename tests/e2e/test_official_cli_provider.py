"""The official client takes the lab's cloud for Bitwarden's, through a provider and as one of its clients' members."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.client import RELEASES, Client
from tests.lab import Lab, Person

pytestmark = pytest.mark.cli


@pytest.mark.parametrize("lab", RELEASES[-1:], indirect=True)
def test_a_provider_user_confirms_an_owner_who_then_reads(lab: Lab, program: Path, tmp_path: Path) -> None:
    """The key chain of the client itself: user, provider, organization; the confirmed owner opens his copy."""
    lab.reset(scenario="msp")
    beta = lab.facts["beta_organization_id"]
    owner = lab.accept_invitation("owner@beta.example")
    lab.encrypt_collection(beta, "Servers/Linux", server="eu")

    petra = signed_in(Client(program, lab, tmp_path / "petra"), lab.people["provider_user"])
    collections = petra.run("list", "org-collections", "--organizationid", beta)["data"]
    assert sorted(entry["name"] for entry in collections) == ["Default collection", "Servers/Linux"]
    members = petra.run("list", "org-members", "--organizationid", beta)["data"]
    waiting = next(row["id"] for row in members if row["email"] == owner.email)
    petra.run("confirm", "org-member", waiting, "--organizationid", beta)

    client = signed_in(Client(program, lab, tmp_path / "owner"), owner)
    assert [entry["name"] for entry in client.run("list", "organizations")["data"]] == ["Beta Client"]
    assert "Default collection" in [entry["name"] for entry in client.run("list", "collections")["data"]]


def signed_in(client: Client, who: Person) -> Client:
    """Log somebody in at the European cloud."""
    client.run("config", "server", "https://vault.bitwarden.eu")
    client.session("login", who.email, "--passwordenv", "PASSWORD", PASSWORD=who.master_password)
    return client
