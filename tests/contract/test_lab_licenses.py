"""licensing-and-billing-sync, checklist items 2, 3, 4, 10, 11, and sections 1 and 2."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.contract.speak import RELEASES, Answer, Http, claims, refused
from tests.lab import Lab, crypto, license_files

UNREACHABLE = "An error has occurred. Check your internet connection and ensure the billing token is correct."


def test_1_4_hash_of_the_check_vector() -> None:
    """Names, order and formatting of the signed data."""
    found: dict[str, t.Any] = dict.fromkeys(license_files.SIGNED)
    found |= {name: True for name, (kind, _unused) in license_files.SIGNED.items() if kind == "bool"}
    found |= {"billingEmail": "billing@example.test", "id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "planType": 20, "seats": 25}
    found |= {"installationId": "11111111-2222-4333-8444-555555555555", "licenseKey": "Ex4mpleLicenseKey0001", "version": 15}
    found |= {
        "maxStorageGb": 1,
        "name": "Example Org",
        "plan": "Enterprise (Annually)",
        "trial": False,
        "useSecretsManager": False,
    }
    found |= {"expirationWithoutGracePeriod": "2027-08-21T00:00:00Z", "expires": "2027-10-20T00:00:00Z"}
    assert license_files.data_hash(found) == "cQOSs0NktjPNwzhOZqX+Vyvc303Ss/1Cql1b3sKI0WY="


def test_1_5_token_of_a_download(lab: Lab) -> None:
    """Claims are texts, absent when null; the token ends a year after its issue whatever the subscription is."""
    found = claims(lab.cloud_license()["token"])
    assert (found["iss"], found["aud"]) == ("bitwarden", f"organization:{lab.facts['cloud_organization_id']}")
    assert found["exp"] - found["iat"] == 365 * 86400
    assert (found["Enabled"], found["Seats"], found["LicenseType"], found["PlanType"]) == ("True", "25", "Organization", "20")
    assert {"Version", "Hash", "Signature", "BusinessName", "SmSeats"}.isdisjoint(found)
    assert (found["UseMyItems"], lab.cloud_license()["useMyItems"]) == ("True", False)


def test_10_2_upload_takes_any_casing_and_any_part_name(lab: Lab, http: Http) -> None:
    """200 without a body; the stored file is PascalCase and says what the claims say."""
    found = {name.upper(): value for name, value in lab.cloud_license().items()}
    where = f"selfhost:/organizations/licenses/self-hosted/{lab.facts['organization_id']}"
    answer = http.post(where, http.token("owner"), files={"LICENSE": ("any.name", json.dumps(found))})
    assert (answer.status_code, answer.content) == (200, b"")
    stored = lab.stored_license() or {}
    assert (stored["Seats"], stored["UseMyItems"], stored["Token"]) == (25, True, found["TOKEN"])


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"seats": "many"}', '{"id": 5}', "x" * 60000, '{"name": "' + "x" * 60000 + '"}']
)
def test_10_2_what_is_no_license(lab: Lab, http: Http, content: str) -> None:
    """Not JSON, wrong value types, or a request of more than 51200 bytes."""
    refused(http.upload(content, lab.facts["organization_id"]), 400, "Invalid license")


def test_2_1_missing_parts(lab: Lab, http: Http) -> None:
    """Model validation names the part."""
    lab.reset(scenario="first_license")
    where, token = "selfhost:/organizations/licenses/self-hosted", http.token("owner")
    none = http.post(where, token, files={"key": (None, "4.AAAA")})
    assert none.json()["validationErrors"] == {"License": ["The License field is required."]}
    assert http.upload(lab.cloud_license()).json()["validationErrors"] == {"Key": ["The Key field is required."]}
    bad = http.upload(lab.cloud_license(), key="4.AAAA", collectionName="plain")
    assert bad.json()["validationErrors"] == {"CollectionName": ["CollectionName is not a valid encrypted string."]}


OTHER = "11111111-2222-4333-8444-555555555555"
INSTALLATION = "The installation ID does not match the current installation."
DISABLED = "Your cloud-hosted organization is currently disabled."
NOT_SELFHOST = "The license does not allow for on-premise hosting of organizations."
PREMIUM = "Premium licenses cannot be applied to an organization vault."
REFUSED: dict[str, tuple[dict[str, t.Any], str]] = {
    "installation": ({"installationId": OTHER}, INSTALLATION),
    "disabled": ({"enabled": False}, DISABLED),
    "not self-hosted": ({"selfHost": False}, NOT_SELFHOST),
    "all at once": (
        {"enabled": False, "installationId": OTHER, "selfHost": False},
        f"{DISABLED}\n{INSTALLATION}\n{NOT_SELFHOST}",
    ),
    "kind in the token": ({"claims": {"LicenseType": "User"}}, PREMIUM),
    "token over": ({"issued_days_ago": 366}, "IDX10223: Lifetime validation failed. The token is expired. ValidTo (UTC): '"),
    "token of tomorrow": ({"issued_days_ago": -1}, "IDX10222: "),
    "audience": ({"claims": {"aud": "organization:other"}}, "IDX10214: "),
    "issuer": ({"claims": {"iss": "other"}}, "IDX10205: "),
    "premium file": ({"kind": "user"}, "IDX10214: "),
    "token-less, expired": ({"token": False, "expires": "2020-01-01T00:00:00Z"}, "The license has expired."),
    "token-less, not issued": ({"token": False, "issued_days_ago": -1}, "The license hasn't been issued yet."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_1_7_refusals_of_an_update(lab: Lab, http: Http, case: str) -> None:
    """Nothing is stored; the other properties of a token file do not matter."""
    changes, text = REFUSED[case]
    before = lab.stored_license()
    answer = http.upload(lab.cloud_license(**changes), lab.facts["organization_id"])
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"Invalid license. {text}")
    assert lab.stored_license() == before


def test_1_7_token_less_files_live_by_their_signature(lab: Lab, http: Http) -> None:
    """A changed property breaks it; a version nobody knows is told without the prefix."""
    organization = lab.facts["organization_id"]
    changed = lab.cloud_license(token=False) | {"seats": 1000}
    refused(http.upload(changed, organization), 400, "Invalid license. The license verification failed.")
    refused(http.upload(lab.cloud_license(token=False, version=99), organization), 400, "Version 99 is not supported.")
    assert http.upload(lab.cloud_license(token=False), organization).status_code == 200


def test_1_3_with_a_token_the_version_is_not_looked_at(lab: Lab, http: Http) -> None:
    """Nor is C(expires): such a license uploads and is disabled by the next background run."""
    found = lab.cloud_license(version=99, expires="2020-01-01T00:00:00Z")
    assert http.upload(found, lab.facts["organization_id"]).status_code == 200
    lab.run_license_validation()
    assert not lab.rows("selfhost", "organization")[0]["enabled"]
    assert "Reason: Invalid data." in lab.server_log()[-1]
    assert lab.mailbox()[-1].subject == "License Expired"


def test_1_8_a_good_license_survives_the_background_run(lab: Lab, http: Http) -> None:
    """After the upload of today's and as the scenario has it."""
    lab.run_license_validation()
    http.upload(lab.cloud_license(), lab.facts["organization_id"])
    lab.run_license_validation()
    assert lab.rows("selfhost", "organization")[0]["enabled"]
    lab.change_settings({"globalSettings__installation__id": OTHER})
    lab.run_license_validation()
    assert not lab.rows("selfhost", "organization")[0]["enabled"]


