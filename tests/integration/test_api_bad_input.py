# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad input: each is refused with cause, field and remedy, and before the first write."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest

from tests.integration.module_runner import run_module
from tests.integration.page_a import at_cloud, at_server, ok
from tests.lab import Lab

Params = dict[str, t.Any]
Prepare = t.Callable[[Lab], None]
WRONG_TOKEN = "not thirty characters"
WRONG_PASSWORD = "a master password of somebody else"


@dataclasses.dataclass
class Case:
    """One mistake. C(says) and C(field) are what the error must contain; C(params) are made when the lab is ready."""

    name: str
    module: str
    params: t.Callable[[Lab], Params]
    says: str
    field: str
    prepare: t.Sequence[Prepare] = ()
    environ: dict[str, str] = dataclasses.field(default_factory=dict)
    only_warned_of_in_check_mode: bool = False  # because an earlier task of the play may be about to mend it


# --- licenses ----------------------------------------------------------------------------------------------------------


def with_license(make: t.Callable[[Lab], t.Any], **options: t.Any) -> t.Callable[[Lab], Params]:
    def params(lab: Lab) -> Params:
        made = make(lab)
        content = made if isinstance(made, str) else json.dumps(made)
        facts = lab.facts
        known = {"organization_id": facts["organization_id"], "installation_id": facts["installation_id"]}
        return {**at_server(lab), **known, "license": content, **options}

    return params


def from_cloud(**options: t.Any) -> t.Callable[[Lab], Params]:
    def params(lab: Lab) -> Params:
        facts = lab.facts
        known = {"cloud_organization_id": facts["cloud_organization_id"], "installation_id": facts["installation_id"]}
        return {**at_server(lab), **known, "cloud": at_cloud(lab), **options}

    return params


def apply_current(lab: Lab) -> None:
    ok(run_module("organization_license", from_cloud()(lab)))


def invite_many(lab: Lab) -> None:
    for number in range(4):
        lab.set_member(f"new{number}@example.com")


def connect_billing_sync(lab: Lab) -> None:
    apply_current(lab)
    ok(run_module("billing_sync", connection()(lab)))


