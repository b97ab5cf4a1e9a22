# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What connection attempts found: answers judged, results, and what they add up to."""

from __future__ import annotations

import errno
import ipaddress
import ssl
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe_cases import CASES, OK, PARTIAL, Case

HOST, CONTAINERS = "host", "containers"


@dataclass(frozen=True)
class Result:
    """One destination, tried from one vantage point.

    Attributes:
        vantage: C(host) or the container's name.
        scope: whose traffic it is: C(host) or C(containers).
        stage: where it ended: C(dns), C(tcp), C(proxy), C(tls) or C(http).
        result: C(ok), or one of the results that C(CASES) has for the stage.
        address: the address that was used last.
        elapsed_ms: milliseconds by stage.
        addresses: how connecting to each address ended; of the proxy's where there is one.
        detail: what exactly was seen, without secrets.
    """

    vantage: str
    scope: str
    destination: Destination
    stage: str
    result: str
    address: str = ""
    elapsed_ms: t.Mapping[str, float] = field(default_factory=dict)
    addresses: t.Mapping[str, str] = field(default_factory=dict)
    detail: str = ""

    @property
    def reachable(self) -> bool:
        """Whether the service can be used from there."""
        return self.result == OK

    @property
    def case(self) -> Case | None:
        """What is wrong, C(None) when nothing is."""
        return CASES[("tcp", PARTIAL)] if self.reachable and self.silent else CASES.get((self.stage, self.result))

    @property
    def silent(self) -> list[str]:
        """Addresses that cannot be connected to; a host without IPv6 is no news."""
        return [address for address, outcome in self.addresses.items() if outcome not in (OK, "no_route")]

    @property
    def seen(self) -> str:
        """What exactly is wrong, without secrets."""
        return ", ".join(self.silent) if self.reachable else self.detail

    @property
    def remedy(self) -> str:
        """What to do, empty when nothing is wrong."""
        if not self.case:
            return ""
        return (self.scope == CONTAINERS and self.case.inside) or self.case.remedy

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as data, the element of C(results)."""
        return {
            "vantage": self.vantage,
            "host": self.destination.host,
            "port": self.destination.port,
            "protocol": self.destination.protocol,
            "stage": self.stage,
            "result": self.result,
            "address": self.address,
            "addresses": dict(self.addresses),
            "elapsed_ms": dict(self.elapsed_ms),
            "message": _sentence([self]),
            "remedy": self.remedy,
        }


def findings(results: t.Sequence[Result]) -> list[dict[str, str]]:
    """Return what is wrong as sentences with remedies, each said once for all the places and names it is true of."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if result.case:
            groups.setdefault((result.case.what, result.remedy), []).append(result)
    said = [{"message": _sentence(group), "remedy": remedy} for (_what, remedy), group in groups.items()]
    return said + _comparison(results)


def _sentence(group: t.Sequence[Result]) -> str:
    """Say what is true of several results of the same case."""
    case, seen = group[0].case, _join(one.seen for one in group if one.seen)
    what = f"{case.what}{f' ({seen})' if seen else ''}" if case else "reachable"
    return f"From {_join(map(_place, group))}, {_join(one.destination.name for one in group)}: {what}."


_REJECTED = (errno.EHOSTUNREACH, errno.EACCES, errno.EPERM)  # firewalld and netfilter reject in several ways
_NO_ROUTE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_OUTCOMES = {0: OK, errno.ETIMEDOUT: "timeout", **dict.fromkeys(_REJECTED, "rejected"), **dict.fromkeys(_NO_ROUTE, "no_route")}


def outcome(code: int) -> str:
    """Name how connecting has ended, from the system's error number."""
    return _OUTCOMES.get(code, "refused")


def worst(addresses: t.Mapping[str, str]) -> tuple[str, str]:
    """Return the address and the outcome to tell when none of them could be connected to: a lack of IPv6 is the least news."""
    order = ("timeout", "rejected", "refused", "no_route")
    return min(addresses.items(), key=lambda item: order.index(item[1]))


def cannot_be(address: str) -> bool:
    """Say whether an address is one that DNS filters give in place of the right one."""
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_unspecified


# X509_V_ERR_*: openssl/x509_vfy.h
_CERTIFICATE = {9: "not_yet_valid", 10: "expired", 62: "name_mismatch", 64: "name_mismatch"}


def tls_failure(error: OSError) -> tuple[str, str]:
    """Name what went wrong in a TLS handshake: the result and the detail."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(error.verify_code, "unknown_ca"), error.verify_message.rstrip(".")
    if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        reason = (error.reason or "unknown answer").lower().replace("_", " ")
        return "refused" if "alert" in reason else "protocol", reason
    return "reset", "during the TLS handshake"


class Head(t.NamedTuple):
    """The head of an HTTP answer; header names in lower case."""

    status: int
    headers: t.Mapping[str, str]


def http_head(data: bytes) -> Head | None:
    """Read the head of an HTTP answer, C(None) when it is none."""
    first, *lines = data.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
    version, _unused, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not (rest[:3].isascii() and rest[:3].isdigit()):
        return None
    pairs = (line.partition(":")[::2] for line in lines)
    return Head(int(rest[:3]), {name.strip().lower(): value.strip() for name, value in pairs})


def connect_result(data: bytes) -> tuple[str, str]:
    """Judge a proxy's answer to CONNECT: the result and the detail."""
    head = http_head(data)
    if head is None:
        return "protocol", "no HTTP answer to CONNECT"
    results = {2: OK, 4: "unauthorized" if head.status == 407 else "forbidden"}
    return results.get(head.status // 100, "failed"), f"HTTP {head.status}"


def http_result(data: bytes, host: str, plain: bool = True) -> tuple[str, str]:
    """Judge the answer of a service: the result and the detail. C(plain) says that it would never answer with a page."""
    head = http_head(data)
    if head is None:
        return "protocol", "no HTTP answer"
    html = plain and "html" in head.headers.get("content-type", "").lower()
    elsewhere = _host_of(head.headers.get("location", ""))
    detail = f"HTTP {head.status}"
    if head.status // 100 == 3 and elsewhere not in ("", host):
        return "captive_portal", f"{detail} to {elsewhere}"
    if head.status == 511 or (head.status // 100 == 2 and html):
        return "captive_portal", f"{detail} with {'a page' if html else 'a demand to log in'}"
    if head.status == 403 and html:
        return "block_page", detail
    if head.status == 407:
        return "unauthorized", detail
    return ("server_error" if head.status >= 500 else OK), detail


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return "another place"


# Who fares better -> what to say and do then.
_BETTER = {
    HOST: (
        "The host reaches {}, its containers do not.",
        "Look at what only containers have: the FORWARD path (OUTPUT is not theirs), their name servers, proxy and CAs.",
    ),
    CONTAINERS: (
        "Containers reach {}, the host itself does not.",
        "The server can talk to the cloud, bitwarden.sh cannot: look at OUTPUT, the host's name servers and its proxy.",
    ),
}


def _comparison(results: t.Sequence[Result]) -> list[dict[str, str]]:
    """Say it when the host and its containers fare differently: that tells which rules to look at."""
    fates = {(one.scope, one.destination, one.reachable) for one in results}
    said = []
    for better, (message, remedy) in _BETTER.items():
        worse = CONTAINERS if better == HOST else HOST
        names = [one.name for scope, one, good in sorted(fates) if scope == better and good and (worse, one, False) in fates]
        said += [{"message": message.format(_join(names)), "remedy": remedy}] if names else []
    return said


def _place(result: Result) -> str:
    return "the host" if result.scope == HOST else f"container {result.vantage}"


def _join(texts: t.Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))
