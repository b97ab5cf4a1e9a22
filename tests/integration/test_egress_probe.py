# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The probe against real servers that fail in one way each, from the host and from a container's network."""

from __future__ import annotations

import os
import socket
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.probe import Options, examine
from ansible_collections.bw.selfhost.plugins.module_utils._host.vantage import Vantage, containers
from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe import HOST, Result

from tests.hosts import World, namespaces, unavailable
from tests.hosts.waiting import until
from tests.integration import probe_servers
from tests.integration.module_runner import run_module
from tests.integration.probe_servers import GOOD, HOME, Servers

ROOT = os.geteuid() == 0
PLACES = [
    "host",
    pytest.param("container", marks=[pytest.mark.network_namespace, pytest.mark.skipif(not ROOT, reason="only root can enter")]),
]


@dataclass
class Place:
    """Servers, and the vantage point in their network."""

    servers: Servers
    vantage: Vantage
    pid: int | None = None

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.servers, name)

    def look(self, host: str = "api.test", port: int = 443, timeout: float = 5, url: bool = True, **options: t.Any) -> Result:
        """Probe one destination."""
        destination = Destination(host, port, url=f"https://{host}:{port}/alive" if url else "")
        (result,) = examine([destination], self.vantage, Options(timeout, ca_path=str(self.servers.ca_path), **options))
        return result


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Place]:
    if request.param == "host":
        servers = Servers(tmp_path)
        yield Place(servers, Vantage("host", HOST, ("host",), (servers.dns(),)))
        servers.close()
        return
    with probe_servers.container(tmp_path) as pid:
        servers = Servers(tmp_path, pid)
        servers.dns("127.0.0.11", 53)
        monkeypatch.setenv("PATH", probe_servers.docker(tmp_path, pid)["PATH"])
        (vantage,), skipped = containers(Tools(), tmp_path)
        assert list(skipped) == ["bitwarden-sso"]
        yield Place(servers, vantage, pid)
        servers.close()


def told(result: Result, stage: str, kind: str, what: str, remedy: str) -> None:
    """What a person gets to read."""
    shown = result.as_dict()
    assert (result.stage, result.result, result.reachable) == (stage, kind, False), shown["message"]
    assert what in shown["message"]
    assert remedy in shown["remedy"]


def scope(place: Place) -> str:
    return f"scope {place.vantage.scope}"


def test_all_is_well(place: Place) -> None:
    result = place.look(port=place.tls())
    assert (result.stage, result.result, result.address, result.addresses) == ("http", "ok", HOME, {HOME: "ok"})
    assert list(result.elapsed_ms) == ["dns", "tcp", "tls", "http"]
    assert all(value >= 0 for value in result.elapsed_ms.values())
    assert (result.case, result.remedy) == (None, "")


def test_a_connection_is_enough_without_a_url(place: Place) -> None:
    result = place.look(HOME, place.tls(), url=False)
    assert (result.stage, result.result, list(result.elapsed_ms)) == ("tcp", "ok", ["dns", "tcp"])


def test_of_datagrams_only_the_name_is_looked_up(place: Place) -> None:
    (result,) = examine([Destination("api.test", 123, "udp")], place.vantage, Options(5))
    assert (result.stage, result.result) == ("dns", "ok")


# The name
def test_nxdomain(place: Place) -> None:
    told(place.look("missing.test"), "dns", "nxdomain", "missing.test:443/tcp: the name does not exist", "Correct the name")


def test_dns_timeout(place: Place) -> None:
    place.records["api.test"] = "timeout"
    result = place.look(timeout=0.3)
    told(result, "dns", "timeout", "no DNS server answers in time", "UDP and TCP port 53")
    assert scope(place) in result.remedy
    if place.pid:
        assert "asked 127.0.0.11, which asks 192.0.2.53" in result.as_dict()["message"]
        assert "FORWARD" in result.remedy


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        ("servfail", "the DNS server cannot look the name up"),
        ("refused", "the DNS server refuses to answer"),
        ("nodata", "the name exists, but has no address"),
    ],
)
def test_other_answers_of_dns(place: Place, failure: str, what: str) -> None:
    place.records["api.test"] = [] if failure == "nodata" else failure
    told(place.look(), "dns", failure, what, ".")


