"""auth-and-crypto: tokens, prelogin, and what the real server does and the official client does not notice (7.5)."""

from __future__ import annotations

import time
import typing as t

import pytest

from tests.contract.speak import DEVICE, RELEASES, Http, claims, invalid, refused
from tests.lab import Lab


@pytest.mark.parametrize("release", RELEASES)
def test_2_4_password_login_has_the_members_of_its_release(lab: Lab, http: Http, release: str) -> None:
    """7.4: everything that clients need, under its exact name."""
    lab.reset(version=release)
    found = http.grant("selfhost", **http.password_form(lab.people["owner"])).json()
    expected = {"access_token", "expires_in", "token_type", "refresh_token", "scope", "PrivateKey", "Key", "MasterPasswordPolicy"}
    expected |= {"ForcePasswordReset", "Kdf", "KdfIterations", "KdfMemory", "KdfParallelism", "UserDecryptionOptions"}
    expected |= {"ResetMasterPassword"} if release == "2025.8.0" else {"AccountKeys"}
    assert set(found) == expected
    assert (found["token_type"], found["scope"], found["expires_in"]) == ("Bearer", "api offline_access", 3600)
    unlock = found["UserDecryptionOptions"]["MasterPasswordUnlock"]
    assert unlock["Salt"] == lab.people["owner"].email
    assert set(unlock["Kdf"]) == {"KdfType", "Iterations", "Memory", "Parallelism"}


def test_2_4_api_key_login_has_no_refresh_token(lab: Lab, http: Http) -> None:
    """And its scope is api alone; the client secret may come as HTTP Basic, parameters in any case."""
    who = lab.people["owner"]
    found = http.grant("selfhost", **http.key_form(who)).json()
    assert "refresh_token" not in found
    assert found["scope"] == "api"
    assert claims(found["access_token"])["type"] == "User"
    form = {"GRANT_TYPE": "client_credentials", "Scope": "api", **DEVICE}
    basic = http.post("selfhost!/connect/token", data=form, auth=(who.client_id, who.client_secret))
    assert basic.status_code == 200


@pytest.mark.parametrize(("release", "status"), [("2025.8.0", 200), ("2026.4.0", 400), ("2026.8.0", 400)])
def test_7_5_1_client_version_is_required(lab: Lab, http: Http, release: str, status: int) -> None:
    """Since 2026.3, for both user grants; a refresh needs none."""
    lab.reset(version=release)
    who = lab.people["owner"]
    refresh = http.grant("selfhost", **http.password_form(who)).json()["refresh_token"]
    del http._session.headers["Bitwarden-Client-Version"]
    for form in (http.key_form(who), http.password_form(who)):
        answer = http.grant("selfhost", **form)
        assert answer.status_code == status
        assert status == 200 or answer.json()["error"] == "version_header_missing"
    assert http.grant("selfhost", grant_type="refresh_token", client_id="cli", refresh_token=refresh).status_code == 200


@pytest.mark.parametrize("missing", list(DEVICE))
@pytest.mark.parametrize("grant", ["password_form", "key_form"])
def test_7_5_1_device_fields_are_required(lab: Lab, http: Http, missing: str, grant: str) -> None:
    """For both user grants."""
    form = getattr(http, grant)(lab.people["owner"], **{missing: None})
    found = http.grant("selfhost", **form)
    assert (found.status_code, found.json()["error"]) == (400, "device_error")
    assert found.json()["ErrorModel"]["Message"] == "no device information provided"