HAS, NO = "Your organization currently has ", "Your new license does not allow for the use of "
CONTENT: dict[str, tuple[list[dict[str, t.Any]], dict[str, t.Any], str]] = {
    "seats": ([], {"seats": 2}, HAS + "3 seats filled. Your new license only has (2) seats. Remove some users."),
    "collections": (
        [{"kind": "collection"}, {"kind": "collection"}],
        {"maxCollections": 1},
        HAS + "2 collections. Your new license allows for a maximum of (1) collections. Remove some collections.",
    ),
    "groups": ([{"kind": "group"}] * 2, {"useGroups": False}, HAS + f"2 groups. {NO}groups. Remove all groups."),
    "policies": (
        [{"kind": "policy", "type": 1, "enabled": True}],
        {"usePolicies": False},
        HAS + f"1 enabled policies. {NO}policies. Disable all policies.",
    ),
    "SSO": (
        [{"kind": "sso", "enabled": True}],
        {"useSso": False},
        HAS + f"a SSO configuration. {NO}SSO. Disable your SSO configuration.",
    ),
    "SCIM": (
        [{"kind": "connection", "type": 2, "enabled": True}],
        {"useScim": False},
        "Your new plan does not allow the SCIM feature. Disable your SCIM configuration.",
    ),
    "custom": (
        [{"kind": "member", "type": 4, "status": -1}],
        {"useCustomPermissions": False},
        "Your new plan does not allow the Custom Permissions feature. Disable your Custom Permissions configuration.",
    ),
    "reset": (
        [{"kind": "policy", "type": 8, "enabled": True}],
        {"useResetPassword": False},
        "Your new license does not allow the Password Reset feature. Disable your Password Reset policy.",
    ),
}


