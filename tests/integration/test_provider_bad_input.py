# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad input for a provider's clients and logs: each is refused with cause, field and remedy, and before the first write."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from tests.integration.page_a import ok
from tests.integration.provider_desk import NEW, Desk, no_writes
from tests.lab import Lab, crypto, people

ALPHA, BETA, GAMMA = (people.guid(f"{name} organization") for name in ("alpha", "beta", "gamma"))
FOREIGN = crypto.encrypt(b"k" * 64, b"o" * 64)
OTHER = "11111111-2222-4333-8444-555555555555"
Prepare = t.Callable[[Lab], object]
pytestmark = pytest.mark.lab(scenario="msp")


@dataclasses.dataclass
class Case:
    """One mistake. C(says) and C(field) are what the error must contain."""

    name: str
    wishes: list[dict[str, t.Any]]
    says: str
    field: str
    prepare: Prepare = lambda _lab: None
    who: str = "provider_user"
    params: dict[str, t.Any] = dataclasses.field(default_factory=dict)


def alike(lab: Lab) -> None:
    lab.set_organization("eu", BETA, name="Alpha Client")


def broken_key(kind: str, text: str) -> Prepare:
    """Let the server hand out something else as a key."""

    def prepare(lab: Lab) -> None:
        for row in lab.rows("eu", kind):
            lab.put_row("eu", kind, **{**row, "key": text})

    return prepare


def owner_is_a_user(lab: Lab) -> None:
    lab.set_member("owner@alpha.example", "eu", ALPHA, type=2)


def crowded(lab: Lab) -> None:
    for number in range(3):
        lab.set_member(f"m{number}@beta.example", "eu", BETA, status=0)


CASES = [
    Case("name too long", [{**NEW, "name": "n" * 51}], "The name has 51 characters", f"clients[{'n' * 51}].name"),
    Case("no name", [{**NEW, "name": " "}], "The name has 1 characters", "clients[ ].name"),
    Case("entity in the name", [{**NEW, "name": "A &amp; B"}], "would show this name as 'A & B'", ".name"),
    Case("ambiguous name", [{"name": "Alpha Client", "seats": 9}], f"2 clients of this name: {ALPHA}, {BETA}", ".name", alike),
    Case("the same name twice", [NEW, NEW], "'My Client' is named twice", "clients"),
    Case(
        "one client twice",
        [{"name": "Alpha Client"}, {"name": "Renamed", "organization_id": ALPHA}],
        "which clients[Alpha Client] means, too",
        "clients[Renamed]",
    ),
    Case(
        "name of another",
        [{"name": "Beta Client", "organization_id": ALPHA}],
        f"has this name: {BETA}",
        "clients[Beta Client].name",
    ),
    Case("unknown id", [{"name": "Alpha Client", "organization_id": OTHER}], f"no client {OTHER}", ".organization_id"),
    Case("annual plan for an MSP", [{**NEW, "cadence": "annually"}], "cannot have the plan enterprise, annually", ".plan"),
    Case("another plan", [{"name": "Alpha Client", "plan": "teams"}], "The client has enterprise, and this cannot be", ".plan"),
    Case("another cadence", [{"name": "Alpha Client", "cadence": "annually"}], "The client has monthly", ".cadence"),
    Case("nothing to create it with", [{"name": "Alpha client"}], "It is needed to create the client", ".owner_email"),
    Case("no seats", [{**NEW, "seats": 0}], "at least one seat", ".seats"),
    Case(
        "seats below occupied", [{"name": "Beta Client", "seats": 3}], "4 seats are occupied; 3 would be fewer", ".seats", crowded
    ),
    Case(
        "no seat for the owner",
        [{"name": "Beta Client", "seats": 4, "owner_email": "x@beta.example"}],
        "no free seat",
        ".owner_email",
        crowded,
    ),
    Case("seats beyond the guard", [{**NEW, "seats": 41}], "would buy 1 seat, more than the 0 allowed", "max_purchased_seats"),
    Case("malformed owner", [{**NEW, "owner_email": "owner@client"}], "'owner@client' is not an e-mail address", ".owner_email"),
    Case("malformed billing address", [{**NEW, "billing_email": "x"}], "'x' is not an e-mail address", ".billing_email"),
    Case(
        "owner is no owner",
        [{"name": "Alpha Client", "owner_email": "owner@alpha.example"}],
        "but not an owner",
        ".owner_email",
        owner_is_a_user,
    ),
    Case("storage", [{**NEW, "extra_storage_gb": 1}], "storage cannot be bought", ".extra_storage_gb"),
    Case("autoscale", [{**NEW, "max_autoscale_seats": 20}], "do not grow by themselves", ".max_autoscale_seats"),
    Case(
        "existing unconfirmed",
        [{"name": "Gamma Company", "existing_organization_id": GAMMA}],
        "cannot be undone",
        ".confirm_existing",
    ),
    Case(
        "existing confirmed wrongly",
        [{"name": "Gamma Company", "existing_organization_id": GAMMA, "confirm_existing": OTHER}],
        "cannot be undone",
        ".confirm_existing",
    ),
    Case(
        "existing but not addable",
        [{"name": "Elsewhere", "existing_organization_id": OTHER, "confirm_existing": OTHER}],
        "cannot become a client",
        ".existing_organization_id",
    ),
    Case(
        "two ids",
        [{"name": "Gamma Company", "organization_id": ALPHA, "existing_organization_id": GAMMA, "confirm_existing": GAMMA}],
        "two different organizations",
        ".existing_organization_id",
    ),
    Case("deletion unconfirmed", [{"name": "Alpha Client", "state": "absent"}], "cannot be undone", ".confirm_destroy"),
    Case(
        "deletion confirmed wrongly",
        [{"name": "Alpha Client", "state": "absent", "confirm_destroy": BETA}],
        f"The client's id is {ALPHA}",
        ".confirm_destroy",
    ),
    Case(
        "detached without an owner",
        [{"name": "Beta Client", "state": "detached", "confirm_destroy": BETA}],
        "none of its members is a confirmed owner",
        ".state",
    ),
    Case("service user creates", [NEW], "Creating a client takes an admin", "client_id", who="service_user"),
    Case(
        "service user buys",
        [{"name": "Alpha Client", "seats": 51}],
        "Buying seats takes an admin",
        "client_id",
        who="service_user",
        params={"max_purchased_seats": 9},
    ),
    Case("suspended", [NEW], "Example Provider is suspended", "provider_id", Lab.suspend_provider),
    Case("wrong master password", [NEW], "The master password is wrong", "master_password", params={"master_password": "canary"}),
    Case("no master password", [NEW], "The master password is needed", "master_password", params={"master_password": None}),
    Case(
        "unknown kind of key",
        [NEW],
        "The encrypted string has an unknown type",
        "provider_id",
        broken_key("provider_user", "8.AAAA"),
    ),
    Case(
        "key of somebody else",
        [NEW],
        "does not belong to this private key",
        "provider_id",
        broken_key("provider_user", "4." + "A" * 344),
    ),
    Case(
        "key that opens no client",
        [NEW],
        "The encrypted string does not belong to this key",
        "provider_id",
        broken_key("provider_organization", FOREIGN),
    ),
    Case("nobody of a provider", [NEW], "is not a confirmed user of a provider", "provider_id", who="alpha_owner"),
]


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_before_the_first_write(lab: Lab, case: Case, check: bool) -> None:
    case.prepare(lab)
    before = lab.snapshot()
    desk = Desk(lab, case.who)
    result = no_writes(lab, lambda: desk.clients(*case.wishes, check=check, **case.params))
    assert result["failed"]
    assert case.says in result["msg"]
    assert case.field in str(result["error"]["field"])
    assert result["error"]["remedy"]
    assert "canary" not in str(result)
    lab.restore(before)


