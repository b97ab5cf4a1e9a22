# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kept connections that repeat what is safe to repeat, and nothing else.

A session of C(requests) would look for proxies, cookies and credentials of a C(.netrc) anew with each request, which costs more
than sending it; here they are asked for once, or not wanted.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

if t.TYPE_CHECKING:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

LONGEST_WAIT = 60  # seconds that a service that is not up may ask for


class Transport:
    """Connections to the hosts of one server, which any number of threads may use.

    Args:
        verify: true, false, or the path of the CA certificates that replace the system's.
        repeatable: URLs whose POST may be repeated, because it changes nothing.
    """

    def __init__(self, verify: bool | str, repeatable: tuple[str, ...]) -> None:
        try:
            import requests
        except ImportError:
            raise SelfhostError(
                "The Python library requests is missing.", remedy="Install it where the task runs: pip install requests."
            ) from None
        self._request, self._session = requests.Request, requests.Session()
        self._verify = verify
        self._repeatable = repeatable
        self._adapters = {False: _adapter("GET"), True: _adapter("GET", "POST")}
        self._routes: dict[str, dict[str, t.Any]] = {}

    def send(self, method: str, url: str, *, timeout: float, **content: t.Any) -> requests.Response:
        """Send one request; redirects are not followed. C(content) is that of C(requests.Request), every exception an OSError.

        C(timeout) are the seconds to wait for a connection, and for each piece of an answer.
        """
        request = self._request(method, url, **content).prepare()
        response = self._adapters[url in self._repeatable].send(request, timeout=timeout, **self._route(url))
        response.content  # noqa: B018 - read, so that the connection is free again
        return response

    def _route(self, url: str) -> dict[str, t.Any]:
        """Return which proxy leads to a host, and whom to trust there, as the environment and the options say."""
        host = urlsplit(url).netloc
        if host not in self._routes:
            self._routes[host] = dict(self._session.merge_environment_settings(url, {}, False, self._verify, None))
        return self._routes[host]

    def close(self) -> None:
        """Close the connections."""
        for adapter in self._adapters.values():
            adapter.close()


def _adapter(*methods: str) -> HTTPAdapter:
    """Return a connection pool that repeats requests of these methods when the connection or the service was not there."""
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection

    class Prompt(HTTPAdapter):
        """Knows one proxy and one way to trust, and so looks once for what follows from them: that looks at the disk, too."""

        def __init__(self, **options: t.Any) -> None:
            super().__init__(**options)
            self._hosts: dict[t.Any, t.Any] = {}
            self._trusting: set[t.Any] = set()

        def get_connection_with_tls_context(self, request: t.Any, *options: t.Any, **more: t.Any) -> t.Any:
            host = urlsplit(request.url)[:2]
            if host not in self._hosts:
                self._hosts[host] = super().get_connection_with_tls_context(request, *options, **more)
            return self._hosts[host]

        def cert_verify(self, conn: t.Any, *options: t.Any) -> None:
            if conn not in self._trusting:
                super().cert_verify(conn, *options)  # type: ignore[no-untyped-call]
                self._trusting.add(conn)

        def proxy_manager_for(self, proxy: str, **options: t.Any) -> t.Any:
            # With a proxy, urllib3 leaves Nagle's algorithm on: each body would wait 40 ms for the headers to be acknowledged.
            return super().proxy_manager_for(proxy, socket_options=HTTPConnection.default_socket_options, **options)

    return Prompt(max_retries=_patience(*methods))


def _patience(*methods: str) -> Retry:
    from urllib3.exceptions import ProtocolError, ProxyError
    from urllib3.util.retry import Retry

    class Patient(Retry):
        def increment(self, *args: t.Any, **details: t.Any) -> t.Any:
            # urllib3 takes a connection that breaks behind a proxy for a broken proxy, and would not look at the method.
            error = details.get("error")
            broken = error.original_error if isinstance(error, ProxyError) else None
            if isinstance(broken, ConnectionError) and not isinstance(broken, ConnectionRefusedError):
                details["error"] = ProtocolError("Connection aborted.", broken)
            return super().increment(*args, **details)

        def get_retry_after(self, response: t.Any) -> float | None:
            wait = super().get_retry_after(response)
            return None if wait is None else min(wait, LONGEST_WAIT)

        def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
            return status_code != 429 and super().is_retry(method, status_code, has_retry_after)  # that is for the pace

    return Patient(
        total=3,
        connect=1,
        read=1,
        other=0,
        backoff_factor=0.3,
        allowed_methods=frozenset(methods),
        status_forcelist=(502, 503, 504),
        raise_on_status=False,
    )