@pytest.mark.parametrize("case", CONTENT)
def test_1_7_contents_must_fit(lab: Lab, http: Http, case: str) -> None:
    """On an update; without the prefix."""
    rows, changes, text = CONTENT[case]
    organization = lab.facts["organization_id"]
    for number, row in enumerate(rows):
        lab.put_row("selfhost", id=f"{case}{number}", organizationId=organization, **row)
    refused(http.upload(lab.cloud_license(**changes), organization), 400, text)


def test_1_7_revoked_members_need_no_seat(lab: Lab, http: Http) -> None:
    """Invited ones do."""
    organization = lab.facts["organization_id"]
    lab.set_member("bob@example.com", status=-1)
    assert http.upload(lab.cloud_license(seats=2), organization).status_code == 200
    lab.set_member("new@example.com")
    assert http.upload(lab.cloud_license(seats=2), organization).status_code == 400


def create(lab: Lab, http: Http, license_file: t.Any = None) -> Answer:
    """Create an organization as a client does."""
    key = crypto.wrap(bytes(64), lab.rows("selfhost", "user", email="owner@example.com")[0]["publicKey"])
    name = crypto.encrypt(b"Default collection", bytes(64))
    return http.upload(license_file or lab.cloud_license(), key=key, collectionName=name)


@pytest.mark.parametrize("release", RELEASES)
def test_10_3_creation(lab: Lab, http: Http, release: str) -> None:
    """A local id of its own; visible to the creator with his next token; keys can be set once."""
    lab.reset(scenario="first_license", version=release)
    old = http.token("owner")
    created = create(lab, http).json()
    assert created["object"] == "organization"
    assert created["id"] != lab.facts["cloud_organization_id"]
    assert (created["seats"], created["maxStorageGb"], created["hasPublicAndPrivateKeys"]) == (25, 10240, False)
    path = f"selfhost:/organizations/{created['id']}"
    refused(http.get(path, old), 404, "Resource not found.")
    token = http.token("owner")
    keys = {"publicKey": "AAAA", "encryptedPrivateKey": crypto.encrypt(b"key", bytes(64))}
    assert http.post(f"{path}/keys", token, keys).json()["object"] == "organizationKeys"
    refused(http.post(f"{path}/keys", token, keys), 400, "Organization Keys already exist.")
    assert http.get(path, token).json()["hasPublicAndPrivateKeys"] is True
    assert (lab.stored_license(created["id"]) or {})["Id"] == lab.facts["cloud_organization_id"]


