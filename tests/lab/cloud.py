"""What only the cloud has: installations, license downloads.

Source: bitwarden/server src/Api/Platform/Installations, src/Api/Billing/Controllers/{Organizations,Licenses}Controller.cs.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, request

from tests.lab import license_files
from tests.lab.core import World, bad_request, crash, invalid, iso, not_found
from tests.lab.organization_keys import find_key
from tests.lab.people import secret
from tests.lab.state import Row
from tests.lab.web import answer, body, calling_machine, cloud_only, guid, owned

routes = Blueprint("cloud", __name__)


def _installation(row: Row, key: object) -> Response:
    return answer({"id": row["id"], "key": key, "enabled": row["enabled"], "object": "installation"})


@routes.get("/installations/<installation_id>")
def installation(installation_id: str) -> Response:
    """Does this region know an installation? Asked by anybody."""
    row = cloud_only().get("installation", guid(installation_id))
    if not row:
        raise not_found()
    return _installation(row, None)


@routes.post("/installations")
def new_installation() -> Response:
    """Register an installation; the key is shown this once."""
    world = cloud_only()
    email = str(body().get("email") or "")
    if "@" not in email:
        raise invalid("Email", "The Email field is not a valid e-mail address.")
    row = {"id": str(uuid.uuid4()), "key": secret(str(uuid.uuid4()), 20), "email": email, "enabled": True}
    return _installation(world.put("installation", row), row["key"])


@routes.get("/organizations/<organization_id>/license")
def download(organization_id: str) -> Response:
    """The license of an organization for one installation, for its owner or its provider's users."""
    world = cloud_only()
    _unused, row = owned(organization_id)
    wanted = request.args.get("installationId", "")
    found = (
        world.get("installation", guid(wanted, invalid("installationId", f"The value '{wanted}' is not valid.")))
        if wanted
        else None
    )
    if not found or not found["enabled"]:
        raise bad_request("Invalid installation id")
    license_files.check_payment(world, row)
    link = {"id": f"{row['id']}/{found['id']}", "organizationId": row["id"], "installationId": found["id"]}
    world.put("organization_installation", {**link, "revisionDate": iso(world.now())})
    return answer(license_files.issue(world, row, found["id"]))


@routes.get("/licenses/organization/<organization_id>")
def download_by_installation(organization_id: str) -> Response:
    """The same for a self-hosted server; the keys come as JSON body of this GET."""
    world = cloud_only()
    installation_id = calling_machine("api.licensing")
    fields = body()
    row = world.get("organization", guid(organization_id))
    if not row:
        raise not_found()
    if fields.get("licenseKey") != row["licenseKey"]:
        raise bad_request("Invalid license key.", delay=2)
    check_sync_key(world, row, fields.get("billingSyncKey"))
    license_files.check_payment(world, row)
    return answer(license_files.issue(world, row, installation_id))


def check_sync_key(world: World, organization: Row, given: str | None) -> None:
    """Compare a billing sync key; where none was ever generated the server breaks."""
    key = find_key(world, organization["id"], 1)
    if key is None:
        raise crash()
    if given != key["apiKey"]:
        raise bad_request("Invalid Billing Sync Key")
