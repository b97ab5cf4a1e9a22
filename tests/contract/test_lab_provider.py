"""provider-and-client-orgs sections 2, 4, 7, 9, 10 and 11: who may, what a provider is, what its users see."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from tests.contract.provider import NOT_FOUND, UNAUTHORIZED, UNKNOWN, Provider
from tests.contract.speak import RELEASES, Http, claims, invalid, refused
from tests.lab import Lab, crypto
from tests.lab.core import parse

_OPEN = ("", "/organizations")
_ADMINS = ("/users", "/users/{sam}")


@pytest.fixture
def provider(lab: Lab, http: Http) -> Provider:
    """An MSP with two clients, at the newest cloud."""
    return Provider(lab, http)


@pytest.mark.parametrize("version", RELEASES)
def test_15_2_how_each_controller_refuses(lab: Lab, http: Http, version: str) -> None:
    """An empty 403 since 2026.4.1; before, 404 JSON, and 401 JSON from the clients. Billing and events stay as they were."""
    provider = Provider(lab, http, cloud_version=version)
    newest = version == "2026.8.0"
    stranger, sam = http.token("family"), provider.users()["service@example.net"]["id"]
    for path in (*_OPEN, *_ADMINS):
        answer = provider.ask("GET", path.format(sam=sam), stranger)
        refused(answer, *((403, None) if newest else (404, NOT_FOUND)))
    for path in _ADMINS:
        refused(provider.ask("GET", path.format(sam=sam), provider.sam), *((403, None) if newest else (404, NOT_FOUND)))
    clients = (403, None) if newest else (401, UNAUTHORIZED)
    refused(provider.ask("POST", "/clients", provider.sam, provider.wanted()), *clients)
    refused(provider.ask("PUT", f"/clients/{UNKNOWN}", stranger, {"name": "x"}), *clients)
    refused(provider.ask("GET", "/clients/addable", stranger), *clients)
    refused(provider.ask("GET", "/billing/subscription", stranger), 401, UNAUTHORIZED)
    refused(provider.ask("GET", "/billing/vnext/warnings", stranger), 401, UNAUTHORIZED)
    refused(provider.ask("GET", "/events", provider.sam), 404, NOT_FOUND)
    refused(http.get(f"eu:/providers/{UNKNOWN}", provider.petra), *((403, None) if newest else (404, NOT_FOUND)))
    anonymous = http.get(f"eu:/providers/{provider.id}")
    refused(anonymous, 401, None)
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("version", RELEASES)
def test_15_2_a_provider_that_is_not_billable(lab: Lab, http: Http, version: str) -> None:
    """401 from the clients, with a body from older servers; the list of organizations works."""
    provider = Provider(lab, http, cloud_version=version)
    row = lab.rows("eu", "provider")[0]
    lab.put_row("eu", "provider", **{**row, "status": 1})
    refused(provider.create(), 401, None if version == "2026.8.0" else UNAUTHORIZED)
    refused(provider.ask("GET", "/billing/subscription"), 401, UNAUTHORIZED)
    assert len(provider.clients()) == 2
    lab.put_row("eu", "provider", **{**row, "stripe": False})
    assert provider.create().status_code == 500
    assert len(provider.clients()) == 2


def test_0_1_a_self_hosted_server_knows_no_providers(lab: Lab, http: Http) -> None:
    """Its routes are there, and nobody holds the claims."""
    lab.reset(scenario="page_a")
    token = http.token("owner")
    refused(http.get(f"selfhost:/providers/{UNKNOWN}", token), 403, None)
    refused(http.post(f"selfhost:/providers/{UNKNOWN}/clients", token, {}), 403, None)
    profile = http.get("selfhost:/accounts/profile", token).json()
    assert (profile["providers"], profile["providerOrganizations"]) == ([], [])


def test_15_1_the_token_decides_about_providers_and_the_database_about_clients(provider: Provider) -> None:
    """A removed admin keeps the provider until his token ends, and loses the clients at once; new clients need no new token."""
    http, lab = provider.http, provider.lab
    token = claims(provider.petra)
    assert (token["providerprovideradmin"], claims(provider.sam)["providerserviceuser"]) == (provider.id, provider.id)
    assert provider.create().status_code == 200
    organization = f"eu:/organizations/{provider.clients()['New Client']['organizationId']}"
    assert http.get(organization, provider.petra).status_code == http.get(organization, provider.sam).status_code == 200
    row = next(row for row in lab.rows("eu", "provider_user") if row["email"] == "provider@example.net")
    lab.put_row("eu", "provider_user", **{**row, "type": 1})
    assert provider.ask("GET", "/users").status_code == 200
    assert "providerprovideradmin" not in claims(http.token("provider_user"))
    lab.delete_row("eu", "provider_user", row["id"])
    assert provider.ask("GET", "/users").status_code == 200
    refused(http.get(organization, provider.petra), 404, NOT_FOUND)


def test_4_2_and_4_4_the_provider_itself(provider: Provider) -> None:
    """Read by both, changed by admins; a name's length is that of its HTML."""
    found = provider.ask("GET", "", provider.sam).json()
    assert (found["object"], found["name"], found["type"]) == ("provider", "Example Provider", 0)
    assert {"status", "enabled", "key"}.isdisjoint(found)
    changed = {"name": "R & D", "businessName": None, "billingEmail": "Pay@Example.net"}
    refused(provider.ask("PUT", "", provider.sam, changed), 403, None)
    assert provider.ask("PUT", "", body=changed).json()["billingEmail"] == "pay@example.net"
    too_long = {**changed, "name": "&" * 11}
    invalid(provider.ask("PUT", "", body=too_long), "Name", "The field Name exceeds the maximum length.")
    invalid(provider.ask("PUT", "", body={**changed, "name": ""}), "Name", "The Name field is required.")
    invalid(
        provider.ask("PUT", "", body={**changed, "billingEmail": "x"}),
        "BillingEmail",
        "The BillingEmail field is not a valid e-mail address.",
    )