def test_a_dns_filter(place: Place) -> None:
    told(place.look(port=place.closed()), "tcp", "sinkhole", "a DNS filter blocks the name", "DNS filter")


# The connection
def test_refused(place: Place) -> None:
    result = place.look(HOME, place.closed())
    told(result, "tcp", "refused", "the connection is refused (127.0.0.1)", "check the port")
    assert scope(place) in result.remedy


def test_filtered(place: Place) -> None:
    result = place.look(HOME, place.full(), timeout=0.3)
    told(result, "tcp", "timeout", "connecting times out: a firewall drops the traffic", scope(place))
    assert ("FORWARD" in result.remedy) == (place.vantage.scope == "containers")


@pytest.mark.network_namespace
@pytest.mark.parametrize("place", PLACES[1:], indirect=True)
@pytest.mark.parametrize(
    ("route", "kind", "what"),
    [
        ("unreachable", "rejected", "a firewall rejects the connection"),
        ("prohibit", "rejected", "a firewall rejects the connection"),
        ("", "no_route", "there is no way to the network"),
    ],
)
def test_rejected(place: Place, route: str, kind: str, what: str) -> None:
    assert place.pid
    namespaces.ip(place.pid, f"route add {route} 203.0.113.9/32" if route else "route show")
    told(place.look("203.0.113.9"), "tcp", kind, what, "FORWARD" if kind == "rejected" else "not internal")


def test_one_address_of_two(place: Place) -> None:
    port = place.tls()
    place.records["api.test"] = [HOME, "127.0.0.77"]
    result = place.look(port=port)
    assert result.reachable
    assert result.addresses == {HOME: "ok", "127.0.0.77": "refused"}
    assert "not all addresses answer" in result.as_dict()["message"]


# The certificate
def test_certificate_of_another_name(place: Place) -> None:
    told(place.look(port=place.tls(GOOD, "other.test")), "tls", "name_mismatch", "somebody else's", "wrong DNS record")


def test_certificate_of_an_unknown_authority(place: Place) -> None:
    result = place.look(port=place.tls(authority=place.stranger))
    told(result, "tls", "unknown_ca", "the certificate's issuer is not trusted", "CA certificate")
    assert ("bwdata/ca-certificates" in result.remedy) == (place.vantage.scope == "containers")


def test_expired_certificate(place: Place) -> None:
    told(place.look(port=place.tls(days=(-9, -1))), "tls", "expired", "the certificate has expired", "clock")


def test_certificate_of_the_future(place: Place) -> None:
    told(place.look(port=place.tls(days=(1, 9))), "tls", "not_yet_valid", "not valid yet", "clock")


