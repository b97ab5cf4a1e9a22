# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each module on its own: what it does, that it does it once, and that check mode only says so."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.integration.module_runner import run_module
from tests.integration.page_a import at_cloud, at_server, ok
from tests.lab import Lab

Params = dict[str, t.Any]
Result = dict[str, t.Any]
FRIEND = "ann@personal.example"


def three_times(lab: Lab, module: str, params: Params) -> tuple[Result, Result]:
    """Run in check mode (no write), for real, and again (unchanged, no write); return the last two results."""
    lab.clear_requests()
    said = ok(run_module(module, params, check=True))
    assert lab.writes() == []
    done = ok(run_module(module, params))
    assert done["changes"] == said["changes"]
    assert done["changed"] is said["changed"] is bool(lab.writes())
    lab.clear_requests()
    again = ok(run_module(module, params))
    assert not again["changed"]
    assert again["changes"] == []
    assert lab.writes() == []
    return done, again


def org(lab: Lab) -> Params:
    return {**at_server(lab), "organization_id": lab.facts["organization_id"]}


def owner_of_cloud(lab: Lab) -> Params:
    return {**at_cloud(lab), "master_password": lab.people["cloud_owner"].master_password}


def apply_license(lab: Lab, **properties: t.Any) -> None:
    ok(run_module("organization_license", {**org(lab), "license": json.dumps(lab.cloud_license(**properties))}))


def connection_params(lab: Lab, **options: t.Any) -> Params:
    ids = {"cloud_organization_id": lab.facts["cloud_organization_id"]}
    return {**org(lab), **ids, "cloud": owner_of_cloud(lab), **options}


# --- login, installation -------------------------------------------------------------------------------------------------


def test_login_with_password(lab: Lab) -> None:
    owner = lab.people["owner"]
    person = {"server_url": lab.facts["server_url"], "email": owner.email, "master_password": owner.master_password}
    session = ok(run_module("login", person))["session"]
    info = ok(run_module("organization_license_info", {"session": session, "organization_id": lab.facts["organization_id"]}))
    assert info["organization_name"] == "Example Org"


def test_login_changes_nothing_and_works_in_check_mode(lab: Lab) -> None:
    result = ok(run_module("login", at_server(lab), check=True))
    assert result["session"]
    assert result["server_version"] == "2026.8.0"
    assert not result["changed"]
    assert lab.writes() == []


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("trust", ["ca_path", "validate_certs"])
def test_a_session_knows_whom_to_trust(lab: Lab, monkeypatch: pytest.MonkeyPatch, trust: str) -> None:
    # Without a bundle, requests trusts what SSL_CERT_FILE named when it was imported first: the lab, in some orders of tests.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests.certs.where())
    assert run_module("login", at_server(lab))["failed"]
    options = {"ca_path": lab.ca_path} if trust == "ca_path" else {"validate_certs": False}
    session = ok(run_module("login", {**at_server(lab), **options}))["session"]
    assert ok(run_module("organization_license_info", {"session": session, "organization_name": "Example Org"}))["license"]


def test_a_session_masks_nothing_but_itself(lab: Lab) -> None:
    session = ok(run_module("login", at_server(lab)))["session"]
    info = ok(run_module("organization_license_info", {"session": session, "organization_name": "Example Org"}))
    assert info["organization_id"] == lab.facts["organization_id"]
    assert info["license"]["seats"] == 10
    assert "*" not in json.dumps(info)
    assert session["session"] not in json.dumps(info)


def test_installation(lab: Lab) -> None:
    facts = lab.facts
    known = {"region": "eu", "id": facts["installation_id"]}
    assert ok(run_module("installation", known)) | {"enabled": True, "key_valid": None, "changed": False}
    assert ok(run_module("installation", {**known, "key": facts["installation_key"]}))["key_valid"] is True
    assert lab.writes() == []

    wanted = {"region": "eu", "email": "ops@example.com"}
    planned = ok(run_module("installation", wanted, check=True))
    assert (planned["changed"], planned["id"]) == (True, None)
    assert lab.writes() == []
    made = ok(run_module("installation", wanted))
    assert made["changed"]
    proof = {"region": "eu", "id": made["id"], "key": made["key"]}
    assert ok(run_module("installation", proof))["key_valid"] is True


