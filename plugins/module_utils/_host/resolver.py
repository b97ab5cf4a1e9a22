# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask DNS servers for the addresses of many names at once, as the names' users would, without a resolver library."""

from __future__ import annotations

import contextlib
import secrets
import selectors
import socket
import struct
import time
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._model import dns
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_STUBS = {"127.0.0.53", "127.0.0.54"}  # systemd-resolved on the host; no container reaches it
_UPSTREAMS = "/run/systemd/resolve/resolv.conf"
_FINAL = ("", "nxdomain", "nodata")  # after these no other server is asked
_TRIES = 2
_BATCH = 100  # questions under way; small servers refuse more than about 150 at once

Question = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """What DNS says about one name.

    Attributes:
        addresses: canonical texts, IPv4 and IPv6.
        failure: why there is none: one of C(dns.FAILURES).
        server: who said so; empty for addresses, names of the hosts file, and silence.
        elapsed: seconds until it was known; no part of what is compared.
    """

    addresses: frozenset[str] = frozenset()
    failure: str = ""
    server: str = ""
    elapsed: float = field(default=0, compare=False)


_SILENT = Answer(failure="timeout")
_UNREACHABLE = Answer(failure="unreachable")
_TRUNCATED = Answer(failure="truncated")


def resolve(
    names: t.Iterable[str], servers: t.Sequence[str], timeout: float = 3, hosts: str | None = "/etc/hosts"
) -> dict[str, Answer]:
    """Look up A and AAAA records of all names in parallel; each name is taken as it is, without search domains.

    Args:
        servers: C(address) or C(address#port), tried in this order.
        timeout: seconds for each server.
        hosts: the hosts file, which wins over DNS as in glibc; C(None) for none.

    Raises:
        SelfhostError: a server is not an address.
    """
    targets = [(server, _endpoint(server)) for server in servers]
    answers = _local(names, hosts)
    found: dict[Question, Answer] = {}
    began = time.monotonic()
    waiting = [(name, kind) for name, answer in answers.items() if answer is None for kind in (dns.A, dns.AAAA)]
    for server, endpoint in targets:
        for asked, said in _ask(waiting, endpoint, timeout, began).items():
            answer = said if said in (_SILENT, _UNREACHABLE) else replace(said, server=server)
            found[asked] = answer if answer.failure in _FINAL else _first(found.get(asked, answer), answer)
        waiting = [asked for asked in waiting if found[asked].failure not in _FINAL]
    return {
        name: answer or _both(*(found.get((name, kind), _UNREACHABLE) for kind in (dns.A, dns.AAAA)))
        for name, answer in answers.items()
    }


def configured_servers(resolv_conf: str = "/etc/resolv.conf") -> list[str]:
    """Return the name servers that this machine's programs ask."""
    return dns.servers_in(_text(resolv_conf))


def system_servers(resolv_conf: str = "/etc/resolv.conf", upstreams: str = _UPSTREAMS) -> list[str]:
    """Return this machine's name servers; systemd-resolved's upstreams in place of its stub, as Docker tells containers."""
    servers = configured_servers(resolv_conf)
    behind = _text(upstreams) if set(servers) <= _STUBS else ""
    return dns.servers_in(behind) if behind else servers


def _local(names: t.Iterable[str], hosts: str | None) -> dict[str, Answer | None]:
    """Answer what needs no DNS; C(None) for the rest."""
    known = dns.hosts_in(_text(hosts)) if hosts else {}
    answers: dict[str, Answer | None] = {}
    for name in names:
        literal, listed = dns.canonical(name), known.get(name.rstrip(".").lower())
        answers[name] = Answer(frozenset({literal})) if literal else Answer(listed) if listed else None
        try:
            dns.wire_name(name)
        except ValueError:
            answers[name] = answers[name] or Answer(failure="nxdomain")
    return answers


def _ask(questions: t.Sequence[Question], endpoint: _Endpoint, timeout: float, began: float) -> dict[Question, Answer]:
    """Ask one server, a second time where it is silent. One that answers nothing at all is not asked the rest."""
    answers: dict[Question, Answer] = {}
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        replies: dict[Question, Answer] = {}
        for _unused in range(_TRIES):
            silent = [asked for asked in batch if replies.get(asked, _SILENT) == _SILENT]
            replies.update(_round(silent, endpoint, timeout / _TRIES, began) if silent else {})
        answers.update(replies)
        if all(reply in (_SILENT, _UNREACHABLE) for reply in replies.values()):
            return {**dict.fromkeys(questions, next(iter(replies.values()), _SILENT)), **answers}
    return answers


