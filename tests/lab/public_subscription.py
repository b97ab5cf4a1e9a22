"""The public API: what an organization pays for.

Source: bitwarden/server src/Api/Billing/Public/Controllers/OrganizationController.cs.
"""

from __future__ import annotations

from flask import Response

from tests.lab.public_web import blueprint, organization
from tests.lab.web import answer, cloud_only

routes = blueprint("public_subscription")


@routes.get("/public/organization/subscription")
def read() -> Response:
    """Seats and storage; in the cloud alone."""
    cloud_only()
    row = organization().organization
    manager = {"seats": row["seats"], "maxAutoScaleSeats": row.get("maxAutoscaleSeats"), "storage": row["maxStorageGb"]}
    machines = {"seats": row["smSeats"], "serviceAccounts": row["smServiceAccounts"]}
    secrets = {**machines, **dict.fromkeys(("maxAutoScaleSeats", "maxAutoScaleServiceAccounts"))}
    return answer({"passwordManager": manager, "secretsManager": secrets})
