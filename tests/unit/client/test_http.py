"""One request, over real sockets: what is sent, what is repeated, and what each failure says."""

from __future__ import annotations

import datetime as dt
import socket
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client import transport
from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Unreachable
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import Answer, ApiError, Http
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

from tests.unit.client.site import HTML, JSON, Authority, Reply, Reset, Seen, Site, reply
from tests.virtual import Virtual

Fail = t.Callable[..., SelfhostError]


@pytest.fixture
def http(site: Site) -> t.Iterator[Http]:
    http = Http(site.ca_path, timeout=5)
    yield http
    http.close()


@pytest.fixture
def fail(site: Site, http: Http) -> Fail:
    """Sends a request that must fail, and returns how."""

    def send(method: str = "GET", url: str | None = None, **content: t.Any) -> SelfhostError:
        with pytest.raises(SelfhostError) as caught:
            http.send(method, url or site.url + "/organizations", **content).checked().json()
        return caught.value

    return send


class TestSent:
    def test_headers(self, site: Site, http: Http) -> None:
        http.send("GET", site.url + "/x", token="canary")
        http.send("GET", site.url + "/x")
        first, second = (seen.headers for seen in site.seen)
        assert first["authorization"] == "Bearer canary"
        assert "authorization" not in second
        assert first["bitwarden-client-version"].count(".") == 2
        assert first["bitwarden-client-name"] == "cli"
        assert first["device-type"] == "21"
        assert first["accept"] == "application/json"

    def test_credentials_of_a_netrc_are_not_sent(
        self, site: Site, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login somebody password canary\n", encoding="utf-8")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        http.send("GET", site.url, token="token")
        http.send("GET", site.url)
        assert [seen.headers.get("authorization") for seen in site.seen] == ["Bearer token", None]

    def test_one_connection_for_all(self, site: Site, http: Http) -> None:
        for _unused in range(3):
            http.send("GET", site.url)
        assert len({seen.port for seen in site.seen}) == 1

    def test_a_body_does_not_wait_behind_a_proxy(self) -> None:
        connections = transport._adapter("GET").proxy_manager_for("http://localhost:1")
        assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in connections.connection_pool_kw["socket_options"]


class TestRepeated:
    """Only what is safe to repeat."""

    def answers(self, *answers: Reply | type[Reset]) -> t.Callable[[Seen], Reply]:
        queue = list(answers)

        def answer(_unused: Seen) -> Reply:
            following = queue.pop(0)
            if isinstance(following, tuple):
                return following
            raise following

        return answer

    def test_read_after_a_reset(self, site: Site, http: Http) -> None:
        site.answer = self.answers(Reset, reply({"a": 1}))
        assert http.send("GET", site.url).json() == {"a": 1}

    def test_read_while_the_service_starts(self, site: Site, http: Http) -> None:
        site.answer = self.answers((502, HTML, b"<h1>502</h1>"), reply({"a": 1}))
        assert http.send("GET", site.url).json() == {"a": 1}

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_write_is_never_repeated_after_a_reset(self, site: Site, fail: Fail, method: str) -> None:
        site.answer = self.answers(Reset)
        error = fail(method, json={})
        assert isinstance(error, Unreachable)
        assert error.maybe_done
        assert len(site.seen) == 1
        assert "lost" in error.cause

    def test_write_is_never_repeated_after_a_502(self, site: Site, fail: Fail) -> None:
        site.answer = self.answers((502, HTML, b"<h1>502</h1>"))
        error = fail("POST", json={})
        assert isinstance(error, ApiError)
        assert error.maybe_done

    def test_a_post_that_changes_nothing_is_repeated(self, site: Site) -> None:
        site.answer = self.answers(Reset, reply({"a": 1}))
        http = Http(site.ca_path, repeatable=(site.url + "/connect/token",))
        assert http.send("POST", site.url + "/connect/token", data={"b": "2"}).json() == {"a": 1}
        assert [seen.body for seen in site.seen] == [b"b=2", b"b=2"]
        http.close()

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_retry_after_is_waited_for(self, site: Site, http: Http, virtual: Virtual, method: str) -> None:
        site.answer = self.answers(reply({}, 429, Retry_After="20"), reply({"a": 1}))
        told: list[str] = []
        http.pace.progress = told.append
        assert http.send(method, site.url).json() == {"a": 1}
        assert virtual.slept == pytest.approx(21)
        assert told == [f"waiting {left} s because the server limits requests" for left in (21, 11, 1)]

    @pytest.mark.usefixtures("virtual")
    def test_limit_that_does_not_end(self, site: Site, fail: Fail) -> None:
        site.answer = lambda _unused: reply({"message": "Slow down! Too many requests."}, 429, Retry_After="55")
        error = fail("POST")
        assert isinstance(error, ApiError)
        assert (error.status, error.maybe_done, len(site.seen)) == (429, False, 4)
        assert "wait 55 seconds" in str(error.remedy)

    def test_limit_of_a_day_is_not_waited_for(self, site: Site, fail: Fail, virtual: Virtual) -> None:
        site.answer = lambda _unused: reply({}, 429, Retry_After="80000")
        assert "wait 80000 seconds" in str(fail("POST").remedy)
        assert virtual.slept == 0

    def test_a_service_that_starts_may_ask_for_time(self, site: Site, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transport, "LONGEST_WAIT", 0.1)
        site.answer = self.answers(reply({}, 503, Retry_After="3600"), reply({"a": 1}))
        begin = time.monotonic()
        assert http.send("GET", site.url).json() == {"a": 1}
        assert time.monotonic() - begin < 5


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "remedy"),
        [
            (401, "log in again"),
            (403, "role in the organization"),
            (404, "not found or is not allowed"),
            (500, "own log"),
            (503, "not up yet"),
        ],
    )
    def test_remedy_by_status(self, site: Site, fail: Fail, status: int, remedy: str) -> None:
        site.answer = lambda _unused: (status, {}, b"")
        error = fail()
        assert isinstance(error, ApiError)
        assert error.status == status
        assert remedy in str(error.remedy)
        assert error.field == error.endpoint == f"GET {site.url}/organizations"

    def test_the_servers_words(self, site: Site, fail: Fail) -> None:
        site.answer = lambda _unused: reply(
            {"message": "The model state\nis invalid.", "validationErrors": {"Key": ["It is missing."]}}, 400
        )
        error = fail("POST")
        assert isinstance(error, ApiError)
        assert error.message == "The model state is invalid."
        assert error.validation == {"Key": ["It is missing."]}
        assert error.cause == "The server answered 400: The model state is invalid. It is missing."
        assert not error.maybe_done

    def test_errors_of_the_public_api(self) -> None:
        answer = Answer(400, "POST /", JSON, b'{"errors": {"Email": ["Wrong."]}}')
        assert answer.validation == {"Email": ["Wrong."]}

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b'"text"', b'{"message": 5, "validationErrors": 7}', b'{"validationErrors": {"A": "b"}}']
    )
    def test_error_bodies_of_any_shape(self, body: bytes) -> None:
        with pytest.raises(ApiError, match="answered 400"):
            Answer(400, "POST /", JSON, body).checked()

    @pytest.mark.parametrize("status", [200, 403])
    def test_html(self, site: Site, fail: Fail, status: int) -> None:
        site.answer = lambda _unused: (status, HTML, b"<!DOCTYPE html><title>Log in</title>")
        error = fail()
        assert error.cause == "An HTML page came instead of JSON."
        assert error.remedy == "Is the URL right, or is this a proxy's login page?"

    def test_half_a_body(self, site: Site, fail: Fail) -> None:
        site.answer = lambda _unused: (200, JSON, b'{"data": [')
        assert "cut off" in fail().cause

    def test_body_shorter_than_it_says(self, site: Site, fail: Fail) -> None:
        site.answer = lambda _unused: (200, {**JSON, "Content-Length": "100"}, b'{"data": [')
        assert "lost" in fail().cause or "cut off" in fail().cause

    @pytest.mark.parametrize("body", [b"[1]", b'{"b": 1}', b'{"a": null}', b"null", b"true"])
    def test_another_kind_of_server(self, body: bytes) -> None:
        with pytest.raises(ApiError, match="not what a Bitwarden server sends"):
            Answer(200, "GET /", JSON, body).object("a")

    def test_empty_success(self) -> None:
        assert Answer(204, "POST /", {}, b"").checked().json() is None

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_redirect_to_another_host(self, site: Site, fail: Fail, status: int) -> None:
        site.answer = lambda _unused: (status, {"Location": "https://login.corp.example/sso?token=canary"}, b"")
        error = fail(token="canary")
        assert "redirects to another host, login.corp.example" in error.cause
        assert "canary" not in str(error)
        assert len(site.seen) == 1

    def test_redirect_on_the_same_host(self, site: Site, fail: Fail) -> None:
        site.answer = lambda _unused: (301, {"Location": "https://localhost/new/place"}, b"")
        error = fail()
        assert error.cause == "The server redirects to https://localhost."
        assert "final address" in str(error.remedy)


