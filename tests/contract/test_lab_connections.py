"""licensing-and-billing-sync, checklist items 1 and 7 and section 4; organization-admin 12.1 item 12."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.speak import RELEASES, Answer, Http, refused
from tests.lab import Lab

OTHER = "11111111-2222-4333-8444-555555555555"
KEY = "A" * 30


def read(lab: Lab, http: Http, label: str = "owner", kind: str = "1") -> Answer:
    """Read the connection."""
    return http.get(f"selfhost:/organizations/connections/{lab.facts['organization_id']}/{kind}", http.token(label))


def change(lab: Lab, http: Http, connection: dict[str, t.Any], **fields: t.Any) -> Answer:
    """Replace the connection."""
    body = {"type": 1, "organizationId": lab.facts["organization_id"], "enabled": True, **fields}
    return http("PUT", f"selfhost:/organizations/connections/{connection['id']}", http.token("owner"), json=body)


def test_10_1_nothing_yet_is_an_empty_shape(lab: Lab, http: Http) -> None:
    """200, also under the type's name."""
    empty = {"id": None, "type": 0, "organizationId": "00000000-0000-0000-0000-000000000000", "enabled": False, "config": None}
    assert read(lab, http).json() == empty
    assert read(lab, http, kind="CloudBillingSync").json() == empty


def test_10_1_spelling_of_a_connection(lab: Lab, http: Http) -> None:
    """PascalCase in config, no object; the cloud's id comes from the stored license whatever the client says."""
    created = http.connect(KEY, cloudOrganizationId=OTHER).json()
    config = {"BillingSyncKey": KEY, "CloudOrganizationId": lab.facts["cloud_organization_id"], "LastLicenseSync": None}
    assert created == {
        "id": created["id"],
        "type": 1,
        "organizationId": lab.facts["organization_id"],
        "enabled": True,
        "config": config,
    }
    assert read(lab, http).json() == created


def test_10_1_put_without_the_date_forgets_it(lab: Lab, http: Http) -> None:
    """Sent back, it stays."""
    created = http.connect(KEY).json()
    date = "2026-08-21T10:05:11.1234560+00:00"
    kept = change(lab, http, created, config={"BILLINGSYNCKEY": KEY, "LastLicenseSync": date}).json()
    assert kept["config"]["LastLicenseSync"] == date
    assert change(lab, http, created, config={"billingSyncKey": KEY}).json()["config"]["LastLicenseSync"] is None


def test_4_second_connection(lab: Lab, http: Http) -> None:
    """One of each type."""
    http.connect(KEY)
    text = "The requested organization already has a connection of type CloudBillingSync."
    text += " Only one of each connection type may exist per organization."
    refused(http.connect(KEY), 400, text)


def test_10_9_no_permission_is_400(lab: Lab, http: Http) -> None:
    """For reading, creating, changing and removing."""
    may_not = "You do not have permission to "
    refused(read(lab, http, "ann"), 400, may_not + "retrieve a connection of type CloudBillingSync.")
    connection = http.connect(KEY).json()
    token = http.token("ann")
    body = {"type": 1, "organizationId": lab.facts["organization_id"], "enabled": True, "config": {"billingSyncKey": KEY}}
    refused(
        http.post("selfhost:/organizations/connections", token, body),
        400,
        may_not + "create a connection of type CloudBillingSync.",
    )
    where = f"selfhost:/organizations/connections/{connection['id']}"
    refused(http("PUT", where, token, json=body), 400, may_not + "update this connection.")
    refused(http("DELETE", where, token), 400, may_not + "remove this connection of type CloudBillingSync.")


def test_4_unknown_ids_are_404(lab: Lab, http: Http) -> None:
    """An unknown connection, and one of another organization."""
    connection = http.connect(KEY).json()
    refused(change(lab, http, {"id": OTHER}, config={}), 404, "Resource not found.")
    refused(change(lab, http, connection, organizationId=OTHER, config={}), 404, "Resource not found.")
    refused(http("DELETE", f"selfhost:/organizations/connections/{OTHER}", http.token("owner")), 404, "Resource not found.")


