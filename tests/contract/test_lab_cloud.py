"""licensing-and-billing-sync, checklist items 5 and 6 and section 3; organization-admin 12.1 items 13 and 15."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.speak import Http, claims, invalid, refused
from tests.lab import Lab
from tests.lab.core import parse

UNKNOWN = "11111111-2222-4333-8444-555555555555"


def download(lab: Lab, http: Http, label: str = "cloud_owner", installation: str | None = None, world: str = "eu") -> t.Any:
    """Download the organization's license."""
    wanted = {"installationId": lab.facts["installation_id"] if installation is None else installation}
    return http.get(f"{world}:/organizations/{lab.facts['cloud_organization_id']}/license", http.token(label), params=wanted)


def by_installation(lab: Lab, http: Http, **keys: t.Any) -> t.Any:
    """Ask for it as the self-hosted server does."""
    key = lab.rows("eu", "organization", id=lab.facts["cloud_organization_id"])[0]["licenseKey"]
    body = {"licenseKey": key, "billingSyncKey": "x", **keys}
    where = f"eu:/licenses/organization/{lab.facts['cloud_organization_id']}"
    return http.get(where, http.installation_token("api.licensing"), json=body)


def test_3_1_download(lab: Lab, http: Http) -> None:
    """10.5: a new jti and date each time, the same hash."""
    first, second = download(lab, http).json(), download(lab, http).json()
    assert first["hash"] == second["hash"]
    assert claims(first["token"])["jti"] != claims(second["token"])["jti"]
    assert (first["version"], first["licenseType"], first["selfHost"]) == (15, 1, True)


def test_3_1_refusals(lab: Lab, http: Http) -> None:
    """Missing, unknown or disabled installation; not the owner."""
    for wanted in ("", UNKNOWN):
        refused(download(lab, http, installation=wanted), 400, "Invalid installation id")
    assert download(lab, http, installation="x").json()["message"] == "The model state is invalid."
    row = lab.rows("eu", "installation")[0]
    lab.put_row("eu", "installation", **row | {"enabled": False})
    refused(download(lab, http), 400, "Invalid installation id")
    refused(download(lab, http, "family"), 404, "Resource not found.")


DATES: dict[str, tuple[dict[str, t.Any], dict[str, float | None], bool]] = {
    # what the organization has (days from today) -> expires, refresh, without grace (days from today), trial
    "annual": ({"period": 365, "end": 330, "ends": 330, "trial": -30}, {"expires": 390, "refresh": 30, "soft": 330}, False),
    "annual, never on trial": ({"period": 365, "end": 330, "ends": 330}, {"expires": 390, "refresh": 30, "soft": None}, False),
    "monthly": ({"period": 30, "end": 20, "ends": 20}, {"expires": 354, "refresh": 354, "soft": None}, False),
    "trial": ({"period": 365, "end": 330, "trial": 7}, {"expires": 7, "refresh": 7, "soft": None}, True),
    "expired": ({"period": 365, "end": 330, "ends": -3}, {"expires": -3, "refresh": -3, "soft": None}, False),
    "no subscription": ({"ends": 100}, {"expires": 100, "refresh": 100, "soft": None}, False),
}


@pytest.mark.parametrize("case", DATES)
def test_1_6_dates(lab: Lab, http: Http, case: str) -> None:
    """Grace of 60 days for annual plans, and what else the cloud computes."""
    has, expected, trial = DATES[case]
    today = parse(lab.now()).replace(hour=0, minute=0, second=0, microsecond=0)

    def day(name: str) -> str | None:
        return (today + (today - today).__class__(days=has[name])).isoformat() if name in has else None

    paid = {"status": "active", "periodDays": has.get("period"), "periodEnd": day("end"), "trialEnd": day("trial")}
    fields = {"expirationDate": day("ends"), "subscription": paid if "period" in has else None}
    lab.set_organization("eu", lab.facts["cloud_organization_id"], **fields)
    found = download(lab, http).json()
    names = {"expires": "expires", "refresh": "refresh", "soft": "expirationWithoutGracePeriod"}
    shown = {ours: found[theirs] and (parse(found[theirs]) - today).days for ours, theirs in names.items()}
    assert (shown, found["trial"]) == (expected, trial)


