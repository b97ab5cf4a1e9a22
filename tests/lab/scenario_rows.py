"""The rows that scenarios are made of: organizations, their members, and when they are paid for until."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.lab import crypto, views
from tests.lab.core import iso
from tests.lab.people import KEYS, PEOPLE, guid, key64, secret
from tests.lab.state import Row

# organizations by id: the label of their keys
LABELS = {
    guid(label): label
    for label in (
        "cloud organization",
        "local organization",
        "families organization",
        "alpha organization",
        "beta organization",
        "gamma organization",
    )
}


def midnight(moment: datetime) -> datetime:
    """Return the beginning of a day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def organization_row(label: str, name: str, plan_type: int, seats: int | None, ends: datetime | None) -> Row:
    """Return an organization that pays for itself until C(ends), or not at all."""
    pair = KEYS[label.replace("cloud ", "")]
    return {
        "id": guid(label),
        "name": name,
        "businessName": None,
        "billingEmail": "billing@example.com",
        "status": 1,
        "seats": seats,
        "enabled": True,
        "licenseKey": secret(f"license {label}", 20),
        "identifier": None,
        **views.LIMITS,
        **views.plan_fields(plan_type),
        **views.SETTINGS,
        "publicKey": pair["public"],
        "privateKey": crypto.encrypt(crypto.unb64(pair["private"]), key64(label)),
        "expirationDate": iso(ends) if ends else None,
        "subscription": annual(ends) if ends else None,
    }


def annual(ends: datetime) -> Row:
    """An active subscription that began with a trial of a week."""
    return {"status": "active", "trialEnd": iso(ends - timedelta(days=358)), "periodEnd": iso(ends), "periodDays": 365}


def member_row(organization_id: str, label: str, role: int) -> Row:
    """Return the confirmed membership of somebody of the cast."""
    who, organization = PEOPLE[label], LABELS[organization_id]
    row = {"id": guid(f"member {organization} {label}"), "organizationId": organization_id, "userId": who.user_id}
    wrapped = crypto.wrap(key64(organization), KEYS[label]["public"])
    return {**row, "email": who.email, "type": role, "status": 2, "permissions": None, "key": wrapped}
