# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The resolver against real DNS servers on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host.resolver import Answer, resolve, system_servers
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

from tests.hosts.dns import DnsServer

RECORDS: dict[str, t.Any] = {
    "both.test": ["203.0.113.10", "2001:db8::10"],
    "four.test": ["203.0.113.10"],
    "six.test": ["2001:db8::10"],
    "none.test": [],
    "broken.test": "servfail",
    "private.test": "refused",
    "silent.test": "timeout",
}


@contextlib.contextmanager
def dns_server(records: t.Any) -> t.Iterator[str]:
    """Serve records over UDP and TCP on one port; yields its address as the resolver takes it."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        datagram = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        datagram.bind(stream.getsockname())
        stack.callback(DnsServer(records, [datagram, stream]).close)
        yield f"127.0.0.1#{stream.getsockname()[1]}"


@pytest.fixture(scope="module")
def server() -> t.Iterator[str]:
    with dns_server(RECORDS) as address:
        yield address


def closed_port() -> str:
    """A loopback address where nothing listens."""
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1#{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("name", "addresses", "failure"),
    [
        ("both.test", {"203.0.113.10", "2001:db8::10"}, ""),
        ("BOTH.test.", {"203.0.113.10", "2001:db8::10"}, ""),
        ("four.test", {"203.0.113.10"}, ""),
        ("six.test", {"2001:db8::10"}, ""),
        ("none.test", set(), "nodata"),
        ("missing.test", set(), "nxdomain"),
        ("broken.test", set(), "servfail"),
        ("private.test", set(), "refused"),
    ],
)
def test_answers(server: str, name: str, addresses: set[str], failure: str) -> None:
    assert resolve([name], [server], 5) == {name: Answer(frozenset(addresses), failure, server)}


def test_silence_takes_as_long_as_allowed_and_holds_up_no_other_name(server: str) -> None:
    found = resolve(["silent.test", "both.test"], [server], 0.3)
    assert found["silent.test"] == Answer(failure="timeout")
    assert found["silent.test"].elapsed >= 0.3
    assert not found["both.test"].failure
    assert found["both.test"].elapsed < 0.3


def test_nobody_there() -> None:
    assert resolve(["both.test"], [closed_port()], 5)["both.test"] == Answer(failure="unreachable")
    assert resolve(["both.test"], [])["both.test"] == Answer(failure="unreachable")


def test_the_next_server_is_asked_after_a_failure_and_not_after_an_answer(server: str) -> None:
    with dns_server({"silent.test": ["203.0.113.1"], "broken.test": ["203.0.113.2"], "missing.test": ["203.0.113.3"]}) as second:
        found = resolve(["silent.test", "broken.test", "missing.test"], [server, second], 0.3)
    assert {name: (set(answer.addresses), answer.failure) for name, answer in found.items()} == {
        "silent.test": ({"203.0.113.1"}, ""),
        "broken.test": ({"203.0.113.2"}, ""),
        "missing.test": (set(), "nxdomain"),
    }


def test_what_a_server_said_counts_more_than_the_silence_of_another(server: str) -> None:
    assert resolve(["broken.test"], [server, closed_port()], 5)["broken.test"].failure == "servfail"


def test_no_question_is_needed_for_addresses_and_names_of_the_hosts_file(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("203.0.113.9 vault.test\n")
    found = resolve(["2001:DB8::1", "Vault.test"], [], hosts=str(hosts))
    assert found == {"2001:DB8::1": Answer(frozenset({"2001:db8::1"})), "Vault.test": Answer(frozenset({"203.0.113.9"}))}
    assert resolve(["vault.test"], [], hosts=None)["vault.test"].failure == "unreachable"


def test_no_name(server: str) -> None:
    assert resolve(["a..b"], [server])["a..b"].failure == "nxdomain"


def test_hundreds_of_names(server: str) -> None:
    records = {f"name{number}.test": [f"203.0.113.{number % 250}"] for number in range(300)}
    with dns_server(records) as many:
        found = resolve(records, [many], 5)
    assert {name: list(answer.addresses) for name, answer in found.items()} == records


def test_a_long_answer_comes_over_tcp() -> None:
    """The server's own messages are too long for UDP, so it says so, as servers do: with the question, and nothing else."""
    records = {"long.test": [f"203.0.113.{number}" for number in range(100)]}
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        datagram = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        datagram.bind(stream.getsockname())
        server = DnsServer(records, [stream])
        stack.callback(server.close)

        def truncated() -> None:
            for _unused in range(2):
                query, client = datagram.recvfrom(512)
                datagram.sendto(query[:2] + b"\x83\x80" + query[4:], client)

        threading.Thread(target=truncated, daemon=True).start()
        found = resolve(["long.test"], [f"127.0.0.1#{stream.getsockname()[1]}"], 5)
    assert found["long.test"].addresses == set(records["long.test"])


def test_forged_answers_are_ignored() -> None:
    """Wrong identifiers, other questions and rubbish come before the true answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as datagram:
        datagram.bind(("127.0.0.1", 0))

        def answer() -> None:
            for _unused in range(2):
                query, client = datagram.recvfrom(512)
                kind = query[-3]
                record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04" if kind == 1 else b""
                good = query[:2] + b"\x81\x80\x00\x01\x00" + bytes([bool(record)]) + bytes(4) + query[12:]
                forged = bytes([query[0] ^ 1]) + good[1:] + (record and record + b"\x06\x06\x06\x06")
                other = good[:13] + b"x" + good[14:] + (record and record + b"\x06\x06\x06\x06")
                for data in (b"", b"rubbish", forged, other, good + (record and record + b"\xcb\x00\x71\x0a")):
                    datagram.sendto(data, client)

        threading.Thread(target=answer, daemon=True).start()
        found = resolve(["vault.test"], [f"127.0.0.1#{datagram.getsockname()[1]}"], 5)
    assert found["vault.test"].addresses == {"203.0.113.10"}


@pytest.mark.parametrize("server", ["dns.example.com", "", "192.0.2.1#x", "192.0.2.1#70000"])
def test_bad_server(server: str) -> None:
    with pytest.raises(SelfhostError, match="not the address of a name server"):
        resolve(["a.test"], [server])


def test_upstreams_stand_for_the_stub(tmp_path: Path) -> None:
    stub, upstreams = tmp_path / "resolv.conf", tmp_path / "upstreams"
    stub.write_text("nameserver 127.0.0.53\n")
    assert system_servers(str(stub), str(upstreams)) == ["127.0.0.53"]
    upstreams.write_text("nameserver 192.0.2.53\nnameserver 2001:db8::53\n")
    assert system_servers(str(stub), str(upstreams)) == ["192.0.2.53", "2001:db8::53"]
    stub.write_text("nameserver 192.0.2.1\n")
    assert system_servers(str(stub), str(upstreams)) == ["192.0.2.1"]