# --- organization_license --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["license", "license_path"])
def test_license_from_a_file(lab: Lab, tmp_path: Path, option: str) -> None:
    content = json.dumps(lab.cloud_license(seats=12))
    path = tmp_path / "license.json"
    path.write_text(content)
    params = {**org(lab), "installation_id": lab.facts["installation_id"], option: str(path) if option[7:] else content}
    done, again = three_times(lab, "organization_license", params)
    assert done["changes"][0]["after"]["seats"] == 12
    assert again["license"]["seats"] == 12
    assert done["diff"]["before"] != done["diff"]["after"]
    secret = str(lab.cloud_license()["licenseKey"])
    assert secret not in json.dumps(done)


def test_license_without_a_token(lab: Lab) -> None:
    content = json.dumps(lab.cloud_license(seats=12, token=False))
    three_times(lab, "organization_license", {**org(lab), "license": content})


def test_license_directory(lab: Lab, tmp_path: Path) -> None:
    apply_license(lab)
    folder = tmp_path / "organization"
    folder.mkdir()
    stored = folder / f"{lab.facts['organization_id']}.json"
    stored.write_text(json.dumps(lab.stored_license()))
    params = {**at_server(lab), "license_directory": str(tmp_path), "license": json.dumps(lab.cloud_license())}
    assert not ok(run_module("organization_license", params))["changed"], "found by its file, and the same"

    stored.write_text(json.dumps(lab.stored_license())[:300])
    applied = ok(run_module("organization_license", {**org(lab), **params}))
    assert not applied["changed"], "a damaged file is no reason while the server reads another one"

    same = {name: lab.cloud_license()[name] for name in ("expires", "expirationWithoutGracePeriod", "trial")}
    stored.write_text(json.dumps(lab.cloud_license(issued_days_ago=345, **same)))
    renewed = ok(run_module("organization_license", {**params, "organization_name": "Example Org"}))
    assert [change["reason"] for change in renewed["changes"]] == ["the license in force ends soon"]

    stored.write_text(json.dumps(lab.cloud_license(billingEmail="others@example.com", issued_days_ago=1)))
    corrected = ok(run_module("organization_license", {**params, "organization_name": "Example Org"}))
    assert corrected["diff"] == {"before": "", "after": "license Example Org: the license grants something else\n"}