@pytest.mark.parametrize(("release", "status"), [("2026.4.0", 200), ("2026.8.0", 400)])
def test_11_unpaid_downloads_are_refused_since_2026_5(lab: Lab, http: Http, release: str, status: int) -> None:
    """Canceled, and no subscription at all."""
    lab.reset(cloud_version=release)
    organization = lab.facts["cloud_organization_id"]
    row = lab.rows("eu", "organization", id=organization)[0]
    lab.set_organization("eu", organization, subscription={**row["subscription"], "status": "canceled"})
    assert download(lab, http).status_code == status
    lab.set_organization("eu", organization, subscription=None, expirationDate=None)
    answer = download(lab, http)
    assert answer.status_code == status
    assert status == 200 or answer.json()["message"] == "No active subscription found."


def test_3_1_provider_users_download_too(lab: Lab, http: Http) -> None:
    """And their provider's subscription is looked at; at the self-hosted server they are nobody."""
    lab.reset(scenario="provider")
    assert download(lab, http, "provider_user").status_code == 200
    provider = lab.rows("eu", "provider")[0]
    lab.put_row("eu", "provider", **provider | {"subscription": {**provider["subscription"], "status": "canceled"}})
    assert "payment issue" in download(lab, http, "provider_user").json()["message"]
    profile = http.get("eu:/accounts/profile", http.token("provider_user")).json()
    assert profile["organizations"] == []
    assert [entry["id"] for entry in profile["providerOrganizations"]] == [lab.facts["cloud_organization_id"]]


def test_10_5_license_for_an_installation(lab: Lab, http: Http) -> None:
    """A JSON body on a GET; each key has its own refusal, in this order."""
    refused(by_installation(lab, http, licenseKey="x"), 400, "Invalid license key.")
    assert by_installation(lab, http).status_code == 500, "no key was ever generated"
    key = http.sync_key()
    refused(by_installation(lab, http), 400, "Invalid Billing Sync Key")
    found = by_installation(lab, http, billingSyncKey=key).json()
    assert found["installationId"] == lab.facts["installation_id"]
    where = f"eu:/licenses/organization/{UNKNOWN}"
    refused(http.get(where, http.installation_token("api.licensing"), json={}), 404, "Resource not found.")
    refused(http.get(where, http.installation_token("api.installation"), json={}), 403, None)


def test_10_6_api_key_is_get_or_create(lab: Lab, http: Http) -> None:
    """12.1.13: thirty characters; a wrong password leaves a key behind; rotation ends the old one."""
    organization = lab.facts["cloud_organization_id"]
    where, token = f"eu:/organizations/{organization}", http.token("cloud_owner")
    information = f"{where}/api-key-information/1"
    assert http.get(information, token).json()["data"] == []
    invalid(http.post(f"{where}/api-key", token, {"type": 1}), "", "MasterPasswordHash, OTP, or AccessCode must be supplied.")
    assert http.get(information, token).json()["data"] == []
    wrong = {"type": 1, "masterPasswordHash": "x"}
    invalid(http.post(f"{where}/api-key", token, wrong), "MasterPasswordHash", "Invalid password.")
    assert [entry["keyType"] for entry in http.get(information, token).json()["data"]] == [1]
    first, second = http.sync_key(), http.sync_key()
    assert first == second
    assert len(first) == 30
    rotated = http.post(f"{where}/rotate-api-key", token, {"type": 1, **http.proof("cloud_owner")}).json()
    assert rotated["object"] == "apiKey"
    assert http.sync_key() == rotated["apiKey"] != first
    assert {entry["keyType"] for entry in http.get(f"{where}/api-key-information", token).json()["data"]} == {0, 1}


def test_3_2_without_a_type_it_is_the_public_api_key(lab: Lab, http: Http) -> None:
    """The trap for automation."""
    where = f"eu:/organizations/{lab.facts['cloud_organization_id']}/api-key"
    found = http.post(where, http.token("cloud_owner"), http.proof("cloud_owner")).json()
    assert found["apiKey"] == lab.rows("eu", "organization_api_key", type=0)[0]["apiKey"]


