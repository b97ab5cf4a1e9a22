# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DNS messages as bytes: a question for the addresses of a name, and what an answer says. Source: RFC 1035, RFC 3596."""

from __future__ import annotations

import ipaddress
import struct
import typing as t
from dataclasses import dataclass

A, CNAME, AAAA = 1, 5, 28
# How a name failed to have an address. Where two of them compete, the first is what a person should hear about.
FAILURES = ("servfail", "refused", "timeout", "unreachable", "nxdomain", "nodata")

_INTERNET = 1
_CODES = {0: "nodata", 3: "nxdomain", 5: "refused"}
_RESPONSE, _TRUNCATED, _RECURSION = 0x8000, 0x0200, 0x0100


@dataclass(frozen=True)
class Message:
    """One response. Names are in wire format, lower case and uncompressed; C(records) are (owner, type, address or name)."""

    identifier: int
    name: bytes
    kind: int
    truncated: bool
    code: int
    records: tuple[tuple[bytes, int, str | bytes], ...]

    def addresses(self) -> frozenset[str]:
        """Return the canonical addresses of the name that was asked for, through its aliases; none with an error code."""
        if self.code:
            return frozenset()
        name, names = self.name, {self.name}
        aliases = {owner: value for owner, kind, value in self.records if kind == CNAME}
        while name in aliases and aliases[name] not in names:
            name = t.cast(bytes, aliases[name])
            names.add(name)
        return frozenset(t.cast(str, value) for owner, kind, value in self.records if kind == self.kind and owner in names)

    @property
    def failure(self) -> str:
        """One of C(FAILURES), or nothing when there is an address."""
        return _CODES.get(self.code, "servfail") if self.code or not self.addresses() else ""


def wire_name(name: str) -> bytes:
    """Return a name in wire format and lower case.

    Raises:
        ValueError: no DNS name looks like this.
    """
    text = name.rstrip(".")
    labels = [label.encode("ascii") if label.isascii() else label.encode("idna") for label in text.split(".")]
    if not all(0 < len(label) < 64 for label in labels):
        raise ValueError(f"{name!r} is not a DNS name")
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(wire) > 255:
        raise ValueError(f"{name!r} is too long for a DNS name")
    return wire.lower()


def question(identifier: int, name: str, kind: int) -> bytes:
    """Return a message that asks a recursive server for the records C(kind) of a name; ValueError as C(wire_name)."""
    return struct.pack("!6H", identifier, _RECURSION, 1, 0, 0, 0) + wire_name(name) + struct.pack("!2H", kind, _INTERNET)


def parse(data: bytes) -> Message | None:
    """Return what a response to one question says, C(None) for anything else."""
    try:
        return _message(data)
    except (struct.error, IndexError, ValueError):
        return None


def servers_in(resolv_conf: str) -> list[str]:
    """Return the name servers that a resolv.conf names; without one it is this machine, as in glibc."""
    words = [line.split() for line in resolv_conf.splitlines()]
    return [line[1] for line in words if line[:1] == ["nameserver"] and len(line) > 1] or ["127.0.0.1"]


def hosts_in(hosts: str) -> dict[str, frozenset[str]]:
    """Return the canonical addresses that a hosts file gives to each name, in lower case."""
    found: dict[str, set[str]] = {}
    for line in hosts.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        literal = canonical(address)
        for name in names if literal else ():
            found.setdefault(name.lower(), set()).add(literal)
    return {name: frozenset(addresses) for name, addresses in found.items()}


def canonical(text: str) -> str:
    """Return the canonical text of an IP address, nothing for anything else."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _message(data: bytes) -> Message | None:
    identifier, flags, questions, count, _unused, _unused = struct.unpack_from("!6H", data)
    if not flags & _RESPONSE or questions != 1:
        return None
    name, at = _name(data, 12)
    kind, class_ = struct.unpack_from("!2H", data, at)
    if class_ != _INTERNET:
        return None
    truncated = bool(flags & _TRUNCATED)
    return Message(identifier, name, kind, truncated, flags & 15, () if truncated else tuple(_records(data, at + 4, count)))


def _records(data: bytes, at: int, count: int) -> t.Iterator[tuple[bytes, int, str | bytes]]:
    for _unused in range(count):
        owner, at = _name(data, at)
        kind, class_, _ttl, length = struct.unpack_from("!2HIH", data, at)
        at += 10
        value = data[at : at + length]
        if len(value) < length:
            raise ValueError("a record ends after the message")
        if class_ == _INTERNET and kind == CNAME:
            yield owner, kind, _name(data, at)[0]
        elif class_ == _INTERNET and (kind, length) in ((A, 4), (AAAA, 16)):
            yield owner, kind, str(ipaddress.ip_address(value))
        at += length


def _name(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the uncompressed name at an offset, and the offset after it."""
    wire, end, lowest = b"", 0, at
    while data[at]:
        if data[at] >= 0xC0:
            target = struct.unpack_from("!H", data, at)[0] & 0x3FFF
            end = end or at + 2
            if target >= lowest:  # pointers only go back, so this ends
                raise ValueError("a name points forward")
            at = lowest = target
            continue
        length = data[at] + 1
        wire += data[at : at + length]
        at += length
        if length > 64 or len(wire) > 254:
            raise ValueError("a name is too long")
    return wire.lower() + b"\0", end or at + 1
