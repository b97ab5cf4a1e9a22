"""The worlds as tests find them.

C(plain): accounts only. C(first_license): the cloud has the organization, the self-hosted server has none yet.
C(page_a): the self-hosted server has it from an older, smaller license. C(provider): and a provider manages the cloud's one.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from tests.lab import crypto, license_files, views
from tests.lab.core import World, iso
from tests.lab.license_routes import licensed
from tests.lab.organization_keys import create_key
from tests.lab.people import KEYS, PEOPLE, guid, key64, secret, user_row
from tests.lab.state import Row

NAMES = ("plain", "first_license", "page_a", "provider")
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
    "provider_id": guid("provider"),
}

_ABSENT = {
    "first_license": ("organization_id", "provider_id"),
    "page_a": ("provider_id",),
    "plain": ("organization_id", "provider_id", "cloud_organization_id", "families_organization_id"),
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
    if name != "plain":
        _cloud_organization(cloud)
        _families_organization(cloud)
    if name == "provider":
        _provider(cloud)
    if name in ("page_a", "provider"):
        _local_organization(cloud, selfhost)
    return {**FACTS, "server_url": f"https://{domain}", **dict.fromkeys(_ABSENT.get(name, ()))}


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _organization(label: str, name: str, plan_type: int, seats: int | None, ends: datetime) -> Row:
    key = key64(label)
    return {
        "id": guid(label),
        "name": name,
        "businessName": None,
        "billingEmail": "billing@example.com",
        "plan": views.PLANS[plan_type][0],
        "planType": plan_type,
        "seats": seats,
        "enabled": True,
        "licenseKey": secret(f"license {label}", 20),
        "identifier": None,
        **views.LIMITS,
        **views.ABILITIES,
        **views.SETTINGS,
        "publicKey": KEYS[label.replace("cloud ", "")]["public"],
        "privateKey": crypto.encrypt(crypto.unb64(KEYS[label.replace("cloud ", "")]["private"]), key),
        "expirationDate": iso(ends),
        "subscription": _annual(ends),
    }


def _annual(ends: datetime) -> Row:
    """An active subscription that began with a trial of a week."""
    return {"status": "active", "trialEnd": iso(ends - timedelta(days=358)), "periodEnd": iso(ends), "periodDays": 365}


def member_row(organization_id: str, label: str, role: int) -> Row:
    """Return the confirmed membership of somebody of the cast."""
    who, organization = PEOPLE[label], LABELS[organization_id]
    row = {"id": guid(f"member {organization} {label}"), "organizationId": organization_id, "userId": who.user_id}
    wrapped = crypto.wrap(key64(organization), KEYS[label]["public"])
    return {**row, "email": who.email, "type": role, "status": 2, "permissions": None, "key": wrapped}


LABELS = {guid(label): label for label in ("cloud organization", "local organization", "families organization")}


def _cloud_organization(cloud: World) -> None:
    ends = _midnight(cloud.now()) + timedelta(days=330)
    row = cloud.put("organization", _organization("cloud organization", FACTS["organization_name"], 20, SEATS, ends))
    create_key(cloud, row["id"], 0)
    cloud.put("member", member_row(row["id"], "cloud_owner", 0))


def _families_organization(cloud: World) -> None:
    ends = _midnight(cloud.now()) + timedelta(days=300)
    row = cloud.put("organization", _organization("families organization", "Family", 22, 6, ends))
    cloud.put("member", member_row(row["id"], "family", 0))


def _provider(cloud: World) -> None:
    who, key = PEOPLE["provider_user"], key64("provider")
    organization = cloud.get("organization", FACTS["cloud_organization_id"]) or {}
    provider = {"id": FACTS["provider_id"], "name": "Example Provider", "subscription": organization["subscription"]}
    cloud.put("provider", provider)
    member = {"id": guid("provider user"), "providerId": provider["id"], "userId": who.user_id, "type": 0, "status": 2}
    cloud.put("provider_user", {**member, "key": crypto.wrap(key, KEYS["provider_user"]["public"])})
    link = {"id": guid("provider organization"), "providerId": provider["id"], "organizationId": organization["id"]}
    cloud.put("provider_organization", {**link, "key": crypto.encrypt(key64("cloud organization"), key)})


def _local_organization(cloud: World, selfhost: World) -> None:
    """As if it had been created 320 days ago from the license of that day."""
    issued = _midnight(selfhost.now()) - timedelta(days=320)
    then = {**(cloud.get("organization", FACTS["cloud_organization_id"]) or {}), "seats": OLD_SEATS}
    ends = issued + timedelta(days=345)
    then |= {"expirationDate": iso(ends), "subscription": _annual(ends)}
    old = license_files.sealed(license_files.properties(cloud, then, FACTS["installation_id"], issued), cloud)
    row = _organization("local organization", FACTS["organization_name"], 20, OLD_SEATS, ends) | licensed(old)
    del row["subscription"]
    selfhost.put("organization", {**row, **{name: then[name] for name in views.ABILITIES}, "maxStorageGb": 10240})
    selfhost.core.selfhost.write_license(row["id"], old)
    create_key(selfhost, row["id"], 0)
    for label, role in (("owner", 0), ("ann", 2), ("bob", 2)):
        selfhost.put("member", member_row(row["id"], label, role))