@pytest.mark.parametrize(("release", "words"), [("2026.4.0", "organization."), ("2026.8.0", "organization vault.")])
def test_10_3_second_creation(lab: Lab, http: Http, release: str, words: str) -> None:
    """Refused while the first is enabled, and not when it is disabled: the defect that automation must know."""
    lab.reset(scenario="first_license", version=release)
    first = create(lab, http).json()["id"]
    refused(create(lab, http), 400, f"License is already in use by another {words}")
    lab.set_organization("selfhost", first, enabled=False)
    second = create(lab, http).json()["id"]
    refused(http.upload(lab.cloud_license(), first), 400, f"License is already in use by another {words}")
    lab.set_organization("selfhost", first, enabled=True)
    lab.run_license_validation()
    states = {row["id"]: row["enabled"] for row in lab.rows("selfhost", "organization")}
    assert states == {first: False, second: True}, "the first one to be looked at is disabled"


def test_1_7_creation_wants_an_organization_license(lab: Lab, http: Http) -> None:
    """The kind is looked at before anything else."""
    lab.reset(scenario="first_license")
    for found in (lab.cloud_license(kind="user"), lab.cloud_license() | {"licenseType": None}):
        answer = create(lab, http, found)
        assert answer.status_code == 400
        assert answer.json()["message"].startswith(PREMIUM)


def test_10_9_update_needs_the_owner(lab: Lab, http: Http) -> None:
    """404 for everybody else; a malformed id breaks the server."""
    found = lab.cloud_license()
    organization = lab.facts["organization_id"]
    refused(http.upload(found, organization, http.token("ann")), 404, "Resource not found.")
    refused(http.upload(found, OTHER), 404, "Resource not found.")
    assert http.upload(found, "not-a-guid").status_code == 500
    lab.set_organization("selfhost", organization, enabled=False)
    assert http.upload(found, organization).status_code == 200
    assert lab.rows("selfhost", "organization")[0]["enabled"], "a disabled organization's owner can repair it"


def test_0_2_wrong_side(lab: Lab, http: Http) -> None:
    """Routes of the other side say so."""
    token = http.token("cloud_owner")
    refused(http.post("eu:/organizations/licenses/self-hosted", token), 400, "Only allowed when self hosted.")
    here = http.token("owner")
    for path in (f"installations/{OTHER}", f"organizations/{OTHER}/license", f"licenses/organization/{OTHER}"):
        refused(http.get(f"selfhost:/{path}", here), 400, "Only allowed when not self hosted.")


def sync(lab: Lab, http: Http, slash: str = "") -> Answer:
    """Press Sync license."""
    where = f"selfhost:/organizations/licenses/self-hosted/{lab.facts['organization_id']}/sync{slash}"
    return http.post(where, http.token("owner"))


def test_10_4_sync_applies_and_moves_the_date(lab: Lab, http: Http) -> None:
    """The self-hosted server asks the cloud itself, and those requests do not count as a client's."""
    http.connect()
    lab.clear_requests()
    assert (answer := sync(lab, http, "/")).status_code == 200
    assert answer.content == b""
    assert [seen.path for seen in lab.requests("server")] == [
        "/connect/token",
        f"/licenses/organization/{lab.facts['cloud_organization_id']}",
    ]
    assert len(lab.writes()) == 1
    assert lab.rows("selfhost", "organization")[0]["seats"] == 25
    assert lab.rows("selfhost", "connection")[0]["config"]["LastLicenseSync"].endswith("+00:00")


