"""The worlds as tests find them.

C(plain): accounts only. C(first_license): the cloud has the organization, the self-hosted server has none yet.
C(page_a): the self-hosted server has it from an older, smaller license. C(provider): and a provider manages the cloud's one.
C(msp): a provider with two client organizations of its own. C(business_unit): the same with one annual plan.
"""

from __future__ import annotations

import typing as t
from datetime import timedelta

from tests.lab import license_files, provider_scenarios, views
from tests.lab.core import World, iso
from tests.lab.license_routes import licensed
from tests.lab.organization_keys import create_key
from tests.lab.people import PEOPLE, guid, secret, user_row
from tests.lab.scenario_rows import annual, member_row, midnight, organization_row
from tests.lab.state import Row

NAMES = ("plain", "first_license", "page_a", "provider", "msp", "business_unit")
REGION = "eu"
SEATS, OLD_SEATS = 25, 10

FACTS: Row = {
    "region": REGION,
    "server_url": "https://vault.example.com",
    "installation_id": guid("installation"),
    "installation_key": secret("installation", 20),
    "cloud_organization_id": guid("cloud organization"),
    "organization_id": guid("local organization"),
    "organization_name": "Example Org",
    "families_organization_id": guid("families organization"),
    **provider_scenarios.FACTS,
}

_ORGANIZATION = ("cloud_organization_id", "organization_name", "families_organization_id")
_CLIENTS = tuple(provider_scenarios.FACTS)
# scenario: the facts that hold in it, besides region, server and installation
_HOLD = {
    "plain": ("organization_name",),
    "first_license": _ORGANIZATION,
    "page_a": (*_ORGANIZATION, "organization_id"),
    "provider": (*_ORGANIZATION, "organization_id", "provider_id", "provider_name"),
    "msp": _CLIENTS,
    "business_unit": _CLIENTS,
}


def build(name: str, worlds: t.Mapping[str, World], domain: str) -> Row:
    """Fill empty worlds and return the scenario's facts."""
    if name not in NAMES:
        raise ValueError(f"unknown scenario {name!r}; known: {', '.join(NAMES)}")
    cloud, selfhost = worlds[REGION], worlds["selfhost"]
    for label, who in PEOPLE.items():
        worlds[who.server].put("user", user_row(label))
    installation = {"id": FACTS["installation_id"], "key": FACTS["installation_key"], "email": "ops@example.com", "enabled": True}
    cloud.put("installation", installation)
    if name in ("msp", "business_unit"):
        provider_scenarios.build(cloud, name)
    elif name != "plain":
        _cloud_organization(cloud)
        _families_organization(cloud)
    if name == "provider":
        provider_scenarios.adopt(cloud, FACTS["cloud_organization_id"])
    if name in ("page_a", "provider"):
        _local_organization(cloud, selfhost)
    held = ("region", "server_url", "installation_id", "installation_key", *_HOLD[name])
    return {**dict.fromkeys(FACTS), **{fact: FACTS[fact] for fact in held}, "server_url": f"https://{domain}"}


def _cloud_organization(cloud: World) -> None:
    ends = midnight(cloud.now()) + timedelta(days=330)
    row = cloud.put("organization", organization_row("cloud organization", FACTS["organization_name"], 20, SEATS, ends))
    create_key(cloud, row["id"], 0)
    cloud.put("member", member_row(row["id"], "cloud_owner", 0))


def _families_organization(cloud: World) -> None:
    ends = midnight(cloud.now()) + timedelta(days=300)
    row = cloud.put("organization", organization_row("families organization", "Family", 22, 6, ends))
    cloud.put("member", member_row(row["id"], "family", 0))


def _local_organization(cloud: World, selfhost: World) -> None:
    """As if it had been created 320 days ago from the license of that day."""
    issued = midnight(selfhost.now()) - timedelta(days=320)
    then = {**(cloud.get("organization", FACTS["cloud_organization_id"]) or {}), "seats": OLD_SEATS}
    ends = issued + timedelta(days=345)
    then |= {"expirationDate": iso(ends), "subscription": annual(ends)}
    old = license_files.sealed(license_files.properties(cloud, then, FACTS["installation_id"], issued), cloud)
    row = organization_row("local organization", FACTS["organization_name"], 20, OLD_SEATS, ends) | licensed(old)
    del row["subscription"]
    selfhost.put("organization", {**row, **{name: then[name] for name in views.ABILITIES}, "maxStorageGb": 10240})
    selfhost.core.selfhost.write_license(row["id"], old)
    create_key(selfhost, row["id"], 0)
    for label, role in (("owner", 0), ("ann", 2), ("bob", 2)):
        selfhost.put("member", member_row(row["id"], label, role))