REFUSED: dict[str, tuple[dict[str, t.Any], str]] = {
    "unknown client": ({"client_id": "nobody"}, "invalid_client"),
    "malformed client": ({"client_id": "user.1"}, "invalid_client"),
    "bad secret": ({"client_secret": "x"}, "invalid_client"),
    "scope": ({"scope": "api.installation"}, "invalid_scope"),
    "grant of another client": ({"grant_type": "password"}, "unauthorized_client"),
    "grant": ({"grant_type": "hope"}, "unsupported_grant_type"),
    "self-hosted identity knows no installation": (
        {"client_id": "installation.474fea5f-3738-53cf-8c8f-b5203daa0201"},
        "invalid_client",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_7_5_2_oauth_errors(lab: Lab, http: Http, case: str) -> None:
    """2.6: nothing but the error's name. 7.5.6: installations log in at the cloud only."""
    changes, error = REFUSED[case]
    found = http.grant("selfhost", **http.key_form(lab.people["owner"], **changes))
    assert (found.status_code, found.json()) == (400, {"error": error})


def test_7_5_2_wrong_password(lab: Lab, http: Http) -> None:
    """Costs two seconds, like on the real server, when that is switched on."""
    lab.real_delays()
    before = time.monotonic()
    found = http.grant("selfhost", **http.password_form(lab.people["owner"], password="x"))
    assert time.monotonic() - before >= 2
    assert found.json()["error_description"] == "invalid_username_or_password"
    assert found.json()["ErrorModel"]["Message"] == "Username or password is incorrect. Try again."


SPECIAL: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], str]] = {
    "two-step": ({"twoStepCode": "123456"}, {}, "Two factor required."),
    "wrong code": ({"twoStepCode": "123456"}, {"twoFactorToken": "1"}, "invalid_username_or_password"),
    "new device": ({"newDeviceCode": "123456"}, {}, "New device verification required"),
    "wrong device code": ({"newDeviceCode": "123456"}, {"newDeviceOtp": "1"}, "Invalid New Device OTP"),
    "SSO": ({"ssoRequired": "acme"}, {}, "Sso authentication is required."),
    "old client, new encryption": ({"v2Encryption": True}, {}, "Please update your app to continue using Bitwarden"),
}


@pytest.mark.parametrize("case", SPECIAL)
def test_2_6_other_refusals_of_a_password_login(lab: Lab, http: Http, case: str) -> None:
    """Set on the account, seen at the login."""
    account, changes, description = SPECIAL[case]
    lab.set_user("selfhost", "owner@example.com", **account)
    http._session.headers["Bitwarden-Client-Version"] = "2025.1.0"
    found = http.grant("selfhost", **http.password_form(lab.people["owner"], **changes))
    assert (found.status_code, found.json()["error_description"]) == (400, description)


def test_2_6_the_right_codes_pass(lab: Lab, http: Http) -> None:
    """Two-step and new device."""
    lab.set_user("selfhost", "owner@example.com", twoStepCode="123456", newDeviceCode="654321")
    codes = {"twoFactorToken": "123456", "twoFactorProvider": "0", "newDeviceOtp": "654321"}
    assert http.grant("selfhost", **http.password_form(lab.people["owner"], **codes)).status_code == 200


def test_5_2_refresh_ends_with_the_security_stamp(lab: Lab, http: Http) -> None:
    """The same token works again and again until then."""
    refresh = http.grant("selfhost", **http.password_form(lab.people["owner"])).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "cli", "refresh_token": refresh}
    assert http.grant("selfhost", **form).json()["refresh_token"] == refresh
    assert http.grant("selfhost", **form).status_code == 200
    lab.set_user("selfhost", "owner@example.com", securityStamp="another")
    assert http.grant("selfhost", **form).json() == {"error": "invalid_grant"}