class TestNoAnswer:
    def test_unknown_authority(self, site: Site, other_ca: str) -> None:
        with pytest.raises(Unreachable, match="signed by an unknown authority") as caught:
            Http(other_ca, prefix="cloud.").send("GET", site.url)
        assert "cloud.ca_path" in str(caught.value.remedy)
        assert not caught.value.maybe_done

    def test_other_host_name(self, site: Site, fail: Fail) -> None:
        assert "is for another" in fail("POST", url=f"https://127.0.0.1:{site.port}/").cause

    def test_expired_certificate(self, authority: Authority) -> None:
        past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        site = Site(authority.path)
        server = authority.serve(site, authority.ca.issue_cert("localhost", not_before=past, not_after=past.replace(month=2)))
        with pytest.raises(Unreachable, match="has expired") as caught:
            Http(site.ca_path).send("GET", site.url)
        assert caught.value.remedy == "Renew the server's certificate."
        server.shutdown()
        server.server_close()

    def test_no_verification(self, site: Site, other_ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is what was asked for, whatever the environment says."""
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", other_ca)
        with pytest.warns(match="Unverified HTTPS request"):
            assert Http(False).send("GET", site.url).status == 200

    def test_authority_of_the_environment(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca_path)
        assert Http().send("GET", site.url).status == 200

    def test_authority_of_the_environment_is_missing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
        with pytest.raises(Unreachable, match=r"/nowhere/ca\.pem") as caught:
            Http().send("GET", site.url)
        assert "environment" in str(caught.value.remedy)

    def test_plain_http_on_the_port(self, authority: Authority) -> None:
        site = Site(authority.path)
        server = authority.serve(site, None)
        with pytest.raises(Unreachable, match="does not speak TLS"):
            Http(site.ca_path).send("GET", site.url)
        server.shutdown()
        server.server_close()

    def test_refused(self, fail: Fail) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            error = fail(url=f"https://localhost:{unused.getsockname()[1]}/")
        assert "refuses connections" in error.cause

    def test_unknown_name(self, fail: Fail) -> None:
        assert "The name nowhere.invalid is unknown." in fail(url="https://nowhere.invalid/").cause

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_late(self, site: Site, method: str) -> None:
        site.answer = lambda _unused: (site.done.wait(10), reply({}))[1]
        with pytest.raises(Unreachable, match=r"did not answer within 0\.2 seconds") as caught:
            Http(site.ca_path, timeout=0.2).send(method, site.url)
        assert caught.value.maybe_done == (method == "POST")
        assert len(site.seen) == (2 if method == "GET" else 1)

    def test_a_request_may_take_longer_than_others(self, site: Site) -> None:
        site.answer = lambda _unused: (site.done.wait(0.4), reply({}))[1]
        assert Http(site.ca_path, timeout=0.2).send("POST", site.url, timeout=5).status == 200

    def test_proxy_says_no(self, authority: Authority, fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
        proxy = Site(authority.path)
        server = authority.serve(proxy, None)  # it does not know CONNECT
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        error = fail(url="https://vault.example.com/api")
        assert "The proxy gives no connection to vault.example.com (501" in error.cause
        server.shutdown()
        server.server_close()

    def test_proxy_is_down(self, fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
            error = fail(url="https://vault.example.com/api")
        assert "The proxy gives no connection" in error.cause
        assert "HTTPS_PROXY" in str(error.remedy)

    def test_no_proxy(self, site: Site, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "localhost")
        assert http.send("GET", site.url).status == 200

    def test_no_secret_in_any_error(self, site: Site, fail: Fail) -> None:
        site.answer = lambda _unused: (_unused for _unused in ()).throw(Reset)
        error = fail("POST", token="canary", json={"masterPasswordHash": "canary"}, params={"key": "canary"})
        assert "canary" not in f"{error} {error!r} {error.__cause__!r} {error.as_dict()}"


def test_requests_is_missing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "requests", None)
    with pytest.raises(SelfhostError, match="requests is missing"):
        Http().send("GET", site.url)
