"""Pages B and C: a provider, and a client that is created and filled by one playbook, or that hosts its own server."""

from __future__ import annotations

import json
import typing as t

from tests.demo import LOCAL, Demo, page_a
from tests.lab import Lab

PLAYBOOK = "playbooks/client_organization.yml"
CLIENT = "Acme"
OWNER = "owner@acme.example"
TECHNICIAN = "tech@msp.example"
MEMBERS = [f"person{number:02}@acme.example" for number in range(1, 13)]
COLLECTIONS = ["Departments", "Departments/IT", "Departments/IT/Servers", "Departments/Marketing", "Shared"]
ITEMS = 40
SSO_SECRET = "sso-secret-of-acme-0123456789"
ITEM_PASSWORD = "imported-password-"


def provider(lab: Lab, who: str = "provider_user") -> dict[str, t.Any]:
    """The variables of a provider's user."""
    person = lab.people[who]
    return {
        "provider_cloud": {
            "region": lab.facts["region"],
            "client_id": person.client_id,
            "client_secret": person.client_secret,
            "master_password": person.master_password,
            "ca_path": lab.ca_path,
        },
        "provider_name": lab.facts["provider_name"],
    }


def invitation_link(lab: Lab, email: str) -> str:
    """Return the link in the newest invitation mail of an address."""
    mail = [mail for mail in lab.mailbox(email) if "Join" in mail.subject][-1]
    return next(word for word in mail.text.split() if word.startswith("https://"))


def export() -> str:
    """An export of forty logins, spread over all collections."""
    collections = [{"id": f"c{number}", "organizationId": None, "name": name} for number, name in enumerate(COLLECTIONS)]
    items = [
        {
            "type": 1,
            "name": f"Login {number:02}",
            "login": {
                "username": f"user{number}",
                "password": f"{ITEM_PASSWORD}{number:02}",
                "uris": [{"match": None, "uri": f"https://site{number}.example"}],
            },
            "collectionIds": [f"c{number % len(collections)}"],
        }
        for number in range(ITEMS)
    ]
    return json.dumps({"encrypted": False, "collections": collections, "items": items})


def contents(page: Demo) -> dict[str, t.Any]:
    """The variables of what is in the client."""
    file = page.directory / "acme.json"
    file.write_text(export())
    return {
        "organization_settings": {"limit_collection_creation": True},
        "organization_groups": [{"name": "IT", "members": MEMBERS[:6]}, {"name": "Marketing", "members": MEMBERS[6:]}],
        "organization_collections": [
            {"name": name, "groups": [{"name": "IT", "permission": "manage"}, {"name": "Marketing", "permission": "view"}]}
            for name in COLLECTIONS
        ],
        "organization_members": [{"email": email} for email in MEMBERS],
        "organization_policies": [
            {"type": "single_org"},
            {"type": "master_password", "data": {"minComplexity": 3, "minLength": 14}},
            {"type": "password_generator", "data": {"minLength": 20}},
            {"type": "maximum_vault_timeout", "data": {"type": "custom", "minutes": 60, "action": "lock"}},
            {"type": "disable_personal_vault_export"},
            {"type": "remove_unlock_with_pin"},
        ],
        "organization_sso": {
            "identifier": "acme",
            "oidc": {"authority": "https://idp.acme.example", "client_id": "bitwarden", "client_secret": SSO_SECRET},
        },
        "organization_imports": [{"src": str(file)}],
    }


def declare(page: Demo, **changes: t.Any) -> None:
    """Write the inventory: a provider with one client, changed by the variables given."""
    client = {"name": CLIENT, "plan": "enterprise", "seats": 15, "owner_email": OWNER}
    host = {"provider_client": client, **contents(page), **changes}
    everybody = {
        **provider(page.lab),
        "provider_users": [{"email": TECHNICIAN}],
        "provider_report_path": str(page.directory / "report"),
    }
    page.write_inventory(
        {"all": {"hosts": {"localhost": dict(LOCAL)}, "vars": everybody, "children": {"clients": {"hosts": {"acme": host}}}}}
    )


SERVICE = "bitwarden-service@msp.example"
SERVICE_PASSWORD = "service master password 1"
NEW_OWNER = "boss@acme.example"
ACTIVATION = "playbooks/msp_activation.yml"


def declare_server(page: Demo, **changes: t.Any) -> None:
    """Write the inventory: a client that hosts its own server, changed by the variables given."""
    client = {"name": CLIENT, "plan": "enterprise", "seats": 15, "owner_email": SERVICE}
    variables = {
        **{name: value for name, value in page_a(page.lab, page.stack).items() if name.startswith(("server_", "egress_"))},
        **provider(page.lab),
        "licensing_bwdata": str(page.stack.bwdata),
        "provider_client": client,
        "provider_server": {"server_url": page.lab.facts["server_url"], "ca_path": page.lab.ca_path},
        "provider_service_master_password": SERVICE_PASSWORD,
        "provider_owner_email": NEW_OWNER,
        **changes,
    }
    page.write_inventory({"bitwarden": {"hosts": {"vault.example.com": dict(LOCAL)}, "vars": variables}})
