"""Certificates for every name of the lab, from a certificate authority of its own."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


class Authority:
    """A certificate authority whose certificate stands in one PEM file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wrong_name = False
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(str(path))
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, host: str) -> ssl.SSLContext:
        """Return the server side of TLS for a host, with somebody else's name in it when that was ordered."""
        name = "somebody.else.example.org" if self.wrong_name else host
        if name not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ca.issue_cert(name).configure_cert(context)
            self._contexts[name] = context
        return self._contexts[name]