def test_7_5_3_memberships_are_frozen_in_the_token(lab: Lab, http: Http) -> None:
    """12.1.2: a role counts from the next token on, for a refresh too."""
    form = http.password_form(lab.people["ann"])
    login = http.grant("selfhost", **form).json()
    path = f"selfhost:/organizations/{lab.facts['organization_id']}"
    lab.set_member("ann@example.com", type=0)
    refused(http.get(path, login["access_token"]), 404, "Resource not found.")
    again = http.grant("selfhost", grant_type="refresh_token", client_id="cli", refresh_token=login["refresh_token"]).json()
    assert http.get(path, again["access_token"]).status_code == 200
    lab.set_member("ann@example.com", status=-1)
    assert http.get(path, again["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("release", "has"), [("2025.8.0", ()), ("2026.4.0", ("kdfSettings",)), ("2026.8.0", ("kdfSettings", "salt"))]
)
def test_2_7_prelogin(lab: Lab, http: Http, release: str, has: tuple[str, ...]) -> None:
    """7.5.6: unknown addresses are answered too; the second route came with 2025.12."""
    lab.reset(version=release)
    found = http.post("selfhost!/accounts/prelogin", body={"email": " OWNER@example.com"}).json()
    assert (found["kdf"], found["kdfIterations"]) == (0, 5000)
    assert ("kdfSettings" in found, found["salt"] is not None) == ("kdfSettings" in has, "salt" in has)
    assert http.post("selfhost!/accounts/prelogin", body={"email": "nobody@example.com"}).json()["kdfIterations"] == 600000
    second = http.post("selfhost!/accounts/prelogin/password", body={"email": "owner@example.com"})
    assert second.status_code == (404 if release == "2025.8.0" else 200)


def test_2_1_machine_tokens(lab: Lab, http: Http) -> None:
    """Organization and installation; a user's routes refuse them with an empty 403, and the other way round."""
    organization = lab.facts["organization_id"]
    key = next(row["apiKey"] for row in lab.rows("selfhost", "organization_api_key"))
    form = {"grant_type": "client_credentials", "client_id": f"organization.{organization}", "client_secret": key}
    found = http.grant("selfhost", **form, scope="api.organization").json()
    assert set(found) == {"access_token", "expires_in", "token_type", "scope"}
    refused(http.get("selfhost:/organizations", found["access_token"]), 403, None)
    token = http.installation_token("api.licensing api.installation")
    assert claims(token)["exp"] - claims(token)["nbf"] == 86400
    refused(http.get("eu:/organizations", token), 403, None)
    refused(http.post("eu:/organization/sponsorship/sync", http.token("cloud_owner"), {}), 403, None)


def test_1_3_no_token_is_an_empty_401(lab: Lab, http: Http) -> None:
    """So are a broken one, an expired one, and one of another world."""
    old = http.token("owner")
    lab.advance(3601)
    for token in (None, "x", "e30.e30.e30", old, http.token("cloud_owner")):
        answer = http.get("selfhost:/organizations", token)
        refused(answer, 401, None)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_1_4_discovery_names_internal_addresses(http: Http) -> None:
    """A client that follows it on a self-hosted server gets lost."""
    found = http.get("selfhost!/.well-known/openid-configuration").json()
    assert found["token_endpoint"].startswith("http://identity:5000/")
    assert http.get("eu!/.well-known/openid-configuration").json()["issuer"] == "https://identity.bitwarden.eu"


def test_5_1_personal_api_key(lab: Lab, http: Http) -> None:
    """Read and rotated with the master password's hash only."""
    token, proof = http.token("owner"), http.proof("owner")
    assert http.post("selfhost:/accounts/api-key", token, proof).json()["apiKey"] == lab.people["owner"].client_secret
    text = "MasterPasswordHash, OTP, or AccessCode must be supplied."
    invalid(http.post("selfhost:/accounts/api-key", token, {}), "", text)
    invalid(http.post("selfhost:/accounts/api-key", token, {"masterPasswordHash": "x"}), "", "User verification failed.")
    new = http.post("selfhost:/accounts/rotate-api-key", token, proof).json()["apiKey"]
    assert len(new) == 30
    assert http.grant("selfhost", **http.key_form(lab.people["owner"])).json() == {"error": "invalid_client"}
    assert http.grant("selfhost", **http.key_form(lab.people["owner"], client_secret=new)).status_code == 200


@pytest.mark.parametrize("release", RELEASES)
def test_7_4_sync_and_profile(lab: Lab, http: Http, release: str) -> None:
    """The profile's id is the token's subject, the stamp stays, the release's lists are there."""
    lab.reset(version=release)
    token = http.token("owner")
    first, second = (http.get("selfhost:/sync?excludeDomains=true", token).json() for _unused in range(2))
    assert first["profile"]["id"] == claims(token)["sub"]
    assert first["profile"]["securityStamp"] == second["profile"]["securityStamp"]
    assert ("organizationsNew" in first["profile"]) == (release == "2026.8.0")
    entry = first["profile"]["organizations"][0]
    assert (entry["name"], entry["type"], entry["status"], entry["key"][:2]) == ("Example Org", 0, 2, "4.")
    assert isinstance(http.get("selfhost:/accounts/revision-date", token).json(), int)
