"""provider-and-client-orgs sections 6, 8 and 12: client organizations, their seats, and how they come and go."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.provider import ASSISTANCE, BILLING, NOT_FOUND, UNAUTHORIZED, UNKNOWN, Provider, Row
from tests.contract.speak import RELEASES, Http, invalid, refused
from tests.lab import Lab, crypto, people

_PLAN = "'planType' must be Teams (Monthly), Enterprise (Monthly) or Enterprise (Annually)"
_MSP = (
    "Managed Service Providers cannot manage organizations with the plan type EnterpriseAnnually."
    " Only Teams (Monthly) and Enterprise (Monthly) are allowed."
)
_UNIT = (
    "Business Unit Providers cannot manage organizations with the plan type TeamsMonthly."
    " Only Enterprise (Monthly) and Enterprise (Annually) are allowed."
)
_PURCHASE = "Service users cannot purchase additional seats."
_LINKED = "Organization already belongs to a provider."
_NO_OWNER = "Organization must have at least one confirmed owner."


@pytest.fixture
def provider(lab: Lab, http: Http) -> Provider:
    """An MSP with two clients, at the newest cloud."""
    return Provider(lab, http)


def test_15_3_a_new_client(provider: Provider) -> None:
    """Nothing tells its id; the key comes back in the list. Its owner is invited and may manage the first collection."""
    wanted = provider.wanted()
    answer = provider.ask("POST", "/clients", body=wanted)
    assert (answer.status_code, answer.content) == (200, b"")
    row = provider.clients()["New Client"]
    shown = {
        "object": "providerOrganizationOrganizationDetail",
        "key": wanted["key"],
        "settings": None,
        "plan": "Enterprise (Monthly)",
    }
    counted = {"userCount": 0, "seats": 10, "occupiedSeats": 1, "remainingSeats": 9}
    assert {**shown, **counted}.items() <= row.items()
    assert row["id"] != row["organizationId"]
    where = f"eu:/organizations/{row['organizationId']}"
    member = provider.http.get(f"{where}/users?includeCollections=true", provider.sam).json()["data"][0]
    assert (member["email"], member["type"], member["status"], member["userId"]) == ("owner@new.example", 0, 0, None)
    assert [entry["manage"] for entry in member["collections"]] == [True]
    collection = provider.http.get(f"{where}/collections", provider.sam).json()["data"][0]
    assert provider.lab.decrypt(row["organizationId"], collection["name"]) == "Default collection"
    assert provider.events() == [1900, 1500]
    assert "organizationName=New+Client&token=" in provider.lab.mailbox("owner@new.example")[0].text


@pytest.mark.parametrize(("plan_type", "has"), [(17, False), (19, True)])
def test_6_9_state_of_a_fresh_client(provider: Provider, plan_type: int, has: bool) -> None:
    """What its plan has, all settings off, paid by the provider."""
    provider.create(planType=plan_type)
    row = provider.clients()["New Client"]
    found = provider.http.get(f"eu:/organizations/{row['organizationId']}", provider.petra).json()
    for name in ("usePolicies", "useSso", "selfHost", "useResetPassword", "useCustomPermissions"):
        assert found[name] is has
    for name in ("useGroups", "useDirectory", "useEvents", "useScim", "useApi"):
        assert found[name] is True
    for name in ("limitCollectionCreation", "limitItemDeletion", "allowAdminAccessToAllCollectionItems", "useKeyConnector"):
        assert found[name] is False
    assert (found["planType"], found["billingEmail"], found["seats"]) == (plan_type, "billing@example.net", 10)
    profile = provider.http.get("eu:/accounts/profile", provider.petra).json()
    entry = next(entry for entry in profile["providerOrganizations"] if entry["name"] == "New Client")
    assert (entry["enabled"], entry["id"]) == (True, row["organizationId"])


def test_15_4_names_are_not_unique(provider: Provider) -> None:
    """And longer ones are cut."""
    provider.create()
    provider.create()
    provider.create(name="x" * 60)
    names = [row["organizationName"] for row in provider.ask("GET", "/organizations").json()["data"]]
    assert names == ["Alpha Client", "Beta Client", "New Client", "New Client", "x" * 50]


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"name": ""}, "Name", "'name' must be provided"),
        ({"ownerEmail": None}, "OwnerEmail", "'ownerEmail' must be provided"),
        ({"planType": 20.5}, "$.planType", "The JSON value could not be converted to System.Int32."),
        ({"planType": "EnterpriseMonthly"}, "$.planType", "The JSON value could not be converted to System.Int32."),
        ({"planType": 18}, "PlanType", _PLAN),
        ({"planType": 0}, "PlanType", _PLAN),
        ({"seats": 0}, "Seats", "'seats' must be greater than 0"),
        ({"key": None}, "Key", "'key' must be provided"),
        ({"keyPair": None}, "KeyPair", "'keyPair' must be provided"),
        ({"keyPair": {"publicKey": "x"}}, "KeyPair.EncryptedPrivateKey", "'encryptedPrivateKey' must be provided"),
        ({"keyPair": {"encryptedPrivateKey": "x"}}, "KeyPair.PublicKey", "'publicKey' must be provided"),
        ({"collectionName": ""}, "CollectionName", "'collectionName' must be provided"),
    ],
)
def test_15_6_refused_requests(provider: Provider, changes: Row, field: str, text: str) -> None:
    """Of a creation; the encrypted texts are only there or not."""
    invalid(provider.create(**changes), field, text)
    assert len(provider.clients()) == 2
    assert provider.create(key="x", planType="19", ownerEmail="no address").status_code == 200


@pytest.mark.parametrize(("scenario", "plan_type", "text"), [("msp", 20, _MSP), ("business_unit", 17, _UNIT)])
def test_15_6_plans_by_type_of_provider(lab: Lab, http: Http, scenario: str, plan_type: int, text: str) -> None:
    """A plan that the type forbids creates nothing."""
    provider = Provider(lab, http, scenario)
    refused(provider.create(planType=plan_type), 400, text)
    assert len(provider.clients()) == 2


def test_15_6_a_business_unit_has_one_plan(lab: Lab, http: Http) -> None:
    """The other cadence fails too late: the organization is there."""
    provider = Provider(lab, http, "business_unit")
    refused(provider.create(planType=19), 500, BILLING)
    assert provider.clients()["New Client"]["plan"] == "Enterprise (Monthly)"
    refused(provider.resize("New Client", 10), 500, ASSISTANCE)
    assert provider.create(name="Other", planType=20).status_code == 200


@pytest.mark.parametrize(
    ("step", "seen", "owner", "allocated"),
    [("organization", False, False, 10), ("link", True, False, 10), ("owner", True, True, 10), ("seats", True, True, 20)],
)
def test_15_4_half_created_clients(provider: Provider, step: str, seen: bool, owner: bool, allocated: int) -> None:
    """Visible from the link on, paid for by nobody; deleting one gives no seats back."""
    provider.lab.fault(f"client_step:{step}")
    refused(provider.create(), 500, BILLING)
    assert ("New Client" in provider.clients()) is seen
    assert provider.plan(19) == (allocated, 0)
    assert len(provider.lab.mailbox("owner@new.example")) == owner
    if seen:
        refused(provider.resize("New Client", 10), 500, ASSISTANCE)
        row = provider.clients()["New Client"]
        assert row["occupiedSeats"] == owner
        where, proof = f"eu:/organizations/{row['organizationId']}", provider.http.proof("provider_user")
        assert provider.http("DELETE", where, provider.petra, json=proof).status_code == 200
        assert provider.plan(19) == (allocated, 0)
        assert provider.resize("Alpha Client", 10).status_code == 200
        assert provider.plan(19) == (10, 0), "a sibling's change counts again"
    assert provider.create().status_code == 200, "the fault is used up"


def test_15_4_a_lost_answer(provider: Provider) -> None:
    """The client is there, and its key tells which one."""
    wanted = provider.wanted()
    provider.lab.fault("status_after:502", path="/clients$")
    assert provider.ask("POST", "/clients", body=wanted).status_code == 502
    assert provider.clients()["New Client"]["key"] == wanted["key"]


def test_15_5_seats(provider: Provider) -> None:
    """The example of the reference, with its pool: min 20, 15 + 0, create 10, reduce 15 to 8, and back over the minimum."""
    row = provider.lab.rows("eu", "provider_plan", planType=19)[0]
    provider.lab.put_row("eu", "provider_plan", **{**row, "seatMinimum": 20})
    assert provider.resize("Alpha Client", 15).content == b""
    assert provider.plan(19) == (15, 0)
    provider.create()
    assert provider.plan(19) == (25, 5)
    provider.resize("Alpha Client", 8)
    assert provider.plan(19) == (18, 0)
    provider.resize("Alpha Client", 20)
    provider.resize("New Client", 5)
    assert provider.plan(19) == (25, 5)
    provider.resize("New Client", 4)
    assert provider.plan(19) == (24, 4)
    assert provider.plan(17) == (5, 0)


def test_15_5_service_users_buy_nothing(provider: Provider) -> None:
    """They may move seats inside the pool, and give back."""
    assert provider.resize("Alpha Client", 50, provider.sam).status_code == 200
    refused(provider.resize("Alpha Client", 51, provider.sam), 401, _PURCHASE)
    assert provider.resize("Alpha Client", 60).status_code == 200
    refused(provider.resize("Alpha Client", 61, provider.sam), 401, _PURCHASE)
    assert provider.resize("Alpha Client", 59, provider.sam).status_code == 200
    assert provider.plan(19) == (59, 9)


def test_15_5_what_is_accepted(provider: Provider) -> None:
    """Fewer seats than people; a missing number is none."""
    row = provider.clients()["Alpha Client"]
    assert provider.ask("PUT", f"/clients/{row['id']}", body={"name": "Renamed"}).status_code == 200
    renamed = provider.clients()["Renamed"]
    assert (renamed["seats"], renamed["occupiedSeats"], renamed["remainingSeats"]) == (0, 1, -1)
    invalid(provider.ask("PUT", f"/clients/{row['id']}", body={"assignedSeats": 1}), "Name", "'name' must be provided")
    negative = provider.ask("PUT", f"/clients/{row['id']}", body={"name": "x", "assignedSeats": -1})
    invalid(negative, "AssignedSeats", "You cannot assign negative seats to a client organization.")
    refused(provider.ask("PUT", f"/clients/{UNKNOWN}", body={"name": "x"}), 404, NOT_FOUND)
    refused(provider.ask("PUT", f"/clients/{row['organizationId']}", body={"name": "x"}), 404, NOT_FOUND)


@pytest.mark.parametrize("version", RELEASES)
def test_13_a_client_of_another_provider(lab: Lab, http: Http, version: str) -> None:
    """Could be changed before 2026.3.2."""
    provider = Provider(lab, http, cloud_version=version)
    link = lab.rows("eu", "provider_organization")[0]
    lab.put_row("eu", "provider_organization", **{**link, "providerId": UNKNOWN})
    answer = provider.ask("PUT", f"/clients/{link['id']}", body={"name": "Taken", "assignedSeats": 10})
    if version == "2025.8.0":
        assert answer.status_code == 200
    else:
        refused(answer, 404, NOT_FOUND)


def test_15_11_a_client_that_is_full(provider: Provider) -> None:
    """Cannot invite; whose seats are there can."""
    where = f"eu:/organizations/{provider.clients()['Beta Client']['organizationId']}/users/invite"
    emails = [f"user{number}@beta.example" for number in range(5)]
    body = {"emails": emails, "type": 2, "collections": [], "groups": []}
    text = "Seat limit has been reached. Please contact your provider to add more seats."
    refused(provider.http.post(where, provider.petra, body), 400, text)
    provider.lab.suspend_provider()
    answer = provider.http.post(where, provider.petra, body)
    refused(answer, 400, "Errors have occurred.")
    assert answer.json()["validationErrors"] == {"An error has occurred.": ["No subscription found."]}
    provider.lab.suspend_provider(False)
    assert provider.resize("Beta Client", 6).status_code == 200
    assert provider.http.post(where, provider.petra, body).status_code == 200
    assert provider.clients()["Beta Client"]["remainingSeats"] == 0


def existing(provider: Provider, organization: str, token: str | None = None) -> t.Any:
    """Add an organization that existed before; its key is rewrapped."""
    key = crypto.encrypt(people.key64("gamma organization"), provider.key)
    return provider.ask("POST", "/clients/existing", token, {"organizationId": organization, "key": key})


def test_6_4_addable(provider: Provider) -> None:
    """What the caller owns, as a bare list; service users see what would cost as disabled."""
    gamma = provider.lab.facts["gamma_organization_id"]
    found = provider.ask("GET", "/clients/addable").json()
    assert found == [{"id": gamma, "name": "Gamma Company", "plan": "Enterprise", "seats": 12, "disabled": False}]
    assert provider.ask("GET", "/clients/addable", provider.sam).json() == []
    member = provider.lab.rows("eu", "member", organizationId=gamma)[0]
    sam = provider.lab.people["service_user"].user_id
    provider.lab.put_row("eu", "member", **{**member, "id": UNKNOWN, "userId": sam})
    provider.resize("Alpha Client", 45)
    assert [row["disabled"] for row in provider.ask("GET", "/clients/addable", provider.sam).json()] == [True]
    provider.lab.set_organization("eu", gamma, subscription=None)
    assert provider.ask("GET", "/clients/addable").json() == []


def test_6_4_adding_an_organization(provider: Provider) -> None:
    """Its own subscription ends, its plan becomes the provider's; the key opens."""
    gamma = provider.lab.facts["gamma_organization_id"]
    provider.lab.set_organization("eu", gamma, maxStorageGb=11)
    assert existing(provider, gamma).content == b""
    row = provider.clients()["Gamma Company"]
    assert (row["plan"], row["seats"], row["userCount"]) == ("Enterprise (Monthly)", 12, 1)
    assert crypto.decrypt(row["key"], provider.key) == provider.lab.organization_key(gamma)
    assert provider.plan(19) == (22, 0)
    assert provider.events() == [1901]
    found = provider.http.get(f"eu:/organizations/{gamma}", provider.sam).json()
    assert (found["planType"], found["maxStorageGb"], found["billingEmail"]) == (19, 1, "billing@example.net")
    assert found["useKeyConnector"] is True
    assert provider.resize("Gamma Company", 13).status_code == 200


