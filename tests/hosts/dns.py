"""A DNS server that answers A and AAAA from a mapping, and fails on request."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
import typing as t

# How a name can fail, in place of its addresses; "timeout" is no answer at all.
FAILURES = {"formerr": 1, "servfail": 2, "nxdomain": 3, "refused": 5}
_TYPES = {1: 4, 28: 6}  # A, AAAA -> family
TTL = 5

Records = t.MutableMapping[str, t.Sequence[str] | str]


class DnsServer:
    """Serves sockets until C(close).

    Attributes:
        records: name in lower case -> addresses, or one of C(FAILURES), or C(timeout). A name that is not here does not exist.
        answering: while false, nothing answers: neither UDP nor TCP.
    """

    def __init__(self, records: Records, sockets: t.Sequence[socket.socket]) -> None:
        self.records = records
        self.answering = True
        self._sockets = sockets
        for one in sockets:
            target = self._serve_udp if one.type == socket.SOCK_DGRAM else self._serve_tcp
            threading.Thread(target=target, args=(one,), daemon=True).start()

    def close(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):  # a socket without a peer wakes its reader all the same
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve_udp(self, listening: socket.socket) -> None:
        while True:
            try:
                query, client = listening.recvfrom(4096)
                if reply := self._reply(query):
                    listening.sendto(reply if len(reply) <= 512 else reply[:2] + b"\x87\x00" + reply[4:6] + bytes(6), client)
            except OSError:
                if listening.fileno() < 0:
                    return

    def _serve_tcp(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _unused = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_connection, args=(connection,), daemon=True).start()

    def _serve_connection(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            connection.settimeout(5)
            try:
                while head := stream.read(2):
                    if reply := self._reply(stream.read(int.from_bytes(head, "big"))):
                        stream.write(len(reply).to_bytes(2, "big") + reply)
                        stream.flush()
            except OSError:
                pass

    def _reply(self, query: bytes) -> bytes | None:
        """Return the answer to one question; C(None) when there is to be none, or the question makes no sense."""
        try:
            name, kind, question = _question(query)
        except (IndexError, struct.error, UnicodeError):
            return None
        found = self.records.get(name, "nxdomain")
        if not self.answering or found == "timeout":
            return None
        code = FAILURES[found] if isinstance(found, str) else 0
        wanted = () if isinstance(found, str) else [ipaddress.ip_address(one) for one in found]
        data = [one.packed for one in wanted if one.version == _TYPES.get(kind)]
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, TTL, len(one)) + one for one in data)
        return query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(data), 0, 0) + question + answers


def _question(query: bytes) -> tuple[str, int, bytes]:
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii"))
        at += 1 + query[at]
    kind, _class = struct.unpack_from("!HH", query, at + 1)
    return ".".join(labels).lower(), kind, query[12 : at + 5]