@pytest.mark.lab(scenario="business_unit")
def test_teams_is_nothing_for_a_business_unit(lab: Lab) -> None:
    for wish in ({**NEW, "plan": "teams"}, {**NEW, "cadence": "monthly"}):
        result = no_writes(lab, lambda wish=wish: Desk(lab).clients(wish))  # type: ignore[misc]
        assert "cannot have the plan" in result["msg"]
        assert "can have: enterprise, annually" in result["error"]["remedy"]


def test_all_mistakes_are_named_at_once(lab: Lab) -> None:
    """Those that the options alone show, and those that only the provider shows."""
    crowded(lab)
    wishes = (
        {**NEW, "seats": 60},
        {"name": "Alpha Client", "plan": "teams"},
        {"name": "Beta Client", "seats": 2},
        {**NEW, "name": "n" * 51, "owner_email": "owner"},
        {"name": "Unknown", "organization_id": OTHER},
    )
    result = no_writes(lab, lambda: Desk(lab).clients(*wishes))
    assert "6 problems, nothing was changed" in result["msg"]
    named = [
        "max_purchased_seats",
        "clients[Alpha Client].plan",
        "clients[Beta Client].seats",
        "clients[Unknown].organization_id",
    ]
    for field in (*named, f"clients[{'n' * 51}].name", f"clients[{'n' * 51}].owner_email"):
        assert field in result["error"]["field"]


def test_a_reseller_is_told_that_nothing_can_be_done(lab: Lab) -> None:
    provider = lab.rows("eu", "provider")[0]
    lab.put_row("eu", "provider", **{**provider, "type": 1, "status": 1})
    desk = Desk(lab)
    result = no_writes(lab, lambda: desk.clients(NEW))
    assert "(reseller) does not pay for its clients itself" in result["msg"]
    assert ok(desk.run("client_organization_info"))["provider"]["plans"] == []


# --- event logs ----------------------------------------------------------------------------------------------------------

LOG = {"provider_name": "Example Provider"}
MISTAKES: list[tuple[str, dict[str, t.Any], str, str]] = [
    ("unknown type", {"types": ["provider_user_confirm"]}, "no event type 'provider_user_confirm'", "types"),
    ("no date", {"start": "yesterday"}, "'yesterday' is not an ISO 8601 date", "start"),
    ("too long a span", {"start": "2025-01-01", "end": "2026-01-04"}, "are 368 days; the server tells of 367", "start"),
    ("swapped", {"start": "2026-02-02", "end": "2026-02-01"}, "start is not earlier than end", "start"),
]


@pytest.mark.parametrize(("params", "says", "field"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_logs_that_cannot_be_read(lab: Lab, params: dict[str, t.Any], says: str, field: str) -> None:
    result = Desk(lab).run("event_info", **LOG, **params)
    assert says in result["msg"]
    assert result["error"]["field"] == field
    assert result["error"]["remedy"]


def test_a_service_user_reads_no_log_of_the_provider(lab: Lab) -> None:
    result = Desk(lab, "service_user").run("event_info", **LOG)
    assert "takes an admin" in result["msg"]


def test_a_member_without_the_right_reads_no_log(lab: Lab) -> None:
    owner_is_a_user(lab)
    result = Desk(lab, "alpha_owner").run("event_info", organization_name="Alpha Client")
    assert "The event log of the organization Alpha Client is not to be seen" in result["msg"]
