# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DNS messages: bytes written down by hand from RFC 1035, and whatever else somebody may send."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import dns
from hypothesis import given, strategies as st

NAME = b"\x03api\x09bitwarden\x03com\x00"
HEAD = struct.pack("!6H", 0x1234, 0x8180, 1, 1, 0, 0)
QUESTION = NAME + b"\x00\x01\x00\x01"
ADDRESS = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\xcb\x00\x71\x0a"


def head(flags: int = 0x8180, answers: int = 1) -> bytes:
    return struct.pack("!6H", 0x1234, flags, 1, answers, 0, 0)


def alias(owner: bytes, target: bytes) -> bytes:
    return owner + struct.pack("!2HIH", 5, 1, 5, len(target)) + target


def test_question() -> None:
    assert (
        dns.question(0x1234, "API.bitwarden.com.", dns.AAAA)
        == b"\x12\x34\x01\x00\x00\x01" + bytes(6) + NAME + b"\x00\x1c\x00\x01"
    )


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64, ".".join(["x" * 60] * 5), "b\u00fccher" * 20])
def test_no_name(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        dns.question(1, name, dns.A)


def test_answer() -> None:
    message = dns.parse(HEAD + QUESTION + ADDRESS)
    assert message
    assert (message.identifier, message.name, message.kind, message.failure) == (0x1234, NAME, dns.A, "")
    assert message.addresses() == {"203.0.113.10"}


def test_aliases_are_followed_and_strangers_are_not_believed() -> None:
    www = b"\x03cdn\xc0\x10"  # cdn.bitwarden.com
    stranger = b"\x04evil\x00" + ADDRESS[2:-4] + b"\x06\x06\x06\x06"
    cdn = b"\x03CDN\x09bitwarden\x03com\x00" + ADDRESS[2:]
    message = dns.parse(head(answers=3) + QUESTION + alias(b"\xc0\x0c", www) + stranger + cdn)
    assert message
    assert message.addresses() == {"203.0.113.10"}


def test_aliases_in_a_circle_end() -> None:
    message = dns.parse(head(answers=1) + QUESTION + alias(b"\xc0\x0c", b"\xc0\x0c"))
    assert message
    assert (message.addresses(), message.failure) == (frozenset(), "nodata")


@pytest.mark.parametrize(("code", "failure"), [(0, "nodata"), (1, "servfail"), (2, "servfail"), (3, "nxdomain"), (5, "refused")])
def test_codes(code: int, failure: str) -> None:
    message = dns.parse(head(0x8180 | code, 0) + QUESTION)
    assert message
    assert message.failure == failure


def test_an_error_with_addresses_is_an_error() -> None:
    message = dns.parse(head(0x8183) + QUESTION + ADDRESS)
    assert message
    assert (message.addresses(), message.failure) == (frozenset(), "nxdomain")


def test_what_was_cut_off_is_not_read() -> None:
    message = dns.parse(head(0x8380, 9) + QUESTION + ADDRESS[:7])
    assert message
    assert message.truncated
    assert not message.records


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD[:11],
        head(0x0100) + QUESTION,  # a question
        HEAD + b"\xc0\x0c" + b"\x00\x01\x00\x01",  # a name that points at itself
        HEAD + b"\xc0\x0e\xc0\x0c\x00\x01\x00\x01",  # two that point at each other
        HEAD + b"\x50" + b"x" * 80 + b"\x00\x00\x01\x00\x01",  # a label of 80 bytes
        HEAD + (b"\x3f" + b"x" * 63) * 5 + b"\x00\x00\x01\x00\x01",  # a name of 321 bytes
        HEAD + QUESTION + ADDRESS[:-1],  # a record that ends too early
        HEAD + NAME + b"\x00\x01\x00\x03",  # another class
    ],
)
def test_nonsense(data: bytes) -> None:
    assert dns.parse(data) is None


@given(st.binary(max_size=600))
def test_any_bytes(data: bytes) -> None:
    dns.parse(data)


@given(st.binary(max_size=300), st.integers(0, 60), st.integers(0, 255))
def test_any_bytes_after_a_good_beginning(rest: bytes, at: int, byte: int) -> None:
    data = bytearray(head(answers=5) + QUESTION + ADDRESS + rest)
    data[at % len(data)] = byte
    message = dns.parse(bytes(data))
    if message:
        assert all(dns.canonical(address) == address for address in message.addresses())


def test_resolv_conf() -> None:
    text = "# nameserver 9.9.9.9\nsearch a.test\nnameserver 192.0.2.53 #\nnameserver fe80::1%eth0\nnameserver\noptions ndots:0\n"
    assert dns.servers_in(text) == ["192.0.2.53", "fe80::1%eth0"]
    assert dns.servers_in("") == ["127.0.0.1"]


def test_hosts_file() -> None:
    text = "127.0.0.1 localhost\n::1\tlocalhost  # both\n# 1.1.1.1 off\n2001:DB8:0::1 Vault vault.example.com\nnonsense here\n\n"
    assert dns.hosts_in(text) == {
        "localhost": {"127.0.0.1", "::1"},
        "vault": {"2001:db8::1"},
        "vault.example.com": {"2001:db8::1"},
    }
