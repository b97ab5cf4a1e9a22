# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How answers are judged, and what results add up to."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import dns, probe
from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe import CONTAINERS, HOST, Result
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe_cases import CASES, OK
from hypothesis import given, strategies as st

API = Destination("api.bitwarden.eu", url="https://api.bitwarden.eu/alive")
IDENTITY = Destination("identity.bitwarden.eu", url="https://identity.bitwarden.eu/alive")


def result(result: str, stage: str = "tcp", vantage: str = "host", to: Destination = API, **more: object) -> Result:
    scope = HOST if vantage == "host" else CONTAINERS
    return Result(vantage, scope, to, stage, result, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("200 OK\r\nContent-Type: application/json", (OK, "HTTP 200")),
        ("404 Not Found\r\ncontent-type: TEXT/HTML", (OK, "HTTP 404")),
        ("401 Unauthorized", (OK, "HTTP 401")),
        ("403 Forbidden\r\nContent-Type: application/json", (OK, "HTTP 403")),
        ("302 Found\r\nLocation: /elsewhere", (OK, "HTTP 302")),
        ("301 Moved\r\nLocation: https://api.bitwarden.eu/x", (OK, "HTTP 301")),
        ("302 Found\r\nLocation: https://login.hotel.example/?t=s3cret", ("captive_portal", "HTTP 302 to login.hotel.example")),
        ("302 Found\r\nLocation: https://[", ("captive_portal", "HTTP 302 to another place")),
        ("200 OK\r\nContent-Type: text/html; charset=utf-8", ("captive_portal", "HTTP 200 with a page")),
        ("511 Network Authentication Required", ("captive_portal", "HTTP 511 with a demand to log in")),
        ("403 Forbidden\r\nContent-Type: text/html", ("block_page", "HTTP 403")),
        ("407 Proxy Authentication Required", ("unauthorized", "HTTP 407")),
        ("500 Oops", ("server_error", "HTTP 500")),
        ("502 Bad Gateway\r\nContent-Type: text/html", ("server_error", "HTTP 502")),
    ],
)
def test_http_answers(answer: str, expected: tuple[str, str]) -> None:
    assert probe.http_result(f"HTTP/1.1 {answer}\r\n\r\n<html>".encode(), "api.bitwarden.eu") == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("200 OK\r\nContent-Type: text/html", "ok"),
        ("403 Forbidden\r\nContent-Type: text/html", "ok"),
        ("404 Not Found", "ok"),
        ("407 Proxy Authentication Required", "unauthorized"),
        ("502 Bad Gateway", "server_error"),
        ("302 Found\r\nLocation: https://login.hotel.example/", "captive_portal"),
    ],
)
def test_a_root_may_answer_with_a_page(answer: str, expected: str) -> None:
    assert probe.http_result(f"HTTP/1.1 {answer}\r\n\r\n<html>".encode(), "push.bitwarden.eu", plain=False)[0] == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, OK), (407, "unauthorized"), (403, "forbidden"), (405, "forbidden"), (502, "failed"), (504, "failed"), (302, "failed")],
)
def test_answers_to_connect(status: int, expected: str) -> None:
    assert probe.connect_result(f"HTTP/1.0 {status} What\r\n\r\n".encode()) == (expected, f"HTTP {status}")


@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/1.1 302 x\r\nLocation: "]))
def test_any_answer_is_judged_with_words(rest: bytes, start: bytes) -> None:
    for stage, (found, _detail) in (
        ("http", probe.http_result(start + rest, "a.test")),
        ("proxy", probe.connect_result(start + rest)),
    ):
        assert found == OK or (stage, found) in CASES


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, OK),
        (errno.ECONNREFUSED, "refused"),
        (errno.ECONNRESET, "refused"),
        (errno.ETIMEDOUT, "timeout"),
        (errno.EHOSTUNREACH, "rejected"),
        (errno.EACCES, "rejected"),
        (errno.EPERM, "rejected"),
        (errno.ENETUNREACH, "no_route"),
        (errno.EADDRNOTAVAIL, "no_route"),
    ],
)
def test_outcomes_of_connecting(code: int, expected: str) -> None:
    assert probe.outcome(code) == expected, os.strerror(code)


def test_every_way_to_fail_has_words() -> None:
    assert {("dns", failure) for failure in dns.FAILURES} <= set(CASES)
    for case in CASES.values():
        for text in (case.remedy, case.inside or case.remedy):
            assert text.endswith(".")
            assert "{" not in text
        assert not case.what.endswith(".")


def test_lack_of_ipv6_is_no_news() -> None:
    assert probe.worst({"2001:db8::1": "no_route", "203.0.113.1": "timeout"}) == ("203.0.113.1", "timeout")
    fine = result(OK, "http", addresses={"2001:db8::1": "no_route", "203.0.113.1": OK})
    assert (fine.reachable, fine.case, fine.as_dict()["remedy"]) == (True, None, "")
    assert fine.as_dict()["message"] == "From the host, api.bitwarden.eu:443/tcp: reachable."


def test_an_address_that_does_not_answer_is_told_although_another_one_does() -> None:
    partial = result(OK, "http", addresses={"2001:db8::1": "timeout", "203.0.113.1": OK})
    assert partial.reachable
    assert "not all addresses answer" in partial.as_dict()["message"]
    assert "(2001:db8::1)" in partial.as_dict()["message"]
    assert probe.findings([partial])[0]["remedy"].startswith("Allow all addresses")


def test_remedies_for_containers_are_their_own() -> None:
    assert "scope host" in result("timeout").remedy
    assert "scope containers" in result("timeout", vantage="bitwarden-api").remedy
    assert "FORWARD" in result("timeout", "dns", vantage="bitwarden-api").remedy
    assert result("nxdomain", "dns", vantage="bitwarden-api").remedy == result("nxdomain", "dns").remedy


def test_findings_say_everything_once() -> None:
    both = [result("timeout", vantage=name, to=to) for name in ("bitwarden-api", "bitwarden-sso") for to in (API, IDENTITY)]
    (finding,) = probe.findings(both)
    assert finding["message"] == (
        "From container bitwarden-api, container bitwarden-sso, api.bitwarden.eu:443/tcp, identity.bitwarden.eu:443/tcp: "
        "connecting times out: a firewall drops the traffic."
    )


def test_host_and_containers_are_compared() -> None:
    good, bad = result(OK, "http"), result("timeout", vantage="bitwarden-api")
    assert probe.findings([good, bad])[-1]["message"] == "The host reaches api.bitwarden.eu:443/tcp, its containers do not."
    assert "FORWARD" in probe.findings([good, bad])[-1]["remedy"]
    good, bad = result(OK, "http", "bitwarden-api"), result("timeout")
    assert probe.findings([good, bad])[-1]["message"] == "Containers reach api.bitwarden.eu:443/tcp, the host itself does not."
    assert len(probe.findings([result("timeout"), result("timeout", vantage="bitwarden-api")])) == 2
    assert probe.findings([result(OK, "http"), result(OK, "http", "bitwarden-api")]) == []