@pytest.mark.parametrize(("scenario", "kind"), [("msp", 0), ("business_unit", 2)])
def test_15_13_the_profile(lab: Lab, http: Http, scenario: str, kind: int) -> None:
    """Both lists, whose keys open each other; pending providers are left out, disabled ones are shown."""
    provider = Provider(lab, http, scenario)
    profile = http.get("eu:/accounts/profile", provider.petra).json()
    assert http.get("eu:/sync", provider.petra).json()["profile"] == profile
    shown = profile["providers"][0]
    expected = {"id": provider.id, "name": "Example Provider", "status": 2, "type": 0, "enabled": True, "useEvents": True}
    assert {**expected, "providerStatus": 2, "providerType": kind}.items() <= shown.items()
    clients = {entry["name"]: entry for entry in profile["providerOrganizations"]}
    alpha = clients["Alpha Client"]
    fixed = {"status": 2, "type": 0, "providerId": provider.id, "providerType": kind, "accessSecretsManager": False}
    assert fixed.items() <= alpha.items()
    assert not any(alpha["permissions"].values())
    assert {"organizationUserId", "familySponsorshipAvailable", "userIsClaimedByOrganization"}.isdisjoint(alpha)
    user = lab.rows("eu", "user", email="provider@example.net")[0]
    assert alpha["userId"] == user["id"]
    assert opened(lab, user, shown["key"]) == provider.key
    assert crypto.decrypt(alpha["key"], provider.key) == lab.organization_key(alpha["id"])
    assert http.get("eu:/organizations", provider.petra).json()["data"][0]["name"] == "Gamma Company", "no clients here"
    row = lab.rows("eu", "provider")[0]
    lab.put_row("eu", "provider", **{**row, "enabled": False})
    assert http.get("eu:/accounts/profile", provider.petra).json()["providers"][0]["enabled"] is False
    lab.put_row("eu", "provider", **{**row, "status": 0})
    profile = http.get("eu:/accounts/profile", provider.petra).json()
    assert (profile["providers"], profile["providerOrganizations"]) == ([], [])


