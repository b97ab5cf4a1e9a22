# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The license in force, its organization, and its connection with the cloud."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._client.connections import Connection
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.preflight import problems_of, run_checks
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.scene import Params, Scene, Values, expires_of, health_of


def look(params: Params) -> Values:
    """Read the license in force and its surroundings; with checks, report or raise every problem."""
    cloud = connect(params["cloud"], field_prefix="cloud.") if params["cloud"] else None
    scene = Scene(params, connect(params), cloud, datetime.now(timezone.utc))
    checked = _checked(scene) if params["checks"] else {}
    try:
        return {**_report(scene), **checked}
    except SelfhostError:
        if not checked.get("problems"):
            raise
        return checked  # the same failure is among its problems


def _checked(scene: Scene) -> Values:
    findings = run_checks(scene)
    problems = problems_of(findings).values()
    if scene.params["fail_on_problems"]:
        refuse_all([problem for _check, problem in problems])
    return {
        "checks": [finding.as_dict() for finding in findings],
        "problems": [{"check": check, **problem.as_dict()} for check, problem in problems],
    }


def _report(scene: Scene) -> Values:
    entry = scene.entry
    return {
        "organization_id": entry["id"] if entry else None,
        "organization_name": entry["name"] if entry else None,
        "enabled": entry["enabled"] if entry else None,
        "health": health_of(scene),
        "license": _license(scene),
        "billing_sync": _billing_sync(scene.connection),
        "cloud_communication": scene.cloud_communication if scene.params["checks"] else None,
    }


def _license(scene: Scene) -> Values | None:
    if scene.entry is None:
        return None
    try:
        found = scene.subscription
    except ApiError:
        return None
    expires, without_grace = expires_of(found), found.get("expirationWithoutGracePeriod")
    return {
        "expires": show_date(expires),
        "expires_without_grace": show_date(parse_date(without_grace)) if without_grace else None,
        "days_left": (expires - scene.now).days if expires else None,
        "seats": found["seats"],
        "plan": found["plan"]["name"],
    }


def _billing_sync(connection: Connection | None) -> Values:
    last = connection.last_license_sync if connection else None
    return {
        "connected": connection is not None and connection.enabled,
        "cloud_organization_id": connection.cloud_organization_id if connection else None,
        "last_license_sync": show_date(parse_date(last)) if last else None,
    }