def _round(questions: t.Sequence[Question], endpoint: _Endpoint, timeout: float, began: float) -> dict[Question, Answer]:
    """Send every question once, each from a port of its own, and collect the answers until the time is over."""
    answers: dict[Question, Answer] = {}
    deadline = time.monotonic() + timeout
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for asked in questions:
            pending = _Pending(asked, stack.enter_context(socket.socket(endpoint.family, socket.SOCK_DGRAM)))
            if pending.send(endpoint):
                selector.register(pending.socket, selectors.EVENT_READ, pending)
            else:
                answers[asked] = _UNREACHABLE
        while selector.get_map() and deadline > time.monotonic():
            for key, _unused in selector.select(max(0.0, deadline - time.monotonic())):
                reply = key.data.receive()
                if reply is not None:
                    selector.unregister(key.fileobj)
                    answers[key.data.asked] = replace(reply, elapsed=time.monotonic() - began)
    deadline = time.monotonic() + timeout
    for asked in [asked for asked, answer in answers.items() if answer == _TRUNCATED]:
        answers[asked] = replace(_over_tcp(asked, endpoint, deadline), elapsed=time.monotonic() - began)
    return {**dict.fromkeys(questions, replace(_SILENT, elapsed=time.monotonic() - began)), **answers}


class _Endpoint(t.NamedTuple):
    family: socket.AddressFamily
    address: t.Any


class _Pending:
    """One question on its way."""

    def __init__(self, asked: Question, sender: socket.socket) -> None:
        self.asked = asked
        self.socket = sender
        self._identifier = secrets.randbelow(1 << 16)

    def send(self, endpoint: _Endpoint) -> bool:
        """Send it, unless the system refuses."""
        try:
            self.socket.setblocking(False)
            self.socket.connect(endpoint.address)  # from now on the kernel drops what others send
            self.socket.send(dns.question(self._identifier, *self.asked))
        except OSError:
            return False
        return True

    def receive(self) -> Answer | None:
        """Return what has come, C(None) when it is not the answer to this question."""
        try:
            return _read(self.socket.recv(65535), self._identifier, self.asked)
        except BlockingIOError:
            return None
        except OSError:
            return _UNREACHABLE


def _over_tcp(asked: Question, endpoint: _Endpoint, deadline: float) -> Answer:
    identifier = secrets.randbelow(1 << 16)
    data = dns.question(identifier, *asked)
    try:
        with socket.socket(endpoint.family, socket.SOCK_STREAM) as connection:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            connection.connect(endpoint.address)
            connection.sendall(struct.pack("!H", len(data)) + data)
            with connection.makefile("rb") as stream:
                length = int.from_bytes(stream.read(2), "big")
                return _read(stream.read(length), identifier, asked) or Answer(failure="servfail")
    except socket.timeout:
        return _SILENT
    except OSError:
        return _UNREACHABLE


def _read(data: bytes, identifier: int, asked: Question) -> Answer | None:
    message = dns.parse(data)
    if message is None or (message.identifier, message.name, message.kind) != (identifier, dns.wire_name(asked[0]), asked[1]):
        return None
    return _TRUNCATED if message.truncated else Answer(message.addresses(), message.failure)


def _both(ipv4: Answer, ipv6: Answer) -> Answer:
    """Join what was found out about one name; one address of either family is success."""
    addresses = ipv4.addresses | ipv6.addresses
    found = (ipv4 if ipv4.addresses else ipv6) if addresses else _first(ipv4, ipv6)
    return replace(found, addresses=addresses, elapsed=max(ipv4.elapsed, ipv6.elapsed))


def _first(one: Answer, other: Answer) -> Answer:
    """Return the failure that a person should hear about."""
    return min(one, other, key=lambda answer: dns.FAILURES.index(answer.failure))


def _endpoint(server: str) -> _Endpoint:
    address, _unused, port = server.partition("#")
    try:
        struct.pack("!H", int(port or 53))  # getaddrinfo would cut a larger number
        found = socket.getaddrinfo(address, int(port or 53), type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except (OSError, ValueError, struct.error):
        raise SelfhostError(
            f"{server!r} is not the address of a name server.", field="resolver", remedy="Write an IP address, or address#port."
        ) from None
    return _Endpoint(found[0][0], found[0][4])


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
