# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a license is applied, and why."""

from __future__ import annotations

import base64
import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import License, parse
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.license import plan_keys, plan_license
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.license_case import Current

NOW = datetime(2026, 8, 21, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def license_of(*, seats: int = 25, expires: datetime = NOW + 400 * DAY, issued: datetime = NOW - DAY) -> License:
    """Return a license as the cloud makes them; its signatures do not matter here."""
    claims = {
        "LicenseType": "Organization",
        "Id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "LicenseKey": "Ex4mpleLicenseKey0001",
        "InstallationId": "11111111-2222-4333-8444-555555555555",
        "Name": "Example Org",
        "Enabled": "True",
        "SelfHost": "True",
        "PlanType": "20",
        "Seats": str(seats),
        "Issued": issued.strftime("%m/%d/%Y %H:%M:%S"),
        "Expires": expires.strftime("%m/%d/%Y %H:%M:%S"),
        "nbf": int(issued.timestamp()),
        "exp": int((issued + 365 * DAY).timestamp()),
    }
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    file = {
        "id": claims["Id"],
        "licenseKey": claims["LicenseKey"],
        "installationId": claims["InstallationId"],
        "licenseType": 1,
        "token": f"e30.{payload}.c2ln",
    }
    return parse(json.dumps(file))


def subscription_of(license: License, **fields: t.Any) -> dict[str, t.Any]:
    """Return the subscription of a server with that license in force."""
    shown = {name: value for name, value in license.values.items() if not isinstance(value, datetime)}
    expires = t.cast(datetime, license.expires).strftime("%Y-%m-%dT%H:%M:%S")
    return {**shown, "expiration": expires, "expirationWithoutGracePeriod": None, "hasPublicAndPrivateKeys": True, **fields}


def current_of(license: License, **fields: t.Any) -> Current:
    known: dict[str, t.Any] = {"subscription": subscription_of(license), "entry": {"enabled": True}}
    return Current("local", **{**known, **fields})


def reason(candidate: License, current: Current, force: bool = False) -> str | None:
    changes = plan_license(candidate, current, NOW, force=force).changes
    return changes[0].reason if changes else None


@pytest.mark.parametrize("by_file", [False, True])
def test_the_same_again_is_unchanged(by_file: bool) -> None:
    old, again = license_of(), license_of(issued=NOW)
    assert reason(again, current_of(old, stored=old if by_file else None)) is None


@pytest.mark.parametrize("by_file", [False, True])
def test_another_entitlement_is_applied(by_file: bool) -> None:
    old, new = license_of(seats=10), license_of()
    plan = plan_license(new, current_of(old, stored=old if by_file else None), NOW)
    (change,) = plan.changes
    assert (change.before["seats"], change.after["seats"]) == (10, 25)
    assert "Ex4mpleLicenseKey0001" not in str(plan.as_list()) + str(plan.diff())


@pytest.mark.parametrize(
    ("old_end", "new_end", "applied"),
    [
        pytest.param(400 * DAY, 765 * DAY, True, id="renewed for a year"),
        pytest.param(400 * DAY, 401 * DAY, False, id="the end moves with each download and is far away"),
        pytest.param(29 * DAY, 30 * DAY, True, id="the end moves with each download and is near"),
        pytest.param(400 * DAY, 390 * DAY, True, id="ends sooner: the subscription was changed"),
        pytest.param(-DAY, 400 * DAY, True, id="expired"),
    ],
)
@pytest.mark.parametrize("by_file", [False, True])
def test_another_end(old_end: timedelta, new_end: timedelta, applied: bool, by_file: bool) -> None:
    old, new = license_of(expires=NOW + old_end), license_of(expires=NOW + new_end)
    assert bool(reason(new, current_of(old, stored=old if by_file else None))) is applied


def test_a_token_that_ends_soon_is_renewed() -> None:
    old, new = license_of(issued=NOW - 340 * DAY), license_of(issued=NOW)
    assert reason(new, current_of(old, stored=old)) == "the license in force ends soon"
    assert reason(new, current_of(old)) is None, "the API does not show the token's end"


def test_what_else_makes_it_apply() -> None:
    license = license_of()
    assert reason(license, current_of(license, subscription=None)) == "the server cannot read the license in force"
    assert reason(license, current_of(license, entry={"enabled": False})) == "the server has disabled the organization"
    assert reason(license, current_of(license), force=True) == "forced"


def test_first_license() -> None:
    (change,) = plan_license(license_of(), None, NOW).changes
    assert (change.action, change.name, change.after["seats"]) == ("create", "Example Org", 25)


def test_key_pair() -> None:
    license = license_of()
    unfinished = current_of(license, subscription=subscription_of(license, hasPublicAndPrivateKeys=False))
    assert plan_keys("Example Org", None).changed
    assert plan_keys("Example Org", unfinished).changed
    assert not plan_keys("Example Org", current_of(license)).changed
    assert not plan_keys("Example Org", current_of(license, subscription=None)).changed
