"""Clients of a provider: which one is meant, how seats move, what changes, and how it is shown."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import client_plan, client_rules
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import (
    Case,
    Client,
    Member,
    Wish,
    by_pool,
    client_of,
    counted,
    in_order,
    meant,
    member_of,
    uncounted,
    wish_of,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.provider import Pool, Seat
from hypothesis import given, strategies as st

POOL = Pool(19, "Enterprise (Monthly)", 50, 0, 10)
ALPHA = Client("a", "link a", "Alpha", "2.key", POOL.name, 10, 4, 3, "2026-01-01T00:00:00Z")
OPTIONS = {field.name: None for field in dataclasses.fields(Wish)} | {
    "name": "Alpha",
    "default_collection": "C",
    "state": "present",
}
ADMIN = Seat("Provider", "msp", "me@msp.example", True)


def wish(**options: t.Any) -> Wish:
    return wish_of({**OPTIONS, **options})


def case(client: Client | None = ALPHA, **options: t.Any) -> Case:
    parts = {name: options.pop(name) for name in ("existing", "members", "billing_email", "half_created") if name in options}
    return Case(wish(**options), client, pool=POOL, **parts)


def test_ids_and_addresses_are_folded_and_names_are_not() -> None:
    found = wish(name="ALPHA", organization_id="ABC", owner_email="Ann@X.example", confirm_destroy="ABC")
    assert (found.name, found.id, found.owner_email, found.confirm_destroy) == ("ALPHA", "abc", "ann@x.example", "abc")


def test_rows_are_read() -> None:
    row = {"id": "link a", "organizationId": "a", "organizationName": "Alpha", "key": "2.key", "plan": POOL.name, "seats": 10}
    assert client_of({**row, "occupiedSeats": 4, "userCount": 3, "creationDate": "2026-01-01T00:00:00Z"}) == ALPHA
    member = member_of({"id": "m", "email": "Ann@x.example", "type": 0, "status": -1, "userId": None})
    assert member == Member("m", "ann@x.example", True, "revoked", None)


def test_which_one_is_meant() -> None:
    namesake = dataclasses.replace(ALPHA, id="b")
    assert meant(wish(), [ALPHA, namesake]) == [ALPHA, namesake]
    assert meant(wish(organization_id="b"), [ALPHA, namesake]) == [namesake]
    assert meant(wish(name="alpha"), [ALPHA]) == []
    assert meant(wish(existing_organization_id="c"), [ALPHA]) == []


@pytest.mark.parametrize(
    ("found", "action", "deltas"),
    [
        (case(None, seats=5), "create", [5]),
        (case(seats=12), "keep", [2]),
        (case(seats=10), "keep", []),
        (case(), "keep", []),
        (case(seats=12, half_created=True), "keep", []),
        (case(state="absent"), "destroy", [-10]),
        (case(state="detached"), "destroy", [-10]),
        (case(state="absent", half_created=True), "destroy", []),
        (case(None, state="absent"), "nothing", []),
        (case(None, existing_organization_id="c", existing={"seats": 20}), "adopt", [20]),
        (case(None, existing_organization_id="c", existing={"seats": 20}, seats=5), "adopt", [20, -15]),
    ],
)
def test_what_happens_to_the_seats(found: Case, action: str, deltas: list[int]) -> None:
    assert (found.action, found.deltas) == (action, deltas)


@given(st.lists(st.integers(1, 60), max_size=6))
def test_what_frees_seats_comes_first(seats: list[int]) -> None:
    cases = [case(name=str(number), seats=wanted) for number, wanted in enumerate(seats)]
    ordered = in_order(cases)
    signs = [sum(one.deltas) >= 0 for one in ordered]
    assert signs == sorted(signs)
    assert sorted(ordered, key=lambda one: int(one.wish.name)) == cases
    assert [delta for _pool, steps in by_pool(cases) for delta in steps] == [delta for one in ordered for delta in one.deltas]


def test_adding_buys_at_once_what_is_given_back_a_moment_later() -> None:
    joins = case(None, existing_organization_id="c", existing={"seats": 60}, seats=5)
    assert client_rules.purchased([joins]) == 20


def test_seats_that_the_bill_does_not_count() -> None:
    half = dataclasses.replace(ALPHA, id="b", seats=7)
    assert uncounted(POOL, [ALPHA]) == 0
    assert uncounted(POOL, [ALPHA, half, dataclasses.replace(half, plan="Teams (Monthly)")]) == 7


def test_seats_that_the_bill_counts_no_more() -> None:
    """Left behind by a client that was deleted half created: the server counts anew with the next change."""
    assert counted(dataclasses.replace(POOL, assigned=17), [ALPHA]).assigned == 10
    assert counted(POOL, [ALPHA, dataclasses.replace(ALPHA, id="b")]).assigned == 10


# --- plans ---------------------------------------------------------------------------------------------------------------


def changes(found: Case, *confirmed: str) -> list[tuple[str, str, str, t.Any, t.Any]]:
    plan = client_plan.plan(found, confirmed)
    return [(one.action, one.kind, one.name, dict(one.before), dict(one.after)) for one in plan.changes]


def owner(status: str, *, is_owner: bool = True) -> dict[str, t.Any]:
    return {"owner_email": "ann@x.example", "members": (Member("m", "ann@x.example", is_owner, status, "u"),)}


def test_creation() -> None:
    after = {"plan": "enterprise, monthly", "seats": 5, "owner": "ann@x.example", "billing_email": "bill@x.example"}
    created = case(None, seats=5, owner_email="ann@x.example", billing_email=None)
    created = dataclasses.replace(created, wish=dataclasses.replace(created.wish, billing_email="bill@x.example"))
    assert changes(created) == [("create", "client organization", "Alpha", {}, after)]


def test_changes_of_what_is_named() -> None:
    assert changes(case()) == []
    named = case(name="Omega", organization_id="a", seats=12)
    assert changes(named) == [
        ("update", "client organization", "Omega", {"name": "Alpha", "seats": 10}, {"name": "Omega", "seats": 12})
    ]
    assert changes(case(seats=12, half_created=True)) == []


def test_owners() -> None:
    name = "ann@x.example of Alpha"
    assert changes(case(owner_email="ann@x.example")) == [("create", "client owner", name, {}, {"status": "invited"})]
    for status in ("invited", "accepted", "confirmed", "revoked"):
        assert changes(case(**owner(status))) == []
    confirmed = changes(case(**owner("accepted")), "Alpha")
    assert confirmed == [("update", "client owner", name, {"status": "accepted"}, {"status": "confirmed"})]


def test_end() -> None:
    before = {"plan": POOL.name, "seats": 10, "organization_id": "a"}
    assert changes(case(state="absent", confirm_destroy="a")) == [("delete", "client organization", "Alpha", before, {})]
    assert "deleted" in client_plan.plan(case(state="absent"), ()).changes[0].reason
    assert "leaves" in client_plan.plan(case(state="detached"), ()).changes[0].reason
    assert changes(case(None, state="absent")) == []


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        (case(**owner("invited")), ["the invitation has not been accepted yet"]),
        (case(**owner("accepted")), ["the server has no public key of this person"]),
        (case(**owner("confirmed")), []),
        (case(half_created=True), [client_plan.HALF_CREATED]),
        (case(**owner("invited"), state="absent"), []),
    ],
)
def test_pending(found: Case, reasons: list[str]) -> None:
    assert [one["reason"] for one in client_plan.pending(found, "")] == reasons


def test_shown() -> None:
    found = client_plan.shown(case(**owner("accepted")), "five words", False)
    assert found["owner"] == {"email": "ann@x.example", "status": "accepted", "fingerprint": "five words"}
    assert (found["organization_id"], found["provider_organization_id"]) == ("a", "link a")
    assert (found["plan"], found["cadence"], found["remaining_seats"]) == ("enterprise", "monthly", 6)
    planned = client_plan.shown(case(None, seats=5), None, True)
    assert (planned["organization_id"], planned["plan"], planned["seats"], planned["created"]) == (None, "enterprise", 5, True)


# --- rules ---------------------------------------------------------------------------------------------------------------


def test_a_plan_that_the_provider_does_not_know_is_left_alone() -> None:
    """A client from before consolidated billing; nothing is known of its pool, so nothing is bought."""
    old = dataclasses.replace(ALPHA, plan="Custom")
    found = Case(wish(plan="enterprise"), old)
    assert client_rules.impossible([found], client_rules.Bounds(ADMIN, [POOL], 0)) == []


def test_service_users_may_do_what_buys_nothing() -> None:
    bounds = client_rules.Bounds(dataclasses.replace(ADMIN, admin=False), [POOL], 99)
    assert client_rules.impossible([case(seats=50)], bounds) == []
    for found, what in ((case(seats=51), "Buying seats"), (case(state="absent", confirm_destroy="a"), "Letting go of a client")):
        assert [problem.cause.startswith(f"{what} takes an admin") for problem in client_rules.impossible([found], bounds)] == [
            True
        ]
