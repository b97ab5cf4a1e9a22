# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client organizations of a provider: created, added, changed, let go."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import fingerprint
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_creation

from tests.integration.page_a import ok
from tests.integration.provider_desk import NEW, VERSIONS, Desk, no_writes, settled
from tests.lab import Lab

pytestmark = pytest.mark.lab(scenario="msp")
OWNER = "owner@client.example"


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab is never still busy."""
    monkeypatch.setattr(client_creation, "WAIT", 0)


def planned_and_done(lab: Lab, run: t.Callable[..., dict[str, t.Any]]) -> dict[str, t.Any]:
    """Run in check mode without a write, then really; both must tell of the same changes."""
    planned = ok(no_writes(lab, lambda: run(check=True)))
    done = ok(run())
    assert (planned["changes"], planned["diff"]) == (done["changes"], done["diff"])
    assert planned["purchased_seats"] == done["purchased_seats"]
    return done


@pytest.mark.parametrize("version", VERSIONS)
def test_from_creation_to_deletion(lab: Lab, version: str) -> None:
    lab.reset(scenario="msp", cloud_version=version)
    desk = Desk(lab)
    wish = {**NEW, "billing_email": "Invoices@client.example", "default_collection": "Allgemein – général"}
    done = planned_and_done(lab, lambda **options: desk.clients(wish, **options))
    client = done["clients"][0]
    row = desk.links()["My Client"]
    assert client["organization_id"] == row["id"]
    assert (client["plan"], client["cadence"], client["seats"], client["remaining_seats"]) == ("enterprise", "monthly", 15, 14)
    assert (client["created"], client["half_created"]) == (True, False)
    assert client["owner"] == {"email": OWNER, "status": "invited", "fingerprint": None}
    assert row["billingEmail"].lower() == "invoices@client.example"
    collection = next(one for one in lab.rows("eu", "collection") if one["organizationId"] == row["id"])
    assert lab.decrypt(row["id"], collection["name"]) == "Allgemein – général"
    assert desk.pools()[19] == (25, 0)
    again = settled(lab, lambda: desk.clients(wish))
    assert again["pending"][0]["name"] == f"{OWNER} of My Client"

    lab.accept_invitation(OWNER, server="eu")
    confirmed = planned_and_done(lab, lambda **options: desk.clients(wish, **options))
    assert confirmed["pending"] == []
    assert desk.members("My Client") == {OWNER: (0, 2)}
    settled(lab, lambda: desk.clients(wish))

    gone = {"name": "My Client", "state": "absent", "confirm_destroy": row["id"]}
    planned_and_done(lab, lambda **options: desk.clients(gone, **options))
    assert "My Client" not in desk.links()
    assert desk.pools()[19] == (10, 0)
    settled(lab, lambda: desk.clients(gone))


@pytest.mark.lab(scenario="business_unit")
def test_a_business_unit_has_one_plan(lab: Lab) -> None:
    desk = Desk(lab)
    client = ok(desk.clients(NEW))["clients"][0]
    assert (client["plan"], client["cadence"]) == ("enterprise", "annually")
    assert desk.links()["My Client"]["planType"] == 20
    settled(lab, lambda: desk.clients({**NEW, "cadence": "annually"}))


def test_the_confirmed_owner_can_open_the_vault(lab: Lab, desk: Desk) -> None:
    ok(desk.clients(NEW))
    lab.accept_invitation(OWNER, server="eu")
    ok(desk.clients(NEW))
    organization_id = desk.links()["My Client"]["id"]
    link = lab.rows("eu", "provider_organization", organizationId=organization_id)[0]
    through_the_owner = lab.organization_key(organization_id)  # the lab asks members first
    lab.put_row("eu", "provider_organization", **{**link, "key": "2.no|longer|there"})
    assert lab.organization_key(organization_id) == through_the_owner
    assert desk.members("My Client")[OWNER] == (0, 2)


def test_fingerprint_of_an_owner(lab: Lab, desk: Desk) -> None:
    ok(desk.clients(NEW))
    lab.accept_invitation(OWNER, server="eu")
    user = next(row for row in lab.rows("eu", "user") if row["email"] == OWNER)
    phrase = fingerprint.phrase(user["id"], user["publicKey"])
    waiting = settled(lab, lambda: desk.clients(NEW, confirm_owners=False))
    assert waiting["clients"][0]["owner"] == {"email": OWNER, "status": "accepted", "fingerprint": phrase}
    assert waiting["pending"][0]["reason"] == "confirmation is switched off"
    wrong = no_writes(lab, lambda: desk.clients({**NEW, "owner_fingerprint": "abacus-abdomen-abdominal-abide-abiding"}))
    assert phrase in wrong["msg"]
    ok(desk.clients({**NEW, "owner_fingerprint": phrase}, confirm_domains=["msp.example"]))
    assert desk.members("My Client")[OWNER] == (0, 2)


def test_rename_by_id(lab: Lab, desk: Desk) -> None:
    wish = {"name": "Alpha & Sons", "organization_id": lab.facts["alpha_organization_id"], "seats": 12}
    done = planned_and_done(lab, lambda **options: desk.clients(wish, **options))
    assert done["changes"][0]["before"] == {"name": "Alpha Client", "seats": 10}
    assert desk.links()["Alpha & Sons"]["seats"] == 12
    settled(lab, lambda: desk.clients(wish))


def test_another_owner(lab: Lab, desk: Desk) -> None:
    wish = {"name": "Alpha Client", "owner_email": "New.Owner@alpha.example"}
    planned_and_done(lab, lambda **options: desk.clients(wish, **options))
    assert desk.members("Alpha Client")["new.owner@alpha.example"] == (0, 0)
    settled(lab, lambda: desk.clients(wish))


def test_seats_move_before_they_are_needed(lab: Lab, desk: Desk) -> None:
    """Of 50 paid seats Alpha has 48; what it gives back is enough for the new one, whatever the order of the entries."""
    ok(desk.clients({"name": "Alpha Client", "seats": 48}))
    wishes = ({**NEW, "seats": 20}, {"name": "Alpha Client", "seats": 30})
    done = planned_and_done(lab, lambda **options: desk.clients(*wishes, **options))
    assert done["purchased_seats"] == 0
    assert desk.pools()[19] == (50, 0)


def test_purchase(lab: Lab, desk: Desk) -> None:
    wish = {**NEW, "seats": 45}
    refused = no_writes(lab, lambda: desk.clients(wish, max_purchased_seats=4))
    assert "would buy 5 seats" in refused["msg"]
    done = planned_and_done(lab, lambda **options: desk.clients(wish, max_purchased_seats=5, **options))
    assert done["purchased_seats"] == 5
    assert desk.pools()[19] == (55, 5)
    assert settled(lab, lambda: desk.clients(wish))["purchased_seats"] == 0


def test_an_existing_organization_is_added(lab: Lab, desk: Desk) -> None:
    gamma = lab.facts["gamma_organization_id"]
    wish = {"name": "Gamma Company", "existing_organization_id": gamma, "confirm_existing": gamma, "seats": 14}
    done = planned_and_done(lab, lambda **options: desk.clients(wish, **options))
    assert done["clients"][0]["organization_id"] == gamma
    assert done["clients"][0]["plan"] == "enterprise"
    link = next(row for row in lab.rows("eu", "provider_organization") if row["organizationId"] == gamma)
    assert link["key"].startswith("2.")
    assert desk.links()["Gamma Company"]["seats"] == 14
    settled(lab, lambda: desk.clients(wish))
    info = ok(desk.run("client_organization_info", names=["Gamma Company"]))
    assert info["clients"][0]["owner"] == {"email": lab.people["provider_user"].email, "status": "confirmed"}


def test_detached(lab: Lab, desk: Desk) -> None:
    wish = {"name": "Alpha Client", "state": "detached", "confirm_destroy": lab.facts["alpha_organization_id"]}
    planned_and_done(lab, lambda **options: desk.clients(wish, **options))
    assert set(desk.links()) == {"Beta Client"}
    assert any(row["id"] == lab.facts["alpha_organization_id"] for row in lab.rows("eu", "organization"))
    settled(lab, lambda: desk.clients(wish))


def test_what_is_not_named_is_left_alone(lab: Lab, desk: Desk) -> None:
    before = desk.links()["Beta Client"]
    ok(desk.clients({"name": "Alpha Client", "seats": 11}))
    assert desk.links()["Beta Client"] == before
    settled(lab, desk.clients)


def test_a_service_user_resizes_within_the_pool(lab: Lab) -> None:
    desk = Desk(lab, "service_user")
    planned_and_done(lab, lambda **options: desk.clients({"name": "Alpha Client", "seats": 50}, **options))
    assert desk.links()["Alpha Client"]["seats"] == 50


def test_one_after_the_other(lab: Lab, desk: Desk) -> None:
    wishes = [{**NEW, "name": f"Client {number}", "seats": 1, "owner_email": f"o{number}@client.example"} for number in range(5)]
    done = ok(desk.clients(*wishes))
    assert len({client["organization_id"] for client in done["clients"]}) == 5
    assert desk.pools()[19] == (15, 0)
    assert len({link["key"] for link in lab.rows("eu", "provider_organization")}) == 7


# --- broken off half way -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["link", "owner", "seats"])
def test_half_created(lab: Lab, desk: Desk, step: str) -> None:
    """The server breaks off: the client is there and can be used, but nobody can pay for it."""
    lab.fault(f"client_step:{step}")
    done = ok(desk.clients(NEW))
    client = done["clients"][0]
    assert (client["created"], client["half_created"]) == (True, True)
    assert "broke off its creation half way" in done["pending"][0]["reason"]
    assert "state absent" in str(done["warnings"])
    assert desk.members("My Client") == {OWNER: (0, 0)}  # who was not invited by the server is invited by us
    assert len(lab.mailbox(OWNER)) == 1

    again = ok(desk.clients(NEW))
    assert again["changed"] is False
    if step != "seats":  # its seats are counted then, so nothing gives it away before somebody changes them
        assert again["clients"][0]["half_created"] is True
        assert "seats that the provider's bill does not count" in str(no_writes(lab, lambda: desk.clients(NEW, check=True)))
    resized = ok(desk.clients({**NEW, "seats": 16}))
    assert resized["clients"][0]["half_created"] is True

    gone = {"name": "My Client", "state": "absent", "confirm_destroy": client["organization_id"]}
    ok(desk.clients(gone))
    whole = ok(desk.clients(NEW))
    assert whole["clients"][0]["half_created"] is False
    settled(lab, lambda: desk.clients(NEW))


def test_never_linked(lab: Lab, desk: Desk) -> None:
    """Nobody can see what the first attempt has left; the second one makes the client."""
    lab.fault("client_step:organization")
    done = ok(desk.clients(NEW))
    assert done["clients"][0]["half_created"] is False
    assert list(desk.links()).count("My Client") == 1
    assert len(lab.mailbox(OWNER)) == 1


def test_a_refusal_of_the_server_is_told(lab: Lab, desk: Desk) -> None:
    lab.fault("status:400", method="POST", path="/clients$")
    refused = desk.clients(NEW)
    assert refused["failed"]
    assert "The server answered 400" in refused["msg"]
    assert len([seen for seen in lab.writes() if seen.path.endswith("/clients")]) == 1
    assert "My Client" not in desk.links()


def test_a_server_that_never_does_it_is_not_asked_for_ever(lab: Lab, desk: Desk) -> None:
    lab.fault("status:500", method="POST", path="/clients$", times=9)
    refused = desk.clients(NEW)
    assert (refused["failed"], refused["error"]["field"]) == (True, "clients[My Client]")
    assert "Run it again" in refused["error"]["remedy"]
    assert len([seen for seen in lab.writes() if seen.path.endswith("/clients")]) == 2


def test_seats_that_the_server_refuses(lab: Lab, desk: Desk) -> None:
    """Not because the client is half created: trying it shows that it is not."""
    lab.fault("status:500", method="PUT", path="/clients/", times=2)
    refused = desk.clients({"name": "Alpha Client", "seats": 12})
    assert refused["failed"]
    assert "The server answered 500" in refused["msg"]


def test_a_late_first_attempt_is_recognised(lab: Lab, desk: Desk) -> None:
    """The answer never comes, but the client does; it is the one that was posted, so there is no second one."""
    lab.fault("status_after:504", method="POST", path="/clients$")
    done = ok(desk.clients(NEW))
    assert (done["clients"][0]["created"], done["clients"][0]["half_created"]) == (True, False)
    assert len([seen for seen in lab.writes() if seen.path.endswith("/clients")]) == 1
