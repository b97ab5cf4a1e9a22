"""Runs inside a host or a container's network: one new connection, told in one word.

Usage: python3 reach.py NAME FAMILY PORT RESOLVER TIMEOUT

Prints "ok" after an answer over HTTPS, or what went wrong: "dns timeout", "timeout", "refused", "tls ...", "http 502".
Standard library only, and nothing shared with the product, so that it can contradict it.
"""

import errno
import http.client
import os
import socket
import ssl
import struct
import sys

WORDS = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "no route",
    errno.EACCES: "prohibited",
    errno.EPERM: "prohibited",
}
CODES = {1: "formerr", 2: "servfail", 3: "nxdomain", 5: "refused"}


class Failure(Exception):
    pass


def resolve(name: str, family: int, resolver: str, timeout: float) -> str:
    """Return the first address, asked of this resolver from here (C library calls would read the wrong namespace's settings)."""
    kind, length = {4: (1, 4), 6: (28, 16)}[family]
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = os.urandom(2) + b"\x01\x00\x00\x01" + bytes(6) + labels + struct.pack("!xHH", kind, 1)
    with socket.socket(socket.AF_INET6 if ":" in resolver else socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(timeout)
        try:
            asked.connect((resolver, 53))
            asked.send(query)
            reply = asked.recv(4096)
        except OSError as error:
            raise Failure("dns " + word(error)) from None
    if reply[3] & 15:
        raise Failure("dns " + CODES.get(reply[3] & 15, "failure"))
    at = len(query)
    for _unused in range(struct.unpack_from("!H", reply, 6)[0]):
        while reply[at] and reply[at] < 0xC0:
            at += 1 + reply[at]
        at += 2 if reply[at] else 1
        found, _class, _ttl, size = struct.unpack_from("!HHIH", reply, at)
        at += 10 + size
        if found == kind and size == length:
            return socket.inet_ntop(socket.AF_INET6 if family == 6 else socket.AF_INET, reply[at - size : at])
    raise Failure("dns nodata")


def word(error: OSError) -> str:
    return "timeout" if isinstance(error, TimeoutError) else WORDS.get(error.errno or 0, str(error))


def reach(name: str, family: int, port: int, resolver: str, timeout: float) -> None:
    literal = ":" in name or name.replace(".", "").isdigit()
    address = name if literal else resolve(name, family, resolver, timeout)
    trust = ssl._create_unverified_context() if literal else ssl.create_default_context()
    try:
        connection = socket.create_connection((address, port), timeout)
    except OSError as error:
        raise Failure(word(error)) from None
    try:
        with trust.wrap_socket(connection, server_hostname=name) as secured:
            path = "/" if name.startswith("push.") else "/alive"
            secured.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            answer = http.client.HTTPResponse(secured)
            answer.begin()
            if answer.status != (404 if path == "/" else 200):
                raise Failure(f"http {answer.status}")
    except TimeoutError:
        raise Failure("tls timeout") from None
    except OSError as error:
        raise Failure(f"tls {error}") from None


if __name__ == "__main__":
    try:
        reach(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
        print("ok")
    except Failure as failure:
        print(failure)
