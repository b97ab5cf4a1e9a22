# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts: registered where nobody is needed, pending where a mailbox is, and invited into organizations and providers."""

from __future__ import annotations

import typing as t

import pytest

from tests.demo.clients import invitation_link
from tests.integration.module_runner import run_module
from tests.integration.page_a import ok
from tests.lab import Lab

EMAIL, PASSWORD = "service@msp.example", "correct horse battery staple"
Result = dict[str, t.Any]


def account(lab: Lab, world: str = "selfhost", *, check: bool = False, **options: t.Any) -> Result:
    where = {"server_url": lab.facts["server_url"]} if world == "selfhost" else {"region": world}
    return run_module("account", {**where, "email": EMAIL, "master_password": PASSWORD, **options}, check=check)


def works(lab: Lab, result: Result, world: str = "selfhost") -> None:
    """The API key logs in, and the master password opens what was registered."""
    where = {"server_url": lab.facts["server_url"]} if world == "selfhost" else {"region": world}
    ok(run_module("login", {**where, "client_id": result["client_id"], "client_secret": result["client_secret"]}))
    [row] = [row for row in lab.rows(world, "user") if row["email"] == EMAIL]
    assert (row["kdf"], row["kdfIterations"]) == (0, 600_000)
    assert result["client_id"] == f"user.{row['id']}"


@pytest.mark.parametrize("version", ["2025.8.0", "2026.4.0", "2026.8.0"])
def test_account_is_registered_once(lab: Lab, version: str) -> None:
    lab.reset(version=version)
    lab.forbid_writes()
    checked = ok(account(lab, check=True, name="Service"))
    assert lab.writes() == []
    assert (checked["changed"], checked["state"], checked["client_secret"]) == (True, "registered", None)

    lab.forbid_writes(False)
    first = ok(account(lab, name="Service"))
    assert first["changes"] == checked["changes"]
    assert (first["state"], first["pending"]) == ("registered", [])
    works(lab, first)

    lab.clear_requests()
    second = ok(account(lab, name="Service"))
    assert (second["changed"], lab.writes()) == (False, [])
    assert second["client_secret"] == first["client_secret"]


def test_where_mails_verify_addresses_it_is_pending_until_the_link_is_given(lab: Lab) -> None:
    lab.change_settings({"globalSettings__enableEmailVerification": "true"})
    waiting = ok(account(lab))
    assert (waiting["state"], waiting["client_id"]) == ("pending", None)
    assert [entry["name"] for entry in waiting["pending"]] == [EMAIL]
    [mail] = lab.mailbox(EMAIL)
    works(lab, ok(account(lab, verification_token=mail.token)))


