# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests that got no answer: which of the many ways to fail it was, and what to do about it."""

from __future__ import annotations

import socket
import ssl
import typing as t
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError


class Failure(SelfhostError):
    """A request that did not succeed.

    Attributes:
        endpoint: method and URL, without the query.
        maybe_done: a write may have happened all the same, so that only reading back tells.
    """

    def __init__(self, cause: str, endpoint: str, remedy: str | None, *, field: str | None, maybe_done: bool) -> None:
        super().__init__(cause, field=field or endpoint, remedy=remedy)
        self.endpoint = endpoint
        self.maybe_done = maybe_done


class Unreachable(Failure):
    """No answer came."""


# OpenSSL's verification results (x509_vfy.h). What is not listed is some way of not knowing the signer.
_CERTIFICATES = {
    9: ("is not valid yet", "Set the clocks of this machine and of the server right."),
    10: ("has expired", "Renew the server's certificate."),
    62: ("is for another host name", "Write the name that the certificate is for in the server's URL."),
    64: ("is for another IP address", "Write the name that the certificate is for in the server's URL."),
}
_UNKNOWN_SIGNER = ("is signed by an unknown authority", "Set {prefix}ca_path to a file with the certificate of that authority.")

# First match wins: what is in the chain of exceptions, what that means, and what to do.
_CAUSES: tuple[tuple[type[BaseException], str, str], ...] = (
    (ssl.SSLError, "{host} does not speak TLS as expected ({why}).", "Is the URL right, its scheme and its port included?"),
    (socket.gaierror, "The name {host} is unknown.", "Check the URL and the resolver of the machine where the task runs."),
    (ConnectionRefusedError, "{host} refuses connections.", "Is the server running, and does a firewall let this machine in?"),
)


def unreachable(error: OSError, method: str, url: str, *, timeout: float, prefix: str) -> Unreachable:
    """Translate what C(requests) raised; every exception of it is an OSError."""
    import requests
    from urllib3.exceptions import NewConnectionError, ReadTimeoutError

    host, endpoint = urlsplit(url).netloc, f"{method} {url}"
    chain = list(_chain(error))

    def failure(cause: str, remedy: str, maybe_done: bool = False) -> Unreachable:
        return Unreachable(cause, endpoint, remedy, field=None, maybe_done=maybe_done)

    certificate = _certificate(chain)
    if certificate is not None:
        what, remedy = certificate
        return failure(f"The certificate of {host} {what}.", remedy.format(prefix=prefix))
    if _first(chain, requests.exceptions.ProxyError) is not None:
        return failure(f"The proxy gives no connection to {host}{_tunnel(chain)}.", _PROXY)
    for kind, cause, remedy in _CAUSES:
        found = _first(chain, kind)
        if found is not None:
            return failure(cause.format(host=host, why=getattr(found, "reason", None) or "broken off"), remedy)
    if not isinstance(error, requests.RequestException):  # nothing was sent: such as REQUESTS_CA_BUNDLE that is not a file
        return failure(f"{error}.", "Check the environment of the task.")
    if _first(chain, NewConnectionError) is not None:
        return failure(f"There is no way from here to {host}.", "Check the network of the machine where the task runs.")
    late = _first(chain, requests.Timeout) or _first(chain, ReadTimeoutError)
    cause = f"{host} did not answer within {timeout:g} seconds." if late else f"The connection to {host} was lost."
    return failure(cause, "Run it again: what is already done will be found, not repeated.", method != "GET")


_PROXY = "Is the server running, and does the proxy of the environment (HTTPS_PROXY, NO_PROXY) allow this host?"

_E = t.TypeVar("_E", bound=BaseException)


def _first(chain: list[BaseException], kind: type[_E]) -> _E | None:
    return next((error for error in chain if isinstance(error, kind)), None)


def _certificate(chain: list[BaseException]) -> tuple[str, str] | None:
    """What is wrong with the server's certificate, and what to do; None when it is something else."""
    for error in chain:
        if isinstance(error, ssl.SSLCertVerificationError):
            return _CERTIFICATES.get(error.verify_code, _UNKNOWN_SIGNER)
        if type(error).__name__ == "CertificateError":  # urllib3 1 compares the names itself, and keeps its exception elsewhere
            return _CERTIFICATES[62]
    return None


def _tunnel(chain: list[BaseException]) -> str:
    """The proxy's own words, such as C(502 Bad Gateway)."""
    texts = (str(error) for error in reversed(chain))
    return next((f" ({text.partition(': ')[2]})" for text in texts if text.startswith("Tunnel connection failed: ")), "")


def _chain(error: BaseException, seen: frozenset[int] = frozenset()) -> t.Iterator[BaseException]:
    """Yield an exception and all it wraps; requests and urllib3 wrap in more than one way."""
    yield error
    wrapped = (*error.args, getattr(error, "reason", None), error.__cause__, error.__context__)
    for inner in wrapped:
        if isinstance(inner, BaseException) and id(inner) not in seen:
            yield from _chain(inner, seen | {id(error)})