def test_a_license_that_another_organization_uses(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "organization"
    folder.mkdir()
    (folder / "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee.json").write_text(json.dumps(lab.cloud_license()))
    params = {**org(lab), "license_directory": str(tmp_path), "license": json.dumps(lab.cloud_license())}
    result = run_module("organization_license", params)
    assert result["failed"]
    assert "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee) uses this license already" in result["msg"]
    assert lab.writes() == []


def test_older_license_on_purpose(lab: Lab) -> None:
    apply_license(lab)
    older = json.dumps(lab.cloud_license(seats=20, expires="2027-01-01T00:00:00Z"))
    done, _again = three_times(lab, "organization_license", {**org(lab), "license": older, "replace": True})
    assert done["license"]["seats"] == 20


def test_disabled_organization_is_enabled_again(lab: Lab) -> None:
    apply_license(lab)
    lab.set_organization("selfhost", lab.facts["organization_id"], enabled=False)
    info = ok(run_module("organization_license_info", {**at_server(lab), "organization_name": "Example Org"}))
    assert info["health"] == "disabled"
    params = {**at_server(lab), "license": json.dumps(lab.cloud_license())}
    three_times(lab, "organization_license", params)
    assert lab.rows("selfhost", "organization")[0]["enabled"]


def test_force(lab: Lab) -> None:
    apply_license(lab)
    result = ok(run_module("organization_license", {**org(lab), "license": json.dumps(lab.cloud_license()), "force": True}))
    assert [change["reason"] for change in result["changes"]] == ["forced"]


@pytest.mark.lab(scenario="first_license")
def test_first_license(lab: Lab) -> None:
    owner = lab.people["owner"]
    params = {**at_server(lab), "master_password": owner.master_password, "license": json.dumps(lab.cloud_license())}
    done, again = three_times(lab, "organization_license", params)
    assert done["created"]
    assert done["organization_id"] == again["organization_id"] == lab.rows("selfhost", "organization")[0]["id"]
    assert [change["kind"] for change in done["changes"]] == ["license", "organization key pair"]


@pytest.mark.lab(scenario="first_license")
def test_a_session_is_enough_to_create(lab: Lab) -> None:
    session = ok(run_module("login", at_server(lab)))["session"]
    password = lab.people["owner"].master_password
    params = {"session": session, "master_password": password, "license": json.dumps(lab.cloud_license())}
    assert ok(run_module("organization_license", params))["created"]


def test_expired_token_of_the_license_in_force(lab: Lab) -> None:
    apply_license(lab)
    lab.advance(366 * 86400)
    lab.set_organization("eu", lab.facts["cloud_organization_id"], expirationDate="2099-01-01T00:00:00Z")
    info = ok(run_module("organization_license_info", {**at_server(lab), "organization_name": "Example Org"}))
    assert info["health"] == "unreadable"
    fresh = json.dumps(lab.cloud_license(expires="2099-01-01T00:00:00Z"))
    result = run_module("organization_license", {**org(lab), "license": fresh})
    # This machine's clock has not moved with the lab's, so the new license is of the future; nothing else is wrong with it.
    assert "dated in the future" in result["msg"]


# --- billing sync --------------------------------------------------------------------------------------------------------------


def test_billing_sync_token(lab: Lab) -> None:
    params = {**owner_of_cloud(lab), "cloud_organization_id": lab.facts["cloud_organization_id"]}
    planned = ok(run_module("billing_sync_token", params, check=True))
    assert (planned["changed"], planned["token"]) == (True, None)
    assert lab.writes() == []
    made = ok(run_module("billing_sync_token", params))
    assert made["changed"]
    assert len(made["token"]) == 30
    lab.clear_requests()
    again = ok(run_module("billing_sync_token", params))
    assert (again["changed"], again["token"]) == (False, made["token"])
    assert lab.writes() == []

    rotate = {**params, "state": "rotated"}
    planned = ok(run_module("billing_sync_token", rotate, check=True))
    assert (planned["changed"], planned["token"]) == (True, made["token"])
    rotated = ok(run_module("billing_sync_token", rotate))
    assert rotated["changed"]
    assert rotated["token"] not in (made["token"], None)


def test_billing_sync(lab: Lab) -> None:
    apply_license(lab)
    done, again = three_times(lab, "billing_sync", connection_params(lab))
    assert [change["kind"] for change in done["changes"]] == ["billing sync token", "billing sync connection", "license sync"]
    assert done["last_license_sync"] == again["last_license_sync"]
    assert done["license_changed"] is False
    assert again["next_sponsorship_sync"]["earliest"] < again["next_sponsorship_sync"]["latest"]
    assert again["portal_url"].startswith("https://vault.example.com/admin/organizations/view/")
    token = lab.rows("selfhost", "connection")[0]["config"]["BillingSyncKey"]
    assert token not in json.dumps([done, again])


def test_billing_sync_options_one_after_the_other(lab: Lab) -> None:
    apply_license(lab)
    ok(run_module("billing_sync", connection_params(lab)))
    synced = lab.rows("selfhost", "connection")[0]["config"]["LastLicenseSync"]

    kept = {**org(lab), "sync_license": "never"}
    done, _again = three_times(lab, "billing_sync", {**kept, "enabled": False})
    assert (done["changes"][0]["before"], done["changes"][0]["after"]) == ({"enabled": True}, {"enabled": False})
    three_times(lab, "billing_sync", {**kept, "enabled": True})
    assert lab.rows("selfhost", "connection")[0]["config"]["LastLicenseSync"] == synced, "an update does not forget it"

    three_times(lab, "billing_sync", {**kept, "token": "x" * 30})
    three_times(lab, "billing_sync", {**org(lab), "state": "absent"})
    assert lab.rows("selfhost", "connection") == []


def test_sync_always_brings_what_the_cloud_has(lab: Lab) -> None:
    apply_license(lab)
    ok(run_module("billing_sync", connection_params(lab)))
    lab.set_organization("eu", lab.facts["cloud_organization_id"], seats=40)
    result = ok(run_module("billing_sync", connection_params(lab, sync_license="always")))
    assert result["license_changed"] is True
    assert [change["kind"] for change in result["changes"]] == ["license sync"]
    assert lab.rows("selfhost", "organization")[0]["seats"] == 40


def test_sync_when_older_than(lab: Lab) -> None:
    apply_license(lab)
    ok(run_module("billing_sync", connection_params(lab)))
    (row,) = lab.rows("selfhost", "connection")
    yesterday = datetime.fromisoformat(row["config"]["LastLicenseSync"][:19]) - timedelta(hours=25)
    row["config"]["LastLicenseSync"] = f"{yesterday.isoformat()}.1234567+00:00"
    lab.put_row("selfhost", "connection", **row)
    assert not ok(run_module("billing_sync", connection_params(lab, sync_max_age=48)))["changed"]
    three_times(lab, "billing_sync", connection_params(lab, sync_max_age=24))


def test_rotated_token_reaches_the_server(lab: Lab) -> None:
    apply_license(lab)
    ok(run_module("billing_sync", connection_params(lab)))
    ids = {"cloud_organization_id": lab.facts["cloud_organization_id"]}
    ok(run_module("billing_sync_token", {**owner_of_cloud(lab), **ids, "state": "rotated"}))

    refused = run_module("billing_sync", {**org(lab), "sync_license": "always"})
    assert refused["failed"]
    assert "token that was rotated" in refused["error"]["remedy"]
    done, _again = three_times(lab, "billing_sync", connection_params(lab))
    assert [change["kind"] for change in done["changes"]] == ["billing sync connection", "license sync"]


def test_no_egress(lab: Lab) -> None:
    apply_license(lab)
    lab.block_egress("api.bitwarden.eu")
    lab.block_egress("identity.bitwarden.eu")
    refused = run_module("billing_sync", connection_params(lab))
    assert refused["failed"]
    assert "firewall" in refused["error"]["remedy"]


# --- sponsorships ------------------------------------------------------------------------------------------------------------


def wishes(lab: Lab, state: str = "offered", **options: t.Any) -> Params:
    return {**org(lab), "sponsorships": [{"email": FRIEND, "state": state}], **options}


def listed(lab: Lab) -> Result:
    return ok(run_module("families_sponsorship_info", org(lab)))


def test_sponsorship_from_offer_to_end(lab: Lab) -> None:
    apply_license(lab)
    ok(run_module("billing_sync", connection_params(lab)))
    done, _again = three_times(lab, "families_sponsorship", wishes(lab))
    assert done["sponsorships"][0]["state"] == "awaiting_sync"
    assert done["pending"] == 1
    assert listed(lab)["last_sync"] is None

    lab.run_sponsorship_sync()
    found = listed(lab)
    assert found["sponsorships"][0]["state"] == "sent"
    assert found["last_sync"]
    assert found["pending"] == 0

    lab.redeem_sponsorship(FRIEND)
    lab.run_sponsorship_sync()
    assert listed(lab)["sponsorships"][0]["state"] == "active"

    three_times(lab, "families_sponsorship", wishes(lab, "revoked"))
    assert listed(lab)["sponsorships"][0]["state"] in ("removal_requested", "revoked_when_expired")
    offered = ok(run_module("families_sponsorship", wishes(lab)))
    assert not offered["changed"]
    assert "still being revoked" in str(offered["warnings"])


def test_sponsorship_revoked_before_any_sync(lab: Lab) -> None:
    apply_license(lab)
    ok(run_module("families_sponsorship", wishes(lab)))
    done, _again = three_times(lab, "families_sponsorship", wishes(lab, "revoked"))
    assert done["sponsorships"][0]["state"] == "absent"
    assert lab.rows("selfhost", "sponsorship") == []


def test_own_sponsorship(lab: Lab) -> None:
    apply_license(lab)
    member = {**at_server(lab, "ann"), "organization_id": lab.facts["organization_id"], "admin_initiated": False}
    three_times(lab, "families_sponsorship", {**member, "sponsorships": [{"email": FRIEND}]})
    three_times(lab, "families_sponsorship", {**member, "sponsorships": [{"friendly_name": FRIEND, "state": "revoked"}]})


def test_members_may_not_offer_for_the_organization(lab: Lab) -> None:
    apply_license(lab)
    result = run_module("families_sponsorship", {**wishes(lab), **at_server(lab, "ann")})
    assert result["failed"]
    assert result["error"]["remedy"]
    assert lab.writes()[1:] == []
