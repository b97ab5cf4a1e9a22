"""The lab: cloud US, cloud EU and a self-hosted server on loopback, behind one proxy."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from tests.lab import faults, versions
from tests.lab.certificates import Authority
from tests.lab.control import run_command
from tests.lab.ledger import Request
from tests.lab.stage import Stage
from tests.lab.wire import Server

if t.TYPE_CHECKING:
    from tests.lab.stack import Stack


class Lab(Stage):
    """A Bitwarden to test against. Use it as a context manager, or call C(start) and C(stop).

    Args:
        directory: where the certificate goes.
        version: release of the self-hosted server, unless a stack says it.
        scenario: see C(tests.lab.scenarios).
        stack: the stand-in stack that the self-hosted server runs in; without one C(settings) is its environment.
        cloud_version: release of both clouds.
        port: of the proxy; 0 takes a free one.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        version: str = versions.LATEST,
        scenario: str = "page_a",
        *,
        stack: Stack | None = None,
        cloud_version: str = versions.LATEST,
        port: int = 0,
    ) -> None:
        self.directory = Path(directory)
        super().__init__(self.directory, (version, cloud_version), scenario, stack)
        self._authority = Authority(self.directory / "ca.pem")
        self._server = Server(port, self._dispatcher, self._authority, lambda data: run_command(self, data))

    def start(self) -> t.Self:
        """Begin to serve."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving and end every connection."""
        self._server.stop()

    def __enter__(self) -> t.Self:
        return self.start()

    def __exit__(self, *_unused: object) -> None:
        self.stop()

    @property
    def proxy_url(self) -> str:
        """The CONNECT proxy, and the control interface."""
        return self._server.url

    @property
    def ca_path(self) -> str:
        """The certificate authority, as a PEM file."""
        return str(self._authority.path.resolve())

    def environment(self) -> dict[str, str]:
        """Return the variables that lead a program here instead of to the real hosts."""
        found = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), self.proxy_url)
        found |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), self.ca_path)
        found |= {"NO_PROXY": "", "no_proxy": ""}
        return found | (self._stack.environment() if self._stack else {})

    # What happened.

    def requests(self, origin: str | None = None) -> list[Request]:
        """Return the requests since the last clear; C(origin) is C(client) or C(server)."""
        with self._dispatcher.lock:
            return [seen for seen in self._dispatcher.ledger.requests if origin in (None, seen.origin)]

    def writes(self) -> list[Request]:
        """Return the clients' requests that changed or could change something."""
        return [seen for seen in self.requests("client") if seen.write]

    def clear_requests(self) -> None:
        """Forget the requests; the next one is number 0."""
        with self._dispatcher.lock:
            self._dispatcher.ledger.clear()
            self._server.refused.clear()

    def wait_for_request(self, path: str, timeout: float = 10) -> Request:
        """Wait until a request to that path was seen."""
        ends = time.monotonic() + timeout
        while time.monotonic() < ends:
            for seen in self.requests():
                if seen.path == path:
                    return seen
            time.sleep(0.01)
        raise TimeoutError(path)

    def refused_hosts(self) -> list[str]:
        """Return the addresses outside the lab that somebody tried to reach since the last clear."""
        return list(self._server.refused)

    # Switches.

    def forbid_writes(self, forbidden: bool = True) -> None:
        """Answer every write with 599."""
        self._dispatcher.ledger.writes_forbidden = forbidden

    def fault(self, kind: str, **conditions: t.Any) -> None:
        """Order a fault; kinds and conditions (C(index), C(path), C(method), C(server), C(times)) stand in C(faults.py)."""
        self._dispatcher.ledger.faults.append(faults.fault(kind, **conditions))

    def clear_faults(self) -> None:
        """Take all orders back."""
        self._dispatcher.ledger.faults.clear()

    def wrong_certificate(self, wrong: bool = True) -> None:
        """Serve certificates that name somebody else."""
        self._authority.wrong_name = wrong

    def block_egress(self, host: str, blocked: bool = True) -> None:
        """Keep the self-hosted server from reaching a host."""
        (self._core.selfhost.blocked.add if blocked else self._core.selfhost.blocked.discard)(host)

    def rate_limits(self, limited: bool = True) -> None:
        """Let the clouds limit rates as the real ones do."""
        self._dispatcher.limiter.clear()
        self._core.rate_limits = limited

    def real_delays(self, delayed: bool = True) -> None:
        """Let wrong secrets cost the two seconds that they really cost."""
        self._core.real_delays = delayed
