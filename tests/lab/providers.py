"""A provider itself. Setting one up and deleting one need a browser and nobody's automation: they are left out.

Source: bitwarden/server src/Api/AdminConsole/Controllers/ProvidersController.cs.
"""

from __future__ import annotations

import html

from flask import Blueprint, Response

from tests.lab.core import invalid
from tests.lab.emails import is_email
from tests.lab.provider_access import managed
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, here

routes = Blueprint("providers", __name__)

_SHOWN = ("id", "name", "businessName", "billingEmail", "creationDate", "type")
_LEGACY = ("businessAddress1", "businessAddress2", "businessAddress3", "businessCountry", "businessTaxNumber")


def _shown(provider: Row) -> Response:
    return answer({"object": "provider", **dict.fromkeys(_LEGACY), **{name: provider[name] for name in _SHOWN}})


@routes.get("/providers/<provider_id>")
def read(provider_id: str) -> Response:
    """A provider, without its state and its seats."""
    _unused, provider = managed(provider_id, admin=False)
    return _shown(provider)


@routes.put("/providers/<provider_id>")
@routes.post("/providers/<provider_id>")
def update(provider_id: str) -> Response:
    """Change names and billing e-mail; the clients keep theirs."""
    _unused, provider = managed(provider_id)
    fields = body()
    provider |= {"name": _name(fields, "Name"), "businessName": _name(fields, "BusinessName")}
    if not provider["name"]:
        raise invalid("Name", "The Name field is required.")
    email = str(fields.get("billingEmail") or "")
    if not is_email(email):
        raise invalid("BillingEmail", "The BillingEmail field is not a valid e-mail address.")
    return _shown(here().put("provider", {**provider, "billingEmail": email.lower()}))


def _name(fields: Fields, name: str) -> str | None:
    """Read a name, whose length counts as it would stand in HTML."""
    text = fields.get(name)
    if text and len(html.escape(text).replace("&#x27;", "&#39;")) > 50:
        raise invalid(name, f"The field {name} exceeds the maximum length.")
    return str(text) if text else None