@pytest.mark.parametrize("version", RELEASES)
def test_13_adding_by_version(lab: Lab, http: Http, version: str) -> None:
    """For admins and owners since 2026.4.0; before, for every provider user and any organization."""
    provider = Provider(lab, http, cloud_version=version)
    gamma, alpha = lab.facts["gamma_organization_id"], lab.facts["alpha_organization_id"]
    if version == "2025.8.0":
        gone = existing(provider, UNKNOWN)
        refused(gone, 400, "The organization being added to the provider does not exist.")
        refused(existing(provider, alpha), 409, _LINKED)
        assert existing(provider, gamma, provider.sam).status_code == 200
        return
    newest = version == "2026.8.0"
    refused(existing(provider, gamma, provider.sam), *((403, None) if newest else (401, UNAUTHORIZED)))
    refused(existing(provider, UNKNOWN), 401, None if newest else UNAUTHORIZED)
    refused(existing(provider, alpha), 404, NOT_FOUND)
    lab.put_row("eu", "provider_organization", id=UNKNOWN, providerId=UNKNOWN, organizationId=gamma)
    refused(existing(provider, gamma), *((404, NOT_FOUND) if newest else (409, _LINKED)))


@pytest.mark.parametrize("version", RELEASES)
def test_15_9_unlinking(lab: Lab, http: Http, version: str) -> None:
    """Needs a confirmed owner who is a member; from then on the organization pays for itself."""
    provider = Provider(lab, http, cloud_version=version)
    clients = provider.clients()
    alpha, beta = clients["Alpha Client"], clients["Beta Client"]
    refused(provider.ask("DELETE", f"/organizations/{beta['id']}"), 400, _NO_OWNER)
    assert provider.ask("DELETE", f"/organizations/{UNKNOWN}").status_code == 500
    newest = version == "2026.8.0"
    refused(provider.ask("DELETE", f"/organizations/{alpha['id']}", provider.sam), *((403, None) if newest else (404, NOT_FOUND)))
    assert provider.ask("DELETE", f"/organizations/{alpha['id']}").content == b""
    assert list(provider.clients()) == ["Beta Client"]
    assert provider.plan(19) == (0, 0)
    refused(http.get(f"eu:/organizations/{alpha['organizationId']}", provider.petra), 404, NOT_FOUND)
    found = http.get(f"eu:/organizations/{alpha['organizationId']}", http.token("alpha_owner")).json()
    assert (found["billingEmail"], found["seats"]) == ("owner@alpha.example", 10)
    assert "payment method" in lab.mailbox("owner@alpha.example")[-1].subject
    assert provider.events() == [1902]
    lab.put_row("eu", "provider_organization", id=UNKNOWN, providerId=UNKNOWN, organizationId=alpha["organizationId"])
    organization = "organization vault" if newest else "organization"
    text = f"Failed to remove {organization}. Please contact support."
    refused(provider.ask("DELETE", f"/organizations/{UNKNOWN}"), 400, text)


