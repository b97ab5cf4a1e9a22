"""The client's own pace: never over a cloud's limits, never slower than they ask, and never silent about it."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Pace
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.limits import CLOUD, DAY, limits
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Endpoints
from hypothesis import given, strategies as st

from tests.virtual import Virtual

API, IDENTITY = "https://api.bitwarden.eu", "https://identity.bitwarden.eu"
INVITE = "/organizations/1/users/invite"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def paced(virtual: Virtual, told: list[str]) -> Pace:
    return Pace(CLOUD, told.append)


def send(pace: Pace, method: str, url: str, times: int = 1) -> None:
    for _unused in range(times):
        pace.prepare(method, url)
        pace.count(method, url)


@pytest.mark.parametrize(
    ("service", "method", "path", "expected"),
    [
        ("api", "GET", "/organizations", {60: 200}),
        ("api", "GET", "/alive", {60: 5}),
        ("api", "POST", "/organizations/1/collections", {60: 60, 1: 5}),
        ("api", "DELETE", "/organizations/1/collections/2", {60: 60, 1: 5}),
        ("api", "POST", INVITE, {60: 5, 1: 5, DAY: 300}),
        ("api", "POST", "/organizations/1/users/2/reinvite", {60: 5, 1: 5, DAY: 300}),
        ("api", "POST", "/organizations/1/users/reinvite", {60: 60, 1: 5}),
        ("api", "POST", "/installations", {60: 60, 1: 5, 120: 2}),
        ("api", "PATCH", "/anything", {}),
        ("identity", "POST", "/connect/token", {60: 10, 1: 5}),
        ("identity", "GET", "/connect/authorize", {60: 60, 1: 5}),
        ("scim", "POST", "/v2/1/users", {}),
    ],
)
def test_the_strictest_rule_of_each_period(service: str, method: str, path: str, expected: dict[int, int]) -> None:
    assert limits(CLOUD, service, method, path) == expected


def test_as_quick_as_the_limits_allow(paced: Pace, virtual: Virtual) -> None:
    send(paced, "POST", f"{API}/organizations/1/collections", 500)
    least = 8 * 60 + 3  # eight full minutes, and the last twenty at five a second
    assert least <= virtual.slept < 1.02 * least


def test_other_paths_and_verbs_have_counters_of_their_own(paced: Pace, virtual: Virtual) -> None:
    for number in range(500):
        send(paced, "PUT", f"{API}/organizations/1/collections/{number}")
    send(paced, "POST", f"{API}/a", 5)
    send(paced, "DELETE", f"{API}/a", 5)
    send(paced, "GET", f"{API}/a", 200)
    assert virtual.slept == 0


def test_waits_are_told_every_ten_seconds(paced: Pace, told: list[str]) -> None:
    send(paced, "POST", f"{IDENTITY}/connect/token", 11)
    assert told == [f"waiting {left} s for the cloud's limit of 10 requests a minute" for left in (59, 49, 39, 29, 19, 9)]


def test_what_took_a_day_is_not_waited_for(paced: Pace, virtual: Virtual) -> None:
    send(paced, "POST", API + INVITE, 300)
    assert virtual.slept < 3700
    with pytest.raises(SelfhostError, match="limit of 300 requests a day is reached") as caught:
        send(paced, "POST", API + INVITE)
    assert caught.value.field == f"POST {API}{INVITE}"
    assert virtual.slept < 3700


def test_only_a_cloud_has_limits(virtual: Virtual) -> None:
    assert Server(REGIONS["us"].endpoints).http.pace.budgets == CLOUD
    assert Server(Endpoints("https://api.example.com", "https://identity.example.com")).http.pace.budgets == ()
    send(Pace(), "POST", f"{API}/connect/token", 1000)
    assert virtual.slept == 0


class Counter:
    """A server's counters: periods begin with the first request that they count, and their last moment belongs to them."""

    def __init__(self) -> None:
        self._began: dict[tuple[str, int], tuple[float, int]] = {}

    def takes(self, path: str, now: float) -> bool:
        for seconds, most in limits(CLOUD, "api", "POST", path).items():
            began, count = self._began.get((path, seconds), (now, 0))
            if began + seconds < now:
                began, count = now, 0
            self._began[path, seconds] = began, count + 1
            if count + 1 > most:
                return False
        return True


@given(st.lists(st.tuples(st.sampled_from(["/a", "/b", INVITE]), st.floats(0, 2), st.floats(0, 1)), min_size=70, max_size=200))
def test_a_server_never_counts_too_many_whenever_requests_arrive(steps: list[tuple[str, float, float]]) -> None:
    """Each step: where to, how long it takes to get there and back, and which part of that is the way there."""
    virtual, counter, pace = Virtual(), Counter(), Pace(CLOUD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ansible_collections.bw.selfhost.plugins.module_utils._client.pace.time", virtual)
        for path, duration, part in itertools.islice(itertools.cycle(steps), 250):
            pace.prepare("POST", API + path)
            assert counter.takes(path, virtual.monotonic() + duration * part)
            virtual.sleep(duration)
            pace.count("POST", API + path)