def test_the_cloud_always_verifies(lab: Lab) -> None:
    lab.forbid_writes()
    assert ok(account(lab, "eu", check=True))["state"] == "pending"
    lab.forbid_writes(False)
    assert ok(account(lab, "eu"))["state"] == "pending"
    [mail] = lab.mailbox(EMAIL)
    works(lab, ok(account(lab, "eu", verification_token=mail.token)), "eu")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"master_password": "elevenchars"}, "shorter than 12"),
        ({"master_password": "aaaaaaaabbbb"}, "a few characters"),
        ({"master_password": "my-Service-password"}, "the name in the e-mail address"),
        ({"email": "no address"}, "not an e-mail address"),
        ({"name": "n" * 51}, "longer than 50"),
        ({"invitation": "https://vault.example.com/#/login"}, "not the link of an invitation"),
        (
            {"invitation": "https://v/#/providers/accept-provider?providerId=1"},
            "not the link of an invitation",
        ),
        (
            {
                "invitation": "https://v/#/accept-organization?organizationId=1&organizationUserId=2&email=b%40c.example&"
                "organizationName=X&token=t"
            },
            "The invitation is for b@c.example",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(lab: Lab, options: dict[str, str], says: str) -> None:
    refused = account(lab, **options)
    assert refused["failed"]
    assert says in refused["msg"]
    assert lab.writes() == []


def test_a_wrong_master_password_is_told_from_a_missing_account(lab: Lab) -> None:
    refused = account(lab, email=lab.people["owner"].email)
    assert refused["failed"]
    assert "with another master password" in refused["msg"]


def test_closed_registration_is_found_before_anything_is_written(lab: Lab) -> None:
    lab.change_settings({"globalSettings__disableUserRegistration": "true"})
    refused = account(lab, check=True)
    assert refused["failed"]
    assert "globalSettings__disableUserRegistration=false" in refused["msg"]


@pytest.mark.parametrize("kind", ["reset_before", "status_after:500", "reset_after", "torn"])
def test_broken_off_anywhere_it_is_finished_by_the_next_run(lab: Lab, kind: str) -> None:
    before = lab.snapshot()
    lab.clear_requests()
    ok(account(lab))
    for index in range(len(lab.requests("client"))):
        lab.restore(before)
        lab.clear_requests()
        lab.fault(kind, index=index)
        account(lab)
        lab.clear_faults()
        works(lab, ok(account(lab)))


@pytest.mark.lab(scenario="msp")
@pytest.mark.parametrize(("place", "kind"), [("organization", "member"), ("provider", "provider_user")])
def test_an_invitation_registers_and_is_accepted(lab: Lab, place: str, kind: str) -> None:
    """Into a client that was created for this account, and into the provider itself."""
    petra = lab.people["provider_user"]
    login = {"region": "eu", "client_id": petra.client_id, "client_secret": petra.client_secret}
    as_petra = {**login, "master_password": petra.master_password}
    invite = {
        "organization": (
            "client_organization",
            {"clients": [{"name": "New", "plan": "teams", "seats": 2, "owner_email": EMAIL}]},
        ),
        "provider": ("provider_user", {"users": [{"email": EMAIL}]}),
    }[place]
    ok(run_module(invite[0], {**as_petra, **invite[1]}))
    link = invitation_link(lab, EMAIL)

    lab.clear_requests()
    lab.forbid_writes()
    checked = ok(account(lab, "eu", check=True, invitation=link))
    assert lab.writes() == []
    lab.forbid_writes(False)
    first = ok(account(lab, "eu", invitation=link))
    assert [change["kind"] for change in first["changes"]] == ["account", "invitation"]
    assert first["changes"] == checked["changes"]
    works(lab, first, "eu")
    assert [row["status"] for row in lab.rows("eu", kind) if row["email"] == EMAIL] == [1]

    assert not ok(account(lab, "eu", invitation=link))["changed"], "it waits to be confirmed, and asks once more in vain"
    ok(run_module(invite[0], {**as_petra, **invite[1]}))
    lab.clear_requests()
    confirmed = ok(account(lab, "eu", invitation=link))
    assert (confirmed["changed"], lab.writes()) == (False, [])


@pytest.mark.lab(scenario="msp")
@pytest.mark.parametrize("kind", ["reset_before", "status_after:500", "reset_after", "torn"])
def test_an_acceptance_that_is_broken_off_is_finished(lab: Lab, kind: str) -> None:
    owner = lab.facts["beta_organization_id"]
    link, email = invitation_link(lab, "owner@beta.example"), "owner@beta.example"
    ok(account(lab, "eu", email=email, invitation=link, check=True))
    lab.fault(kind, path=f"/organizations/{owner}/users/.*/accept")
    account(lab, "eu", email=email, invitation=link)
    lab.clear_faults()
    ok(account(lab, "eu", email=email, invitation=link))
    assert [row["status"] for row in lab.rows("eu", "member", organizationId=owner)] == [1]


def test_a_forged_invitation_says_so(lab: Lab) -> None:
    link = f"https://v/#/accept-organization?organizationId=1&organizationUserId=2&email={EMAIL}&organizationName=X&token=t"
    refused = account(lab, invitation=link)
    assert refused["failed"]
    assert "nvalid" in refused["msg"]


def test_a_server_that_is_too_old_says_so(lab: Lab) -> None:
    lab.fault("status:404", path="send-verification-email")
    refused = account(lab)
    assert refused["failed"]
    assert "2025.1.4" in refused["msg"]