@pytest.mark.parametrize("release", RELEASES)
def test_4_deletion_and_type_by_release(lab: Lab, http: Http, release: str) -> None:
    """The alias is gone and the type is fixed since 2026.6.2."""
    lab.reset(version=release)
    connection = http.connect(KEY).json()
    scim = change(lab, http, connection, type=2, config={"enabled": True})
    assert scim.status_code == (400 if release == "2026.8.0" else 200)
    where = f"selfhost:/organizations/connections/{connection['id']}"
    alias = http.post(f"{where}/delete", http.token("owner"))
    assert alias.status_code == (404 if release == "2026.8.0" else 200)
    if release == "2026.8.0":
        refused(scim, 400, "The connection type cannot be changed.")
        assert http("DELETE", where, http.token("owner")).content == b""
    assert lab.rows("selfhost", "connection") == []


MALFORMED = "Organization Connection configuration malformed"


@pytest.mark.parametrize(
    ("config", "status", "message"),
    [
        (None, 500, "An unhandled server error has occurred."),
        ("text", 400, MALFORMED),
        ({"billingSyncKey": 5}, 400, MALFORMED),
        ({"billingSyncKey": KEY, "lastLicenseSync": "yesterday"}, 400, MALFORMED),
    ],
)
def test_4_bad_configuration(lab: Lab, http: Http, config: t.Any, status: int, message: str) -> None:
    """Wrong value types, and none at all."""
    body = {"type": 1, "organizationId": lab.facts["organization_id"], "enabled": True, "config": config}
    refused(http.post("selfhost:/organizations/connections", http.token("owner"), body), status, message)


def test_4_types(lab: Lab, http: Http) -> None:
    """Only 1 and 2; the billing sync type is nothing for the cloud."""
    body = {"type": 7, "organizationId": lab.facts["organization_id"], "enabled": True, "config": {}}
    refused(
        http.post("selfhost:/organizations/connections", http.token("owner"), body),
        400,
        "Unknown Organization connection Type: 7",
    )
    assert read(lab, http, kind="7").json()["message"] == "The model state is invalid."
    cloud = {**body, "type": 1, "organizationId": lab.facts["cloud_organization_id"]}
    outside = " a CloudBillingSync connection outside of a self-hosted instance."
    refused(http.post("eu:/organizations/connections", http.token("cloud_owner"), cloud), 400, "Cannot create" + outside)
    where = f"eu:/organizations/connections/{cloud['organizationId']}/1"
    refused(http.get(where, http.token("cloud_owner")), 400, "Cannot get" + outside)


@pytest.mark.parametrize(("release", "status"), [("2026.4.0", 500), ("2026.8.0", 400)])
def test_4_the_stored_license_must_verify(lab: Lab, http: Http, release: str, status: int) -> None:
    """Missing: 500 before 2026.6.2. Token over: refused. No cloud communication: no matter."""
    lab.reset(version=release)
    lab.change_settings({"globalSettings__enableCloudCommunication": None})
    assert http.connect(KEY).status_code == 200
    lab.delete_row("selfhost", "connection", lab.rows("selfhost", "connection")[0]["id"])
    lab.advance(60 * 86400)
    refused(http.connect(KEY), 400, "Cannot verify license file.")
    lab.delete_row("selfhost", "license_file", lab.facts["organization_id"])
    assert http.connect(KEY).status_code == status


@pytest.mark.parametrize(("value", "shown"), [("true", True), ("True", True), ("false", False), (None, False), ("yes", False)])
def test_10_7_enabled_is_a_bare_boolean(lab: Lab, http: Http, value: str | None, shown: bool) -> None:
    """Never true in the cloud."""
    lab.change_settings({"globalSettings__enableCloudCommunication": value})
    assert http.get("selfhost:/organizations/connections/enabled", http.token("owner")).json() is shown
    assert http.get("eu:/organizations/connections/enabled", http.token("cloud_owner")).json() is False
