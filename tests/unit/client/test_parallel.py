"""Many requests at once: order, the first error, and what is told meanwhile."""

from __future__ import annotations

import threading
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client import parallel
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import ApiKey
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Endpoints

from tests.unit.client.site import Reply, Seen, Site, reply
from tests.virtual import Virtual

Calls = list[t.Callable[[], t.Any]]


def silent(_text: str) -> None:
    pass


@pytest.fixture
def server(site: Site) -> t.Iterator[Server]:
    server = Server(Endpoints(site.url + "/api", site.url + "/identity"), ApiKey("user.1", "x"), verify=site.ca_path)
    yield server
    server.http.close()


def gets(server: Server, count: int) -> Calls:
    return [lambda number=number: server.get(f"/things/{number}") for number in range(count)]  # type: ignore[misc]


def things(answer: t.Callable[[Seen], Reply]) -> t.Callable[[Seen], Reply]:
    """Answer log-ins, and everything else in a given way."""
    token = {"access_token": "e30.e30.x", "expires_in": 3600}
    return lambda seen: reply(token) if seen.path.endswith("/connect/token") else answer(seen)


def test_results_are_in_order_however_they_arrive(site: Site, server: Server) -> None:
    arrived, second = [], threading.Event()

    def answer(seen: Seen) -> Reply:
        number = int(seen.path.rpartition("/")[2])
        if number == 0:
            assert second.wait(5)
        arrived.append(number)
        second.set()
        return reply(number)

    site.answer = things(answer)
    assert parallel.each(server, gets(server, 9), silent) == list(range(9))
    assert arrived != sorted(arrived)


def test_several_connections_are_kept_and_one_login_is_enough(site: Site, server: Server) -> None:
    together = threading.Barrier(parallel.CONNECTIONS)

    def answer(_unused: Seen) -> Reply:
        together.wait(5)
        return reply({})

    site.answer = things(answer)
    for _round in range(3):
        parallel.each(server, gets(server, parallel.CONNECTIONS), silent)
    logins = [seen for seen in site.seen if seen.path.endswith("token")]
    assert len(logins) == 1
    assert len({seen.port for seen in site.seen} - {logins[0].port}) == parallel.CONNECTIONS


def test_the_first_error_ends_it(site: Site, server: Server) -> None:
    failed = threading.Event()

    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/5"):
            failed.set()
            return reply({"message": "Number five."}, 400)
        if int(seen.path.rpartition("/")[2]) > 5:
            assert failed.wait(5)
        return reply({})

    site.answer = things(answer)
    with pytest.raises(ApiError, match="Number five"):
        parallel.each(server, gets(server, 200), silent)
    assert len(site.seen) < 30


def test_nothing_to_do(server: Server) -> None:
    assert parallel.each(server, [], silent) == []


def test_a_cloud_is_asked_one_by_one() -> None:
    order: list[int] = []
    busy = threading.Lock()

    def call(number: int) -> int:
        assert busy.acquire(blocking=False)
        order.append(number)
        busy.release()
        return number

    calls: Calls = [lambda number=number: call(number) for number in range(50)]  # type: ignore[misc]
    assert parallel.each(Server(REGIONS["eu"].endpoints), calls, silent) == order == list(range(50))


def test_it_tells_how_far_it_is(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(parallel, "SILENCE", 0)
    parallel.each(server, [lambda: None, lambda: None], told.append)
    assert told == ["1 of 2 done", "2 of 2 done"]
    told.clear()
    monkeypatch.setattr(parallel, "SILENCE", 10)
    parallel.each(server, [lambda: None, lambda: None], told.append)
    assert told == []


def test_a_wait_for_a_cloud_tells_how_far_it_is(virtual: Virtual) -> None:
    told: list[str] = []
    server = Server(REGIONS["eu"].endpoints, progress=told.append)

    def send() -> None:
        server.http.pace.prepare("POST", "https://api.bitwarden.eu/organizations/1/users/invite")
        server.http.pace.count("POST", "https://api.bitwarden.eu/organizations/1/users/invite")

    parallel.each(server, [send] * 7, told.append)
    assert told[0] == "waiting 60 s for the cloud's limit of 5 requests a minute; 5 of 7 done"
    assert virtual.slept == pytest.approx(60, abs=2)
    told.clear()
    parallel.each(server, [], told.append)
    for _unused in range(5):
        send()
    assert told[0].endswith("a minute"), "whoever hears of the rest of the task hears nothing of calls that are over"
