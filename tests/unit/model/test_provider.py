"""The seats of a provider, as its bill counts them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import provider
from ansible_collections.bw.selfhost.plugins.module_utils._model.provider import Pool
from hypothesis import given, strategies as st

MSP = [Pool(17, "Teams (Monthly)", 10, 0, 0), Pool(19, "Enterprise (Monthly)", 20, 5, 25)]
UNIT = [Pool(20, "Enterprise (Annually)", 50, 0, 0)]


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """A pool as the server keeps it: what is beyond the minimum is bought."""
    minimum, assigned = draw(st.integers(0, 100)), draw(st.integers(0, 200))
    return Pool(19, "Enterprise (Monthly)", minimum, max(0, assigned - minimum), assigned)


deltas = st.lists(st.integers(-50, 50), max_size=8)


def test_the_reference_s_example() -> None:
    """Minimum 20, one client of 15: another one of 10 buys 5; the first one reduced to 8 gives them back."""
    pool = Pool(19, "Enterprise (Monthly)", 20, 0, 15)
    after = pool.after(10)
    assert (after.assigned, after.purchased) == (25, 5)
    assert (after.after(-7).assigned, after.after(-7).purchased) == (18, 0)
    assert (pool.free, after.free) == (5, 0)


def test_what_lies_below_the_minimum_keeps_an_old_purchase() -> None:
    """A creation that was broken off can leave one behind; only crossing the minimum gives it back."""
    assert Pool(19, "", 20, 5, 10).after(2).purchased == 5


@given(pools(), st.integers(-50, 50))
def test_a_bill_is_always_enough(pool: Pool, delta: int) -> None:
    after = pool.after(delta)
    assert after.assigned <= after.minimum + after.purchased
    assert after.purchased == max(0, after.assigned - after.minimum)


@given(pools(), st.integers(-50, 50))
def test_a_purchase_is_what_makes_the_bill_grow(pool: Pool, delta: int) -> None:
    assert pool.purchase(delta) is (pool.after(delta).purchased > pool.purchased)
    assert provider.bought(pool, [delta]) == max(0, pool.assigned + delta - max(pool.minimum, pool.assigned))


@given(pools(), deltas)
def test_giving_back_first_never_costs_more(pool: Pool, steps: list[int]) -> None:
    assert provider.bought(pool, sorted(steps)) <= provider.bought(pool, steps)
    assert provider.bought(pool, steps) <= sum(step for step in steps if step > 0)


@given(pools(), deltas)
def test_service_users_are_let_through_exactly_when_nothing_is_bought(pool: Pool, steps: list[int]) -> None:
    now, bought = pool, False
    for step in steps:
        bought = bought or now.after(step).purchased > now.purchased
        now = now.after(step)
    assert provider.purchases(pool, steps) is bought


@pytest.mark.parametrize(
    ("pools", "plan", "cadence", "plan_type"),
    [
        (MSP, "teams", None, 17),
        (MSP, "enterprise", None, 19),
        (MSP, "enterprise", "monthly", 19),
        (MSP, "enterprise", "annually", None),
        (MSP, "teams", "annually", None),
        (MSP, None, None, None),
        (UNIT, "enterprise", None, 20),
        (UNIT, "enterprise", "annually", 20),
        (UNIT, "enterprise", "monthly", None),
        (UNIT, "teams", None, None),
    ],
)
def test_plans_that_clients_can_have(pools: list[Pool], plan: str | None, cadence: str | None, plan_type: int | None) -> None:
    found = provider.fitting(pools, plan, cadence)
    assert (found.plan_type if found else None) == plan_type


@pytest.mark.parametrize(
    ("shown", "plan"),
    [
        ("Enterprise (Monthly)", ("enterprise", "monthly")),
        ("Enterprise (Annually)", ("enterprise", "annually")),
        ("Teams (Monthly) 2023", ("teams", "monthly")),
        ("Teams", ("teams", None)),
        ("Families 2019", (None, None)),
        (None, (None, None)),
    ],
)
def test_plans_as_they_are_shown(shown: str | None, plan: tuple[str | None, str | None]) -> None:
    assert provider.plan_of(shown) == plan


def test_names_of_plans() -> None:
    assert provider.plan_name(20) == "enterprise, annually"
    assert provider.plan_name(11) == "plan type 11"


def test_a_pool_is_read_from_the_bill() -> None:
    plan: dict[str, t.Any] = {"planName": "Enterprise (Monthly)", "type": 19, "productTier": 3, "cost": 150, "cadence": "Monthly"}
    plan |= {"seatMinimum": 20, "purchasedSeats": 5, "assignedSeats": 25}
    assert provider.pool_of(plan) == MSP[1]
