# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way to a directory: TLS as the options want it, and what exactly is wrong when there is no way.

The libraries for LDAP, and the TLS libraries beneath them, tell failures apart in different ways or not at all. So a failed
connection is tried once more here, by hand, which always gives the same answer.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

PORTS = {"ldaps": 636, "starttls": 389, "none": 389}
# An extended request (message 1) for StartTLS, RFC 4511 section 4.14.
_START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
# OpenSSL's verification results (x509_vfy.h). What is not listed is some way of not knowing the signer.
_CERTIFICATES = {
    9: ("is not valid yet", "directory.hosts", "Set the clocks of this machine and of the directory right."),
    10: ("has expired", "directory.hosts", "Renew the directory's certificate."),
    62: ("is for another name", "directory.hosts", "Use the name that the certificate is for."),
    64: ("is for another address", "directory.hosts", "Use the name that the certificate is for."),
}
_UNKNOWN_SIGNER = (
    "is signed by an unknown authority",
    "directory.ca_path",
    "Give a file with the certificate of that authority.",
)


@dataclass(frozen=True)
class Way:
    """How to reach one server of a directory.

    Attributes:
        host: its name or address.
        port: where it listens.
        tls: C(ldaps), C(starttls) or C(none).
        verify: whether the certificate must be good for the host.
        ca_path: PEM file of the authorities to trust instead of the system's.
        timeout: seconds to wait for a connection, and for each answer.
    """

    host: str
    port: int
    tls: str
    verify: bool
    ca_path: str | None
    timeout: float

    @property
    def address(self) -> str:
        """Host and port, as people write them."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as a URL of LDAP."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.tls == 'ldaps' else 'ldap'}://{host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Return how the other side's certificate is looked at. An unreadable file of authorities is refused."""
        try:
            context = ssl.create_default_context(cafile=self.ca_path)
        except (OSError, ValueError):  # an SSLError is an OSError
            raise SelfhostError(
                f"There are no CA certificates to read in {self.ca_path}.",
                field="directory.ca_path",
                remedy="Give a file in PEM format.",
            ) from None
        if not self.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def obstacle(self) -> SelfhostError:
        """Try the way by hand, and return what is wrong with it."""
        try:
            with contextlib.closing(socket.create_connection((self.host, self.port), self.timeout)) as connection:
                self._secure(connection)
        except _NoStartTls:
            return self._error(
                "{} does not offer StartTLS.", "directory.tls", "Set tls to ldaps, or let a certificate be set up there."
            )
        except ssl.SSLCertVerificationError as error:
            what, option, remedy = _CERTIFICATES.get(error.verify_code, _UNKNOWN_SIGNER)
            return self._error(f"The certificate of {{}} {what}.", option, remedy)
        except OSError as error:
            cause, option, remedy = next(words for kind, words in _CAUSES if isinstance(error, kind))
            return self._error(cause, option, remedy)
        return self._error(*_NO_LDAP)

    def _secure(self, connection: socket.socket) -> None:
        if self.tls == "starttls":
            connection.sendall(_START_TLS)
            # The result's number is the first ENUMERATED of one octet in the answer.
            answer = connection.recv(4096)
            if b"\x0a\x01\x00" not in answer:
                raise _NoStartTls
        if self.tls != "none":
            self.context().wrap_socket(connection, server_hostname=self.host).close()

    def _error(self, cause: str, option: str, remedy: str) -> SelfhostError:
        return SelfhostError(cause.format(self.address), field=option, remedy=remedy)


class _NoStartTls(Exception):
    """The other side has another answer to StartTLS."""


_NO_LDAP = (
    "{} takes the connection, but does not answer in LDAP.",
    "directory.port",
    "Is it the right port, and does it match tls?",
)
# First match wins.
_CAUSES: tuple[tuple[type[OSError], tuple[str, str, str]], ...] = (
    (
        ssl.SSLError,
        (
            "{} does not speak TLS as expected.",
            "directory.port",
            "For ldaps the port is usually 636; on port 389 set tls to starttls.",
        ),
    ),
    (
        socket.gaierror,
        ("The name of {} is unknown.", "directory.hosts", "Check it, and the resolver of the machine where the task runs."),
    ),
    (
        ConnectionRefusedError,
        ("{} refuses connections.", "directory.hosts", "Is the directory running, and does a firewall let this machine in?"),
    ),
    (socket.timeout, ("{} does not answer.", "directory.hosts", "Is it running, and does a firewall let this machine in?")),
    (ConnectionError, _NO_LDAP),
    (OSError, ("There is no way from here to {}.", "directory.hosts", "Check this machine's network.")),
)