LICENSES = [
    Case("not JSON", "organization_license", with_license(lambda lab: "hello"), "not JSON", "license"),
    Case("empty", "organization_license", with_license(lambda lab: ""), "not usable", "license"),
    Case("HTML", "organization_license", with_license(lambda lab: "<!doctype html><html></html>"), "not JSON", "license"),
    Case(
        "truncated",
        "organization_license",
        with_license(lambda lab: json.dumps(lab.cloud_license())[:-100]),
        "cut off",
        "license",
    ),
    Case(
        "trailing garbage",
        "organization_license",
        with_license(lambda lab: json.dumps(lab.cloud_license()) + '"}'),
        "follows after its end",
        "license",
    ),
    Case(
        "another installation",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(installationId="99999999-2222-4333-8444-555555555555")),
        "for the installation 99999999",
        "license",
    ),
    Case(
        "expired",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(expires="2025-01-01T00:00:00Z")),
        "expired on 2025-01-01",
        "license",
    ),
    Case(
        "token expired",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(issued_days_ago=366, expires="2099-01-01T00:00:00Z")),
        "token expired",
        "license",
    ),
    Case("premium", "organization_license", with_license(lambda lab: lab.cloud_license(kind="user")), "premium", "license"),
    Case(
        "not for self-hosting",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(selfHost=False)),
        "does not allow self-hosting",
        "license",
    ),
    Case(
        "fewer seats than members",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(seats=5)),
        "5 seats, but 7 are occupied",
        "license",
        [invite_many],
    ),
    Case(
        "older than the one in force",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(expires="2027-01-01T00:00:00Z")),
        "older file",
        "license",
        [apply_current],
    ),
    Case(
        "another organization of the cloud",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(seats=30, id="99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee")),
        "for the cloud organization 99999999",
        "license",
        [connect_billing_sync],
    ),
    Case(
        "not the organization that was named",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(), cloud_organization_id="99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
        "99999999",
        "license",
    ),
    Case(
        "file that is not there",
        "organization_license",
        lambda lab: {**at_server(lab), "license_path": "/nowhere/license.json"},
        "cannot be read",
        "license_path",
    ),
    Case(
        "license directory that is not there",
        "organization_license",
        with_license(lambda lab: lab.cloud_license(), license_directory="/nowhere"),
        "cannot be read",
        "license_directory",
    ),
    Case(
        "installation unknown to the cloud",
        "organization_license",
        from_cloud(installation_id="99999999-2222-4333-8444-555555555555"),
        "does not know the installation",
        "installation_id",
    ),
    Case(
        "organization unknown to the cloud",
        "organization_license",
        from_cloud(cloud_organization_id="99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
        "no organization 99999999",
        "cloud_organization_id",
    ),
    Case(
        "organization unknown to the server",
        "organization_license",
        from_cloud(organization_id="99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
        "no confirmed member",
        "organization_id",
    ),
    Case(
        "user without the owner role",
        "organization_license",
        lambda lab: {**from_cloud()(lab), **at_server(lab, "ann")},
        "not an owner",
        "client_id",
    ),
    Case(
        "user without the owner role, by id",
        "organization_license",
        lambda lab: {**from_cloud(organization_id=lab.facts["organization_id"])(lab), **at_server(lab, "ann")},
        "no confirmed member",
        "organization_id",
    ),
]

# --- billing sync ------------------------------------------------------------------------------------------------------


def connection(**options: t.Any) -> t.Callable[[Lab], Params]:
    def params(lab: Lab) -> Params:
        cloud = {**at_cloud(lab), "master_password": lab.people["cloud_owner"].master_password, **options.get("cloud", {})}
        known = {"organization_id": lab.facts["organization_id"], "cloud_organization_id": lab.facts["cloud_organization_id"]}
        return {**at_server(lab), **known, **options, "cloud": cloud}

    return params


def token(**options: t.Any) -> t.Callable[[Lab], Params]:
    def params(lab: Lab) -> Params:
        known = {"cloud_organization_id": lab.facts["cloud_organization_id"], "master_password": WRONG_PASSWORD}
        return {**at_cloud(lab), **known, **options}

    return params


def with_token(value: str) -> t.Callable[[Lab], Params]:
    return lambda lab: {**at_server(lab), "organization_id": lab.facts["organization_id"], "token": value}


def cloud_communication_off(lab: Lab) -> None:
    lab.change_settings({"globalSettings__enableCloudCommunication": "false"})


def checked(lab: Lab) -> Params:
    known = {"organization_id": lab.facts["organization_id"], "cloud_organization_id": lab.facts["cloud_organization_id"]}
    both = {"installation_id": lab.facts["installation_id"], "installation_key": lab.facts["installation_key"]}
    return {**at_server(lab), **known, **both, "cloud": at_cloud(lab), "checks": True, "fail_on_problems": True}


BILLING_SYNC = [
    Case("token of the wrong length", "billing_sync", with_token(WRONG_TOKEN), "has 21 characters", "token"),
    Case("token with a blank", "billing_sync", with_token("a" * 29 + " "), "30 letters and digits", "token"),
    Case(
        "nothing to connect with",
        "billing_sync",
        lambda lab: {**at_server(lab), "organization_id": lab.facts["organization_id"]},
        "nothing to connect with",
        "token",
    ),
    Case(
        "wrong master password",
        "billing_sync",
        connection(cloud={"master_password": WRONG_PASSWORD}),
        "master password is wrong",
        "cloud.master_password",
    ),
    Case(
        "no master password",
        "billing_sync",
        connection(cloud={"master_password": None}),
        "master password is needed",
        "cloud.master_password",
    ),
    Case("wrong master password for the token", "billing_sync_token", token(), "master password is wrong", "master_password"),
    Case(
        "cloud communication off",
        "billing_sync",
        connection(),
        "Cloud communication is off",
        "sync_license",
        [apply_current, cloud_communication_off],
        only_warned_of_in_check_mode=True,
    ),
    Case(
        "cloud communication off, found by the checks",
        "organization_license_info",
        checked,
        "Cloud communication is off",
        "globalSettings__enableCloudCommunication",
        [cloud_communication_off],
    ),
    Case(
        "user without the owner role",
        "billing_sync",
        lambda lab: {**connection()(lab), **at_server(lab, "ann")},
        "not an owner",
        "client_id",
    ),
    Case(
        "user without the owner role, found by the checks",
        "organization_license_info",
        lambda lab: {**checked(lab), **at_server(lab, "ann")},
        "not an owner",
        "client_id",
    ),
    Case(
        "wrong installation key, found by the checks",
        "organization_license_info",
        lambda lab: {**checked(lab), "installation_key": "wrong"},
        "does not belong to the installation id",
        "installation_key",
    ),
    Case(
        "another region's addresses, found by the checks",
        "organization_license_info",
        lambda lab: {**checked(lab), "configured": {"api_uri": "https://api.bitwarden.com"}},
        "must say https://api.bitwarden.eu",
        "globalSettings__installation__apiUri",
    ),
    Case(
        "organization unknown to the server",
        "billing_sync",
        lambda lab: {**with_token("a" * 30)(lab), "organization_id": None, "organization_name": "Nobody"},
        "does not have the organization Nobody",
        "organization_name",
        only_warned_of_in_check_mode=True,
    ),
]

# --- sponsorships, installations -----------------------------------------------------------------------------------------


def sponsorships(*wishes: Params, **options: t.Any) -> t.Callable[[Lab], Params]:
    return lambda lab: {**at_server(lab), "organization_id": lab.facts["organization_id"], "sponsorships": [*wishes], **options}


def families_not_allowed(lab: Lab) -> None:
    lab.set_organization("selfhost", lab.facts["organization_id"], useAdminSponsoredFamilies=False)


OTHERS = [
    Case("offer without an address", "families_sponsorship", sponsorships({"friendly_name": "Ann"}), "needs an e-mail", "Ann"),
    Case(
        "named twice",
        "families_sponsorship",
        sponsorships({"email": "ann@personal.example"}, {"email": "ann@personal.example"}),
        "named twice",
        "sponsorships",
    ),
    Case(
        "license does not allow them",
        "families_sponsorship",
        sponsorships({"email": "ann@personal.example"}),
        "does not allow sponsorships",
        "admin_initiated",
        [families_not_allowed],
    ),
    Case(
        "installation of another region",
        "installation",
        lambda lab: {"region": "us", "id": lab.facts["installation_id"]},
        "not known in this region",
        "id",
    ),
    Case(
        "installation key of another installation",
        "installation",
        lambda lab: {"region": "eu", "id": lab.facts["installation_id"], "key": "wrong"},
        "does not belong",
        "key",
    ),
    Case(
        "API key of another region",
        "login",
        lambda lab: {**at_cloud(lab), "region": "us"},
        "does not know this client id",
        "client_secret",
    ),
    Case(
        "session that is none", "organization_license_info", lambda lab: {"session": {"token": "x"}}, "not a session", "session"
    ),
]

# --- the way to the server -----------------------------------------------------------------------------------------------


def fault(kind: str) -> Prepare:
    return lambda lab: lab.fault(kind, path="/organizations", times=None)


def info(lab: Lab) -> Params:
    return {**at_server(lab), "organization_id": lab.facts["organization_id"]}


WAY = [
    Case(
        "unreachable",
        "organization_license_info",
        lambda lab: {**info(lab), "server_url": "https://nobody.example.com"},
        "no connection to nobody.example.com",
        "nobody.example.com",
    ),
    Case(
        "unknown certificate",
        "organization_license_info",
        info,
        "signed by an unknown authority",
        "vault.example.com",
        environ={"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
    ),
    Case(
        "redirect to another host", "organization_license_info", info, "redirects to another host", "vault", [fault("redirect")]
    ),
    Case("HTML instead of JSON", "organization_license_info", info, "HTML page", "vault.example.com", [fault("html")]),
    Case(
        "no URL at all",
        "organization_license_info",
        lambda lab: {**info(lab), "server_url": "vault.example.com"},
        "not the URL of a server",
        "server_url",
    ),
    Case(
        "CA file that is not there", "login", lambda lab: {**at_server(lab), "ca_path": "/nowhere"}, "CA certificates", "ca_path"
    ),
]

CASES = [*LICENSES, *BILLING_SYNC, *OTHERS, *WAY]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.module}: {case.name}")
@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_refused(lab: Lab, case: Case, check: bool) -> None:
    for prepare in case.prepare:
        prepare(lab)
    params = case.params(lab)
    lab.clear_requests()
    result = run_module(case.module, params, environ=case.environ, check=check)
    if check and case.only_warned_of_in_check_mode:
        assert case.says in str(ok(result)["warnings"])
    else:
        refused(result, case)
    assert lab.writes() == []


def refused(result: Params, case: Case) -> None:
    assert result["failed"], result
    assert case.says in result["error"]["cause"], result["msg"]
    assert case.field in str(result["error"]["field"]), result["error"]
    assert result["error"]["remedy"], result["error"]
    for part in ("cause", "field", "remedy"):
        assert result["error"][part] in result["msg"]


def test_all_problems_at_once(lab: Lab) -> None:
    cloud_communication_off(lab)
    params = {**checked(lab), "installation_key": "wrong", "configured": {"cloud_region": "US", "push_uri": ""}}
    result = run_module("organization_license_info", params)
    assert result["failed"]
    assert "4 problems, nothing was changed" in result["msg"]

    reported = ok(run_module("organization_license_info", {**params, "fail_on_problems": False}))
    assert [problem["check"] for problem in reported["problems"]] == ["P2", "P4", "P5", "P5"]
    assert all(problem["cause"] and problem["field"] and problem["remedy"] for problem in reported["problems"])
    assert reported["organization_id"] == lab.facts["organization_id"]


def test_what_a_later_task_mends_is_no_problem(lab: Lab) -> None:
    cloud_communication_off(lab)
    result = ok(run_module("organization_license_info", {**checked(lab), "planned_cloud_communication": True}))
    assert result["problems"] == []
    assert {check["check"]: check["state"] for check in result["checks"]}["P2"] == "notice"


@pytest.mark.lab(scenario="first_license")
@pytest.mark.parametrize("password", [None, WRONG_PASSWORD])
def test_creating_needs_the_right_master_password(lab: Lab, password: str | None) -> None:
    params = {**from_cloud()(lab), "master_password": password}
    lab.clear_requests()
    result = run_module("organization_license", params)
    assert result["failed"]
    assert result["error"]["field"] == "master_password"
    assert result["error"]["remedy"]
    assert lab.writes() == []


def test_license_file(lab: Lab, tmp_path: Path) -> None:
    torn = tmp_path / "license.json"
    torn.write_text(json.dumps(lab.cloud_license())[:700])
    result = run_module("organization_license", {**at_server(lab), "license_path": str(torn)})
    assert result["failed"]
    assert "cut off" in result["msg"]