def test_3_2_plan_and_owner(lab: Lab, http: Http) -> None:
    """Families organizations and other people get 404; rotating asks for no plan."""
    families = f"eu:/organizations/{lab.facts['families_organization_id']}"
    body = {"type": 1, **http.proof("family")}
    refused(http.post(f"{families}/api-key", http.token("family"), body), 404, "Resource not found.")
    assert http.post(f"{families}/rotate-api-key", http.token("family"), body).status_code == 200
    own = f"eu:/organizations/{lab.facts['cloud_organization_id']}/api-key"
    refused(http.post(own, http.token("family"), body), 404, "Resource not found.")


def test_3_3_installations(lab: Lab, http: Http) -> None:
    """Known in their own region only; the key is never shown again."""
    where = f"/installations/{lab.facts['installation_id']}"
    found = http.get(f"eu:{where}").json()
    assert found == {"id": lab.facts["installation_id"], "key": None, "enabled": True, "object": "installation"}
    refused(http.get(f"us:{where}"), 404, "Resource not found.")
    new = http.post("us:/installations", body={"email": "ops@example.test"}).json()
    assert len(new["key"]) == 20
    assert http.get(f"us:/installations/{new['id']}").json()["key"] is None


def test_12_1_15_rate_limits_when_switched_on(lab: Lab, http: Http) -> None:
    """Ten logins a minute, two installations in two minutes; never at the self-hosted server."""
    lab.rate_limits()
    for _unused in range(2):
        http.post("eu:/installations", body={"email": "ops@example.test"})
    limited = http.post("eu:/installations", body={"email": "ops@example.test"})
    refused(limited, 429, "Slow down! Too many requests. Try again in 2m.")
    assert 115 <= int(limited.headers["Retry-After"]) <= 120
    lab.advance(121)
    assert http.post("eu:/installations", body={"email": "ops@example.test"}).ok
    for _unused in range(2):
        assert [http.grant("us", grant_type="x").status_code for _unused in range(5)] == [400] * 5
        lab.advance(1.1)
    limited = http.grant("us", grant_type="x")
    refused(limited, 429, "Slow down! Too many requests. Try again in 1m.")
    assert 50 <= int(limited.headers["Retry-After"]) <= 58
    assert {http.grant("selfhost", grant_type="x").status_code for _unused in range(11)} == {400}


def test_rate_limits_count_verbs_and_exact_paths(lab: Lab, http: Http) -> None:
    """Sixty writes a minute to one path and five in a second, however many paths there are; 200 reads."""
    lab.rate_limits()
    assert {http.post(f"eu:/nowhere/{number}").status_code for number in range(10)} == {404}
    assert [http.post("eu:/nowhere").status_code for _unused in range(6)] == [404] * 5 + [429]
    assert http("PUT", "eu:/Nowhere").status_code == 404
    assert http.post("eu:/Nowhere/").status_code == 429
    for _unused in range(11):
        lab.advance(1.1)
        assert http.post("eu:/nowhere").status_code == 404
        assert {http.post("eu:/nowhere").status_code for _unused in range(4)} == {404}
    lab.advance(1.1)
    limited = http.post("eu:/nowhere")
    refused(limited, 429, "Slow down! Too many requests. Try again in 1m.")
    lab.advance(int(limited.headers["Retry-After"]) + 1)
    assert http.post("eu:/nowhere").status_code == 404
    assert {http.get("eu:/nowhere").status_code for _unused in range(200)} == {404}
    assert http.get("eu:/nowhere").status_code == 429
    assert [http.get("eu:/alive").status_code for _unused in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("path", ["/organizations/1/users/invite", "/organizations/1/users/2/reinvite"])
def test_rate_limits_of_invitations(lab: Lab, http: Http, path: str) -> None:
    """Five a minute, 300 a day."""
    lab.rate_limits()
    for _unused in range(60):
        assert {http.post(f"eu:{path}").status_code for _unused in range(5)}.isdisjoint({429})
        lab.advance(61)
    limited = http.post(f"eu:{path}")
    refused(limited, 429, "Slow down! Too many requests. Try again in 1d.")
    assert int(limited.headers["Retry-After"]) == pytest.approx(86400 - 60 * 61, abs=60)
    lab.advance(86400 - 60 * 61 + 1)
    assert http.post(f"eu:{path}").status_code != 429
