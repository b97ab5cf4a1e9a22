# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The users of a provider: invited, confirmed, given roles, removed."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import fingerprint
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import find_portal

from tests.integration.page_a import ok
from tests.integration.provider_desk import VERSIONS, Desk, login, no_writes, settled
from tests.lab import Lab, people

pytestmark = pytest.mark.lab(scenario="msp")
TECH, LEAD = {"email": "Tech@msp.example"}, {"email": "lead@msp.example", "role": "provider_admin"}


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)


def rows(lab: Lab) -> dict[str, tuple[int, int]]:
    """The provider's users: e-mail address to role and status."""
    return {Desk(lab).email(row): (row["type"], row["status"]) for row in lab.rows("eu", "provider_user")}


@pytest.mark.parametrize("version", VERSIONS)
def test_from_invitation_to_removal(lab: Lab, version: str) -> None:
    lab.reset(scenario="msp", cloud_version=version)
    desk = Desk(lab)
    planned = ok(no_writes(lab, lambda: desk.users(TECH, LEAD, check=True)))
    invited = ok(desk.users(TECH, LEAD))
    assert planned["changes"] == invited["changes"]
    assert planned["diff"] == invited["diff"]
    assert [one["name"] for one in invited["pending"]] == ["tech@msp.example", "lead@msp.example"]
    settled(lab, lambda: desk.users(TECH, LEAD))

    lab.accept_invitation("tech@msp.example", server="eu")
    planned = ok(no_writes(lab, lambda: desk.users(TECH, LEAD, check=True)))
    confirmed = ok(desk.users(TECH, LEAD))
    assert planned["changes"] == confirmed["changes"]
    assert rows(lab)["tech@msp.example"] == (1, 2)
    assert rows(lab)["lead@msp.example"] == (0, 0)
    settled(lab, lambda: desk.users(TECH, LEAD))

    roles = ({**TECH, "role": "provider_admin"}, {"email": "lead@msp.example", "state": "absent"})
    assert ok(desk.users(*roles))["changed"]
    assert rows(lab)["tech@msp.example"] == (0, 2)
    assert "lead@msp.example" not in rows(lab)
    settled(lab, lambda: desk.users(*roles))
    assert len(lab.mailbox("lead@msp.example")) <= 2  # the invitation, and the word that it is over


def test_who_is_confirmed_can_open_the_clients(lab: Lab, desk: Desk) -> None:
    ok(desk.users(TECH))
    tech = lab.accept_invitation("tech@msp.example", server="eu")
    ok(desk.users(TECH))
    portal = find_portal({**desk.options, **login(tech)})
    assert portal.key == people.key64("provider")


def test_fingerprint(lab: Lab, desk: Desk) -> None:
    ok(desk.users(TECH))
    lab.accept_invitation("tech@msp.example", server="eu")
    user = next(row for row in lab.rows("eu", "user") if row["email"] == "tech@msp.example")
    phrase = fingerprint.phrase(user["id"], user["publicKey"])
    waiting = settled(lab, lambda: desk.users(TECH, confirm=False))
    assert waiting["users"][0]["fingerprint"] == phrase
    assert waiting["pending"][0]["reason"] == "confirmation is switched off"
    elsewhere = settled(lab, lambda: desk.users(TECH, confirm_domains=["client.example"]))
    assert "not among confirm_domains" in elsewhere["pending"][0]["reason"]

    wrong = no_writes(lab, lambda: desk.users({**TECH, "fingerprint": "abacus-abdomen-abdominal-abide-abiding"}))
    assert wrong["failed"]
    assert phrase in wrong["msg"]
    ok(desk.users({**TECH, "fingerprint": phrase.replace("-", " ")}, confirm_domains=["client.example"]))
    assert rows(lab)["tech@msp.example"] == (1, 2)


def test_many_are_invited_in_few_requests(lab: Lab, desk: Desk) -> None:
    wishes = [{"email": f"tech{number}@msp.example"} for number in range(45)]
    ok(desk.users(*wishes))
    assert len([seen for seen in lab.writes() if seen.path.endswith("/users/invite")]) == 3
    settled(lab, lambda: desk.users(*wishes))


def test_a_lone_admin_is_warned(lab: Lab, desk: Desk) -> None:
    assert "only confirmed admin" in str(ok(desk.users(TECH))["warnings"])
    ok(desk.users({"email": lab.people["service_user"].email, "role": "provider_admin"}))
    assert "warnings" not in ok(desk.users(TECH))


def refused(lab: Lab, desk: Desk, *wishes: dict[str, str]) -> str:
    result = no_writes(lab, lambda: desk.users(*wishes))
    assert result["failed"]
    assert result["error"]["field"]
    assert result["error"]["remedy"]
    return str(result["msg"])


def test_the_account_itself_stays(lab: Lab, desk: Desk) -> None:
    me = lab.people["provider_user"].email
    assert "would remove" in refused(lab, desk, {"email": me.upper(), "state": "absent"})
    assert "would demote" in refused(lab, desk, {"email": me})


def test_all_mistakes_are_named_at_once(lab: Lab, desk: Desk) -> None:
    said = refused(lab, desk, {"email": "tech"}, TECH, {"email": "tech@MSP.example"})
    assert "2 problems" in said
    assert "'tech' is not an e-mail address" in said
    assert "'tech@msp.example' is named twice" in said


def test_an_admin_is_needed(lab: Lab) -> None:
    said = refused(lab, Desk(lab, "service_user"), TECH)
    assert "takes an admin of the provider" in said


def test_a_suspended_provider_is_refused(lab: Lab, desk: Desk) -> None:
    lab.suspend_provider(True)
    assert "is suspended" in refused(lab, desk, TECH)


def test_nobody_of_any_provider(lab: Lab) -> None:
    assert "is not a confirmed user of a provider" in refused(lab, Desk(lab, "alpha_owner"), TECH)


def test_wrong_master_password_before_the_first_write(lab: Lab, desk: Desk) -> None:
    ok(desk.users(TECH))
    lab.accept_invitation("tech@msp.example", server="eu")
    result = no_writes(lab, lambda: desk.users(TECH, LEAD, master_password="canary of somebody else"))
    assert "master password is wrong" in result["msg"]
    assert "canary" not in str(result)


def test_provider_by_name_or_id(lab: Lab, desk: Desk) -> None:
    ok(desk.users(TECH, provider_name=lab.facts["provider_name"]))
    settled(lab, lambda: desk.users(TECH, provider_id=lab.facts["provider_id"].upper()))
    assert "is not a confirmed user of the provider Elsewhere" in desk.users(TECH, provider_name="Elsewhere")["msg"]
