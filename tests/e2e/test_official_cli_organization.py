"""The official client administers organizations of the lab: its own, and a client's through the provider."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest

from tests.contract.organization import Organization
from tests.contract.speak import Http
from tests.e2e.client import RELEASES, Client
from tests.lab import Lab, Person

pytestmark = pytest.mark.cli

NEW = "new@example.org"
EXPORT = {
    "encrypted": False,
    "collections": [{"id": "1", "organizationId": "o", "name": "Imported/Servers", "externalId": None}],
    "items": [
        {
            "id": "2",
            "organizationId": "o",
            "collectionIds": ["1"],
            "type": 1,
            "name": "Router",
            "notes": "Third floor",
            "favorite": False,
            "reprompt": 0,
            "fields": [{"name": "VLAN", "value": "7", "type": 0, "linkedId": None}],
            "login": {"uris": [{"match": None, "uri": "https://router.example.com"}], "username": "admin", "password": "s3cret"},
        },
        {"type": 2, "name": "Note", "notes": "Text", "collectionIds": ["1"], "secureNote": {"type": 0}, "reprompt": 0},
    ],
}


def coded(data: dict[str, t.Any]) -> str:
    """Write JSON as the client wants its input."""
    return base64.b64encode(json.dumps(data).encode()).decode()


def log_in(client: Client, who: Person) -> None:
    """Log in with a master password."""
    client.session("login", who.email, "--passwordenv", "PASSWORD", PASSWORD=who.master_password)


def listed(client: Client, kind: str, organization_id: str, name: str = "name") -> list[str]:
    """List something of an organization."""
    return [entry[name] for entry in client.run("list", kind, "--organizationid", organization_id)["data"]]


def test_collections_and_members(client: Client, program: Path, lab: Lab, tmp_path: Path) -> None:
    """A collection is created, changed and deleted; somebody who accepted is confirmed and reads its name."""
    organization = Organization(lab, Http(lab))
    organization.invite(NEW)
    guest, here = lab.accept_invitation(NEW, "selfhost"), ("--organizationid", organization.id)
    log_in(client, lab.people["owner"])
    assert listed(client, "org-members", organization.id, "email") == [
        "owner@example.com",
        "ann@example.com",
        "bob@example.com",
        NEW,
    ]
    member = organization.id_of(NEW)
    client.run("confirm", "org-member", member, *here)
    assert organization.members()[NEW] == (2, 2)
    assert lab.held_key(member, "selfhost") == lab.organization_key(organization.id, "selfhost")

    wanted = {"organizationId": organization.id, "name": "Departments/IT", "externalId": "it", "groups": [], "users": None}
    made = client.run("create", "org-collection", coded(wanted), *here)["id"]
    assert listed(client, "org-collections", organization.id) == ["Departments/IT"]
    access = [{"id": member, "readOnly": True, "hidePasswords": False, "manage": False}]
    kept = client.run("get", "org-collection", made, *here)
    client.run(
        "edit", "org-collection", made, coded({**kept, "name": "Departments/Tech", "users": kept["users"] + access}), *here
    )
    assert listed(client, "org-collections", organization.id) == ["Departments/Tech"]
    assert organization.access(made)[1] == {organization.id_of("owner@example.com"): "manage", member: "readOnly"}

    (tmp_path / "guest").mkdir()
    other = Client(program, lab, tmp_path / "guest")
    other.run("config", "server", lab.facts["server_url"])
    log_in(other, guest)
    assert [entry["name"] for entry in other.run("list", "collections")["data"]] == ["Departments/Tech"]

    client.run("delete", "org-collection", made, *here)
    assert listed(client, "org-collections", organization.id) == []


def test_import_and_export(client: Client, lab: Lab, tmp_path: Path) -> None:
    """What is imported is listed, decrypted, and comes out again."""
    organization = Organization(lab, Http(lab))
    log_in(client, lab.people["owner"])
    source, target = tmp_path / "source.json", tmp_path / "target.json"
    source.write_text(json.dumps(EXPORT))
    client.run("import", "--organizationid", organization.id, "bitwardenjson", str(source))
    assert listed(client, "org-collections", organization.id) == ["Imported/Servers"]
    items = client.run("list", "items", "--organizationid", organization.id)["data"]
    router = next(item for item in items if item["name"] == "Router")
    assert (router["login"]["username"], router["notes"], router["fields"][0]["value"]) == ("admin", "Third floor", "7")
    assert router["collectionIds"] == [organization.data("/collections")[0]["id"]]

    client.run("export", "--organizationid", organization.id, "--format", "json", "--output", str(target))
    found = json.loads(target.read_text())
    assert sorted(item["name"] for item in found["items"]) == ["Note", "Router"]
    assert [collection["name"] for collection in found["collections"]] == ["Imported/Servers"]


@pytest.mark.parametrize("lab", RELEASES[-1:], indirect=True)
def test_a_client_through_its_provider(program: Path, lab: Lab, tmp_path: Path) -> None:
    """A provider user reads the names of a client's collections, and creates one that the client's owner manages."""
    lab.reset(scenario="msp")
    beta = lab.facts["beta_organization_id"]
    client = Client(program, lab, tmp_path)
    services = ("api", "identity", "events", "icons", "notifications")
    client.run("config", "server", *(word for name in services for word in (f"--{name}", f"https://{name}.bitwarden.eu")))
    log_in(client, lab.people["provider_user"])
    assert listed(client, "org-collections", beta) == ["Default collection"]
    owner = client.run("list", "org-members", "--organizationid", beta)["data"][0]["id"]
    users = [{"id": owner, "readOnly": False, "hidePasswords": False, "manage": True}]
    made = {"organizationId": beta, "name": "Servers", "externalId": None, "groups": [], "users": users}
    client.run("create", "org-collection", coded(made), "--organizationid", beta)
    assert listed(client, "org-collections", beta) == ["Default collection", "Servers"]