def opened(lab: Lab, user: dict[str, t.Any], wrapped: str) -> bytes:
    """Open what is wrapped for somebody, from the password on."""
    who = lab.people["provider_user"]
    user_key = crypto.decrypt(user["key"], crypto.stretch(crypto.master_key(who.master_password, who.email, user)))
    return crypto.unwrap(wrapped, crypto.b64(crypto.decrypt(user["privateKey"], user_key)))


def test_10_1_subscription(lab: Lab, http: Http) -> None:
    """Plans with their seats, for both roles."""
    provider = Provider(lab, http)
    found = provider.ask("GET", "/billing/subscription", provider.sam).json()
    assert "object" not in found
    teams, enterprise = found["plans"]
    assert (teams["planName"], teams["cadence"], teams["productTier"]) == ("Teams (Monthly)", "Monthly", 2)
    assert (teams["seatMinimum"], teams["assignedSeats"], teams["cost"]) == (10, 5, 40)
    assert (enterprise["type"], enterprise["purchasedSeats"], enterprise["assignedSeats"]) == (19, 0, 10)
    assert (found["status"], found["suspension"], found["providerType"]) == ("active", None, 0)
    unit = Provider(lab, http, "business_unit").ask("GET", "/billing/subscription").json()
    assert [(plan["type"], plan["cadence"], plan["assignedSeats"]) for plan in unit["plans"]] == [(20, "Annual", 15)]


def test_12_5_a_suspended_provider(provider: Provider) -> None:
    """Its clients are disabled with it; nothing is refused, and warnings tell who can mend it."""
    lab, http = provider.lab, provider.http
    assert provider.ask("GET", "/billing/vnext/warnings").json() == {"suspension": None, "taxId": None}
    lab.suspend_provider()
    for token, resolution in ((provider.petra, "add_payment_method"), (provider.sam, "contact_administrator")):
        assert provider.ask("GET", "/billing/vnext/warnings", token).json()["suspension"]["resolution"] == resolution
    profile = http.get("eu:/accounts/profile", provider.petra).json()
    assert profile["providers"][0]["enabled"] is False
    assert {entry["enabled"] for entry in profile["providerOrganizations"]} == {False}
    assert provider.ask("GET", "/billing/subscription").json()["suspension"]["gracePeriod"] == 30
    assert provider.create().status_code == 200
    license_file = license_of(provider, lab.facts["alpha_organization_id"])
    assert license_file.json()["enabled"] is False
    lab.suspend_provider(False)
    assert license_of(provider, lab.facts["alpha_organization_id"]).json()["enabled"] is True


def license_of(provider: Provider, organization_id: str, installation: str | None = None) -> t.Any:
    """Download a license as Petra."""
    installation = installation or provider.lab.facts["installation_id"]
    where = f"eu:/organizations/{organization_id}/license?installationId={installation}"
    return provider.http.get(where, provider.petra)


def test_15_14_licenses_of_clients(provider: Provider) -> None:
    """Three refusals; the provider's subscription is the one that counts; a Teams license cannot be used on premises."""
    lab = provider.lab
    alpha, beta = (lab.facts[f"{name}_organization_id"] for name in ("alpha", "beta"))
    refused(license_of(provider, alpha, UNKNOWN), 400, "Invalid installation id")
    assert (license_of(provider, alpha).json()["selfHost"], license_of(provider, beta).json()["selfHost"]) == (True, False)
    found = license_of(provider, alpha).json()
    assert parse(found["expires"]) - parse(found["issued"]) == timedelta(days=365), "of a monthly plan"
    lab.fault("client_step:seats")
    provider.create()
    refused(license_of(provider, provider.clients()["New Client"]["organizationId"]), 400, "No active subscription found.")
    row = lab.rows("eu", "provider")[0]
    payment = "Unable to generate license due to a payment issue."
    for status, code in (("past_due", 200), ("unpaid", 200), ("canceled", 400), ("incomplete", 400)):
        lab.put_row("eu", "provider", **{**row, "subscription": {**row["subscription"], "status": status}})
        answer = license_of(provider, alpha)
        assert answer.status_code == code, status
        assert code == 200 or answer.json()["message"].startswith(payment)