def test_15_9_deleting(provider: Provider) -> None:
    """By any provider user with a proof of his own; a wrong one costs two seconds, a right one everything."""
    http, lab = provider.http, provider.lab
    alpha = provider.clients()["Alpha Client"]["organizationId"]
    where = f"eu:/organizations/{alpha}"
    refused(http("DELETE", where, http.token("family"), json=http.proof("family")), 404, NOT_FOUND)
    invalid(http("DELETE", where, provider.sam, json={"x": 1}), "", "MasterPasswordHash, OTP, or AccessCode must be supplied.")
    lab.real_delays()
    answer = http("DELETE", where, provider.sam, json=http.proof("provider_user"))
    invalid(answer, "", "User verification failed.")
    assert answer.elapsed.total_seconds() > 1.9
    lab.real_delays(False)
    assert http("DELETE", where, provider.sam, json=http.proof("service_user")).content == b""
    assert list(provider.clients()) == ["Beta Client"]
    assert provider.plan(19) == (0, 0)
    for kind in ("member", "collection", "organization_api_key", "access"):
        assert all(row.get("organizationId") != alpha for row in lab.rows("eu", kind))
    assert http.get("eu:/accounts/profile", http.token("alpha_owner")).json()["organizations"] == []
    collections = {row["id"] for row in lab.rows("eu", "collection")}
    assert {row["collectionId"] for row in lab.rows("eu", "access")} <= collections


def test_8_a_provider_user_acts_as_an_owner(provider: Provider) -> None:
    """In everything but items; the rule of the first manager holds for him, too."""
    http = provider.http
    where = f"eu:/organizations/{provider.lab.facts['alpha_organization_id']}"
    for path in ("/collections", "/groups", "/users", "/users/mini-details", "/policies", "/api-key-information"):
        assert http.get(f"{where}{path}", provider.sam).status_code == 200, path
    key = http.post(f"{where}/api-key", provider.sam, {"type": 0, **http.proof("service_user")})
    assert key.json()["object"] == "apiKey"
    manager = "At least one member or group must have can manage permission."
    body = {"name": crypto.encrypt(b"x", people.key64("alpha organization")), "groups": [], "users": []}
    refused(http.post(f"{where}/collections", provider.petra, body), 400, manager)
    group = http.post(f"{where}/groups", provider.sam, {"name": "Team", "collections": [], "users": []}).json()["id"]
    access = {"id": group, "readOnly": False, "hidePasswords": False, "manage": True}
    assert http.post(f"{where}/collections", provider.sam, {**body, "groups": [access]}).status_code == 200