def test_no_tls(place: Place) -> None:
    port = place.serve(lambda connection: connection.recv(1) and connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    told(place.look(port=port), "tls", "protocol", "what answers does not speak TLS", "HTTPS_PROXY")


def test_the_handshake_is_refused(place: Place) -> None:
    port = place.serve(lambda connection: connection.recv(1) and connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28"))
    told(place.look(port=port), "tls", "refused", "refuses the TLS handshake", "pass this name")


def test_the_handshake_is_cut(place: Place) -> None:
    told(place.look(port=place.serve(lambda connection: None)), "tls", "reset", "the connection is cut", "TLS handshake")


def test_silence_in_the_handshake(place: Place) -> None:
    port = place.serve(lambda connection: probe_servers.respond(connection, b""))
    told(place.look(port=port, timeout=0.3), "tls", "timeout", "then nothing more comes (nothing within 0.3 s)", "MTU")


# The answer
@pytest.mark.parametrize(
    ("answer", "kind", "what", "remedy"),
    [
        ("200 OK\r\nContent-Type: text/html", "captive_portal", "captive portal", "log-in or block page"),
        ("302 Found\r\nLocation: https://login.hotel.example/", "captive_portal", "HTTP 302 to login.hotel.example", "log-in"),
        ("403 Forbidden\r\nContent-Type: text/html", "block_page", "a block page answers", "administrators"),
        ("502 Bad Gateway\r\nContent-Type: text/html", "server_error", "(HTTP 502)", "status.bitwarden.com"),
        (
            "407 Proxy Authentication Required",
            "unauthorized",
            "wants a user name and a password",
            "http://user:password@proxy:port",
        ),
    ],
)
def test_answers(place: Place, answer: str, kind: str, what: str, remedy: str) -> None:
    told(place.look(port=place.tls(f"HTTP/1.1 {answer}\r\n\r\n<html>".encode())), "http", kind, what, remedy)


def test_no_http(place: Place) -> None:
    told(place.look(port=place.tls(b"220 mail.example.com ESMTP\r\n\r\n")), "http", "protocol", "the answer is not HTTP", ".")


def test_silence_after_the_request(place: Place) -> None:
    told(place.look(port=place.tls(b""), timeout=0.5), "http", "timeout", "then nothing more comes", "inspects TLS")


# The proxy
def test_through_a_proxy_no_name_is_looked_up(place: Place) -> None:
    seen: list[bytes] = []
    port = place.tls(GOOD, "beyond.test")
    proxy = f"http://user:p%40ss@{HOME}:{place.proxy(seen=seen)}"
    result = place.look("beyond.test", port, proxy=proxy)
    assert (result.stage, result.result, list(result.elapsed_ms)) == ("http", "ok", ["dns", "tcp", "proxy", "tls", "http"])
    assert seen[0].startswith(f"CONNECT beyond.test:{port} HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in seen[0]


def test_the_places_own_proxy_counts(place: Place) -> None:
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    variables = {"HTTPS_PROXY": f"http://{HOME}:{place.proxy(answer)}", "NO_PROXY": "localhost,.exempt.test"}
    place.vantage = replace(place.vantage, variables=variables)
    told(place.look("beyond.test"), "proxy", "unauthorized", "(HTTP 407 from 127.0.0.1:", "http://user:password@proxy:port")
    told(place.look("a.exempt.test"), "dns", "nxdomain", "", "")
    told(place.look("beyond.test", no_proxy="beyond.test"), "dns", "nxdomain", "", "")
    told(place.look("beyond.test", proxy=""), "dns", "nxdomain", "", "")


@pytest.mark.parametrize(
    ("answer", "kind", "what", "remedy"),
    [
        (
            b"HTTP/1.1 407 Login\r\n\r\n",
            "unauthorized",
            "the proxy wants a user name",
            "proxy's URL|HTTPS_PROXY in global.override.env",
        ),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "forbidden", "does not allow this destination (HTTP 403", "allow CONNECT"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "failed", "cannot connect to the destination (HTTP 502", "proxy's log"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol", "does not answer in HTTP", "address of an HTTP proxy"),
    ],
)
def test_refusals_of_a_proxy(place: Place, answer: bytes, kind: str, what: str, remedy: str) -> None:
    result = place.look("beyond.test", proxy=f"http://user:s3cret@{HOME}:{place.proxy(answer)}")
    told(result, "proxy", kind, what, remedy.split("|")[-1 if place.pid else 0])
    assert "s3cret" not in repr(result) + str(result.as_dict())


def test_a_proxy_that_is_not_there(place: Place) -> None:
    port = place.closed()
    result = place.look("beyond.test", proxy=f"{HOME}:{port}")
    told(result, "proxy", "unreachable", f"the proxy cannot be reached ({HOME}:{port}: tcp refused)", "Correct HTTPS_PROXY")
    told(place.look("beyond.test", proxy="missing.test:3128"), "proxy", "unreachable", "missing.test:3128: dns nxdomain", "")


def test_a_proxy_over_tls_is_not_supported(place: Place) -> None:
    told(
        place.look("beyond.test", proxy="https://proxy.test"),
        "proxy",
        "unsupported",
        "cannot be used",
        "http://proxy.example.com:3128",
    )


# What containers have of their own
@pytest.mark.network_namespace
@pytest.mark.parametrize("place", PLACES[1:], indirect=True)
class TestContainer:
    def test_one_speaks_for_those_that_are_alike(self, place: Place) -> None:
        assert (place.vantage.name, place.vantage.covers) == ("bitwarden-api", ("bitwarden-api", "bitwarden-admin"))

    def test_its_hosts_file_counts(self, place: Place) -> None:
        assert place.look("listed.test", place.tls(GOOD, "listed.test")).reachable

    def test_its_certificates_count_and_not_the_hosts(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        own = place.directory / "own"
        own.mkdir()
        place.stranger.cert_pem.write_to_path(str(own / "stranger.crt"))
        monkeypatch.setenv("SSL_CERT_FILE", str(own / "stranger.crt"))
        port = place.tls(authority=place.stranger)
        assert place.look(port=port).result == "unknown_ca"
        variables = (f"SSL_CERT_FILE={place.ca_path}", f"SSL_CERT_DIR={own}")
        monkeypatch.setenv("PATH", probe_servers.docker(own, t.cast(int, place.pid), *variables)["PATH"])
        ((place.vantage,), _skipped) = containers(Tools(), place.directory)
        assert place.look(port=port).reachable
        assert place.look(port=place.tls()).reachable

    def test_nothing_else_of_this_process_moves(self, place: Place) -> None:
        before = os.stat("/proc/thread-self/ns/net").st_ino
        place.look(port=place.tls())
        assert os.stat("/proc/thread-self/ns/net").st_ino == before

    def test_a_container_that_has_ended(self, place: Place) -> None:
        with pytest.raises(SelfhostError, match="Nothing can be tried from there"):
            examine([], replace(place.vantage, network="/proc/0/ns/net"), Options())


@pytest.mark.skipif(not ROOT, reason="gives up root")
def test_without_root_containers_are_left_out(tmp_path: Path) -> None:
    os.seteuid(65534)
    try:
        assert containers(Tools(), tmp_path) == (
            [],
            {"containers": "Only root can enter their networks. Run the task as root (become: true)."},
        )
    finally:
        os.seteuid(0)


# The module
def settings(servers: Servers, identity: int) -> dict[str, t.Any]:
    """Options that lead the module to servers on this network, by address."""
    return {
        "settings": {
            "globalSettings__installation__apiUri": f"https://{HOME}:{servers.tls()}",
            "globalSettings__installation__identityUri": f"https://{HOME}:{identity}",
            "globalSettings__pushRelayBaseUri": "",
        },
        "bwdata": str(servers.directory),
        "ca_path": str(servers.ca_path),
        "allow_private": [HOME],
    }


@pytest.fixture
def here(tmp_path: Path) -> t.Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.close()


@pytest.mark.parametrize("check", [False, True])
def test_module_on_the_host(here: Servers, check: bool) -> None:
    result = run_module("egress_probe", {**settings(here, here.tls()), "scope": ["host"]}, check=check)
    assert not result["failed"], result
    assert (result["changed"], result["reachable"], result["findings"], result["not_probed"]) == (False, True, [], [])
    assert [(one["vantage"], one["stage"], one["result"]) for one in result["results"]] == [("host", "http", "ok")] * 2
    assert result["vantages"] == [{"name": "host", "scope": "host", "covers": ["host"]}]


def test_module_says_what_is_wrong_and_fails_on_request(here: Servers) -> None:
    port = here.closed()
    params = {**settings(here, port), "scope": ["host"]}
    result = run_module("egress_probe", params)
    assert (result["failed"], result["reachable"]) == (False, False)
    (finding,) = result["findings"]
    assert finding["message"] == f"From the host, {HOME}:{port}/tcp: the connection is refused ({HOME})."
    failed = run_module("egress_probe", {**params, "fail_on_blocked": True})
    assert failed["failed"]
    assert failed["msg"] == f"{finding['message']} {finding['remedy']}"


def test_module_without_docker_looks_from_the_host_and_says_so(here: Servers, tmp_path: Path) -> None:
    result = run_module("egress_probe", settings(here, here.tls()), environ={"PATH": str(tmp_path)})
    assert result["reachable"]
    assert [one["name"] for one in result["vantages"]] == ["host"]
    assert [one["vantage"] for one in result["not_probed"]] == ["containers"]


@pytest.mark.network_namespace
@pytest.mark.skipif(not ROOT, reason="only root can enter")
def test_module_compares_host_and_containers(here: Servers, tmp_path: Path) -> None:
    with probe_servers.container(tmp_path) as pid:
        result = run_module("egress_probe", settings(here, here.tls()), environ=probe_servers.docker(tmp_path, pid))
    assert not result["reachable"]
    assert [(one["vantage"], one["result"]) for one in result["results"]] == [("host", "ok")] * 2 + [
        ("bitwarden-api", "refused")
    ] * 2
    assert result["findings"][-1]["message"].startswith("The host reaches 127.0.0.1:")
    assert [one["vantage"] for one in result["not_probed"]] == ["bitwarden-sso"]
    assert "Not probed from bitwarden-sso: It has no process here. Start it, or run the task where Docker runs." in str(
        result["warnings"]
    )


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"ca_path": "/nonexistent.pem"}, "ca_path"),
        ({"ca_path": "/etc/hostname"}, "ca_path"),
        ({"proxy": "ftp://user:s3cret@proxy"}, "proxy"),
    ],
)
def test_bad_options_are_refused(here: Servers, bad: dict[str, str], field: str) -> None:
    result = run_module("egress_probe", {**settings(here, 1), "scope": ["host"], **bad})
    assert (result["failed"], result["error"]["field"]) == (True, field)
    assert "s3cret" not in str(result)