def test_8_1_bills_of_a_client_are_its_providers(provider: Provider) -> None:
    """Its own owner neither sees them nor changes their address."""
    http, organization = provider.http, f"eu:/organizations/{provider.lab.facts['alpha_organization_id']}"
    owner = http.token("alpha_owner")
    refused(http.get(f"{organization}/subscription", owner), 404, NOT_FOUND)
    refused(http("PUT", organization, owner, json={"billingEmail": "me@alpha.example"}), 401, None)
    assert http("PUT", organization, owner, json={"name": "Alpha Renamed"}).json()["name"] == "Alpha Renamed"
    assert http.get(f"{organization}/subscription", provider.sam).status_code == 200
    changed = http("PUT", organization, provider.sam, json={"billingEmail": "pay@alpha.example"}).json()
    assert changed["billingEmail"] == "pay@alpha.example"


def test_15_12_events(provider: Provider) -> None:
    """Fifty per page, newest first, until the token is null; reversed bounds are swapped, long ranges refused."""
    lab = provider.lab
    for number in range(3):
        provider.invite(*(f"guest{number}-{of}@example.net" for of in range(20)))
    first = provider.ask("GET", "/events").json()
    second = provider.ask("GET", f"/events?continuationToken={first['continuationToken']}").json()
    assert (len(first["data"]), len(second["data"]), second["continuationToken"]) == (50, 10, None)
    event = first["data"][0]
    invited = provider.users()["guest2-19@example.net"]
    admin = lab.people["provider_user"].user_id
    known = {"object": "event", "type": 1800, "providerUserId": invited["id"], "providerId": provider.id, "actingUserId": admin}
    assert known.items() <= event.items()
    assert event["organizationId"] is event["userId"] is None
    refused(provider.ask("GET", "/events?start=2025-01-01&end=2026-01-04"), 400, "Range too large.")
    assert provider.ask("GET", "/events?start=2026-01-02&end=2026-01-01").json()["data"] == []
    lab.advance(31 * 86400)
    provider.petra = provider.http.token("provider_user")
    assert provider.ask("GET", "/events").json()["data"] == [], "thirty days"
    petra = provider.users()["provider@example.net"]["id"]
    assert provider.ask("GET", f"/users/{petra}/events?start={event['date'][:10]}&end={lab.now()}").json()["continuationToken"]
    refused(provider.ask("GET", f"/users/{invited['id']}/events"), 404, NOT_FOUND)


def test_9_what_a_provider_user_does_in_a_client_carries_the_provider(provider: Provider) -> None:
    """And is in both logs; what a member does is in the organization's only."""
    http = provider.http
    organization = provider.lab.facts["alpha_organization_id"]
    where = f"eu:/organizations/{organization}"
    body = {"emails": ["new@alpha.example"], "type": 2, "collections": [], "groups": []}
    assert http.post(f"{where}/users/invite", provider.sam, body).status_code == 200
    logged = http.get(f"{where}/events", provider.petra).json()["data"][0]
    assert (logged["type"], logged["organizationId"], logged["providerId"]) == (1500, organization, provider.id)
    assert provider.events() == [1500]
    owner = http.token("alpha_owner")
    http.post(f"{where}/users/invite", owner, {**body, "emails": ["next@alpha.example"]})
    assert http.get(f"{where}/events", owner).json()["data"][0]["providerId"] is None
    assert provider.events() == [1500]
    http.get(f"{where}/collections/details", provider.petra)
    assert sorted(provider.events()) == [1500, 1603, 1903]
    refused(http.get(f"{where}/events", http.token("family")), 404, NOT_FOUND)


def test_keys_are_opened_from_the_passwords(provider: Provider) -> None:
    """By a member where there is one, else through the provider; names of collections become readable."""
    lab = provider.lab
    for name in ("alpha", "beta", "gamma"):
        organization = lab.facts[f"{name}_organization_id"]
        assert len(lab.organization_key(organization)) == 64
        for row in lab.rows("eu", "collection", organizationId=organization):
            assert lab.decrypt(organization, row["name"]) == "Default collection"
    with pytest.raises(LookupError):
        lab.organization_key(UNKNOWN)