def test_10_4_order_of_failures(lab: Lab, http: Http) -> None:
    """404, cloud communication, connection, configuration, cloud, license."""
    organization = lab.facts["organization_id"]
    refused(sync(lab, http), 404, "Resource not found.")
    connection = http.connect("").json()
    lab.change_settings({"globalSettings__enableCloudCommunication": "false"})
    row = lab.rows("selfhost", "connection")[0]
    lab.put_row("selfhost", "connection", **row | {"enabled": False})
    refused(sync(lab, http), 400, "Cloud communication is disabled in global settings")
    lab.change_settings({"globalSettings__enableCloudCommunication": "True"})
    refused(sync(lab, http), 400, f"Connection disabled for organization {organization}")
    lab.put_row("selfhost", "connection", **row | {"enabled": True, "config": None})
    refused(sync(lab, http), 400, f"No saved Connection config for organization {organization}")
    lab.put_row("selfhost", "connection", **row)
    refused(sync(lab, http), 400, "Failed to get Billing Sync Key")
    assert connection["config"]["LastLicenseSync"] is None


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "region": (
        {"globalSettings__installation__identityUri": "https://identity.bitwarden.com"},
        "Unsuccessful token response from https://identity.bitwarden.com/connect/token",
    ),
    "api region": (
        {"globalSettings__installation__apiUri": "https://api.bitwarden.com/"},
        "Request to https://api.bitwarden.com/licenses/organization/",
    ),
    "installation key": ({"globalSettings__installation__key": "x"}, "with status 400-BadRequest"),
    "host": (
        {"globalSettings__installation__identityUri": "https://mock.test"},
        "Unable to authenticate with identity server.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_6_how_a_wrong_setting_shows(lab: Lab, http: Http, case: str) -> None:
    """One text for all; the cause is only in the log; the date does not move."""
    http.connect()
    settings, logged = WRONG[case]
    lab.change_settings(dict(settings))
    refused(sync(lab, http), 400, UNREACHABLE)
    assert logged in lab.server_log()[-1]
    assert lab.rows("selfhost", "connection")[0]["config"]["LastLicenseSync"] is None


def test_5_5_after_invalid_client_it_is_silent_for_a_day(lab: Lab, http: Http) -> None:
    """A repaired key helps only after a restart; a network failure is retried at once."""
    http.connect()
    right = lab.facts["installation_key"]
    lab.change_settings({"globalSettings__installation__key": "x"})
    refused(sync(lab, http), 400, UNREACHABLE)
    lab.change_settings({"globalSettings__installation__key": right})
    lab.clear_requests()
    refused(sync(lab, http), 400, UNREACHABLE)
    assert lab.requests("server") == []
    lab.restart_api()
    lab.block_egress("identity.bitwarden.eu")
    refused(sync(lab, http), 400, UNREACHABLE)
    lab.block_egress("identity.bitwarden.eu", False)
    assert sync(lab, http).status_code == 200


def test_2_3_what_the_cloud_sends_is_checked_like_an_upload(lab: Lab, http: Http) -> None:
    """Too few seats."""
    http.connect()
    lab.set_organization("eu", lab.facts["cloud_organization_id"], seats=1)
    text = "Your organization currently has 3 seats filled. Your new license only has (1) seats. Remove some users."
    refused(sync(lab, http), 400, text)


def test_10_10_subscription(lab: Lab, http: Http) -> None:
    """Dates without zone; 400 when the stored token is over; 500 when the file is gone."""
    path = f"selfhost:/organizations/{lab.facts['organization_id']}/subscription"
    found = http.get(path, http.token("owner")).json()
    stored = claims((lab.stored_license() or {})["Token"])
    month, day, year = stored["Expires"].split(" ")[0].split("/")
    assert found["expiration"] == f"{year}-{month}-{day}T00:00:00"
    assert found["object"] == "organizationSubscription"
    assert "enabled" not in found
    refused(http.get(path, http.token("ann")), 404, "Resource not found.")
    lab.advance(60 * 86400)
    answer = http.get(path, http.token("owner"))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid license. IDX10223")
    assert http.upload(lab.cloud_license(), lab.facts["organization_id"]).status_code == 200
    assert http.get(path, http.token("owner")).status_code == 200
    lab.delete_row("selfhost", "license_file", lab.facts["organization_id"])
    assert http.get(path, http.token("owner")).status_code == 500


@pytest.mark.parametrize(("release", "seats"), [("2025.8.0", 30), ("2026.4.0", 25)])
def test_11_update_reads_claims_since_2026_1(lab: Lab, http: Http, release: str, seats: int) -> None:
    """Before, the file's own properties counted even beside a token."""
    lab.reset(version=release)
    http.upload(lab.cloud_license() | {"seats": 30}, lab.facts["organization_id"])
    assert lab.rows("selfhost", "organization")[0]["seats"] == seats