def test_the_stand_in_of_a_stack_has_no_processes_to_look_from(stack: t.Any, here: Servers) -> None:
    params = {**settings(here, here.tls()), "bwdata": str(stack.bwdata)}
    result = run_module("egress_probe", params, environ=stack.environment())
    assert (result["failed"], result["reachable"]) == (False, True)
    assert len(result["not_probed"]) == 1
    assert result["warnings"]


def test_sockets_are_closed(here: Servers) -> None:
    """What is open before is open after, and nothing else; the server of the test ends its side in its own time."""
    destination = Destination(HOME, here.tls(), url="https://x/")
    before = len(os.listdir("/proc/self/fd"))
    examine([destination, replace(destination, port=here.closed())], Vantage("host", HOST), Options(5))
    until(lambda: len(os.listdir("/proc/self/fd")) <= before, "the end of all connections")
    assert socket.getdefaulttimeout() is None


# Docker itself
CLOSED = """table inet filter {{
    chain forward {{
        type filter hook forward priority filter; policy drop
        ct state established accept
        {exception}
    }}
}}
"""


@pytest.mark.network_namespace
@pytest.mark.skipif(bool(unavailable()), reason=unavailable())
def test_from_real_containers(tmp_path: Path) -> None:
    """A firewall that stops containers only: first their DNS, then their connections."""
    with World(tmp_path) as world:
        host = world.boot("debian12")
        host.stack.up("api", "admin", "nginx")

        def fates() -> dict[str, tuple[str, str]]:
            found = host.module("egress_probe", {"region": "us", "timeout": 1})
            assert [one["covers"] for one in found["vantages"]] == [["host"], ["bitwarden-api", "bitwarden-admin"]]
            assert len(found["results"]) == 6
            return {one["vantage"]: (one["stage"], one["result"]) for one in found["results"]}

        before = host.dump()
        assert fates() == {"host": ("http", "ok"), "bitwarden-api": ("http", "ok")}
        assert host.dump() == before
        host.run(["nft", "-f", "-"], input=CLOSED.format(exception=""))
        assert fates() == {"host": ("http", "ok"), "bitwarden-api": ("dns", "timeout")}
        host.run(["nft", "-f", "-"], input=CLOSED.format(exception="udp dport 53 accept"))
        assert fates() == {"host": ("http", "ok"), "bitwarden-api": ("tcp", "timeout")}
