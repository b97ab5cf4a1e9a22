# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP to one Bitwarden server: a session, its timeouts and retries, and errors that say what to do.

Source of the error bodies: bitwarden/server src/Libraries/ExceptionHandling/ErrorResponseModel.cs (ac309aa19e).
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure, unreachable
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Pace
from ansible_collections.bw.selfhost.plugins.module_utils._client.transport import Transport

# What we say we are: servers since 2026.3.0 want a client's version, accounts with V2 encryption 2025.11.0 or later.
DEVICE_TYPE = "21"  # SDK
HEADERS = {
    "Accept": "application/json",
    "User-Agent": "bw.selfhost",
    "Bitwarden-Client-Name": "cli",
    "Bitwarden-Client-Version": "2026.8.0",
    "Device-Type": DEVICE_TYPE,
}

TURNS = 4  # how often a request is sent that the server turns away because of its limits
_NOT_UP = "The service is not up yet: wait until the server is healthy, then run it again."
_REMEDIES = {
    401: "The token has expired or was withdrawn: log in again.",
    403: "The account lacks the right to do this: check its role in the organization.",
    404: "It was not found or is not allowed: check the id, and that the account is a confirmed owner.",
    502: _NOT_UP,
    503: _NOT_UP,
    504: _NOT_UP,
}


class ApiError(Failure):
    """The server answered, but not with success.

    Attributes:
        status: HTTP status.
        message: the server's own sentence, possibly empty.
        validation: the server's complaints by field.
    """

    def __init__(self, cause: str, answer: Answer, remedy: str | None, *, field: str | None = None) -> None:
        super().__init__(cause, answer.endpoint, remedy, field=field, maybe_done=answer.status >= 500)
        self.status = answer.status
        self.message, self.validation = answer.message, answer.validation


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, whatever its status. C(endpoint) is method and URL, without the query."""

    status: int
    endpoint: str
    headers: t.Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    def json(self) -> t.Any:
        """Return the parsed body, None for an empty one; name what stands there instead of JSON."""
        if not self.content.strip():
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise self._not_json() from None

    def object(self, *needed: str) -> dict[str, t.Any]:
        """Return the parsed body, which must be a JSON object with the needed members."""
        found = self.json()
        if not isinstance(found, dict) or any(found.get(name) is None for name in needed):
            raise ApiError("The answer is not what a Bitwarden server sends.", self, "Is the URL that of a Bitwarden server?")
        return found

    def members(self) -> dict[str, t.Any]:
        """Return the body when it is a JSON object, else nothing: for error bodies, which may be anything."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def message(self) -> str:
        """The server's own sentence, as one line of bounded length."""
        text = self.members().get("message")
        return " ".join(text.split())[:500] if isinstance(text, str) else ""

    @property
    def validation(self) -> dict[str, list[str]]:
        """The server's complaints by field; the public API calls them C(errors)."""
        found = self.members().get("validationErrors") or self.members().get("errors")
        fields = found.items() if isinstance(found, dict) else ()
        return {name: [str(text)[:200] for text in texts] for name, texts in fields if isinstance(texts, list)}

    def checked(self) -> Answer:
        """Return this answer if it is a success, else raise what it means."""
        if 200 <= self.status < 300:
            return self
        if 300 <= self.status < 400:
            raise self._redirected()
        if self.status < 500 and self._is_html():
            raise self._not_json()
        said = " ".join([self.message, *(text for texts in self.validation.values() for text in texts)]).strip()
        raise ApiError(f"The server answered {self.status}{f': {said}' if said else '.'}", self, self._remedy())

    def _remedy(self) -> str | None:
        if self.status == 429:
            wait = self.headers.get("Retry-After", "")
            return f"The server limits requests: wait {f'{wait} seconds' if wait.isdigit() else 'a minute'}, then run it again."
        return _REMEDIES.get(self.status, "The server's own log says more." if self.status >= 500 else None)

    def _is_html(self) -> bool:
        content = self.content.strip()
        return bool(content) and ("html" in self.headers.get("Content-Type", "").lower() or content[:1] == b"<")

    def _not_json(self) -> ApiError:
        if self._is_html():
            return ApiError("An HTML page came instead of JSON.", self, "Is the URL right, or is this a proxy's login page?")
        return ApiError("The answer is cut off or is not JSON.", self, "Run it again; something in between may have broken it.")

    def _redirected(self) -> ApiError:
        target, here = urlsplit(self.headers.get("Location", "")), urlsplit(self.endpoint.partition(" ")[2])
        if target.hostname in (None, here.hostname):
            place = f"{target.scheme or here.scheme}://{target.netloc or here.netloc}"
            return ApiError(f"The server redirects to {place}.", self, "Write the final address in the server's URL.")
        cause = f"The server redirects to another host, {target.hostname}, where no credentials are sent."
        return ApiError(cause, self, "Is the URL right, or is this a proxy's login page?")


@dataclass
class Http:
    """How to talk to one server.

    Attributes:
        verify: true, false, or the path of the CA certificates that replace the system's.
        timeout: seconds to wait for a connection, and for each piece of an answer.
        prefix: stands before an option's name in errors, such as C(cloud.).
        repeatable: URLs whose POST may be repeated, because it changes nothing.
        pace: how fast it may go.
    """

    verify: bool | str = True
    timeout: float = 30
    prefix: str = ""
    repeatable: tuple[str, ...] = ()
    pace: Pace = field(default_factory=Pace)

    @cached_property
    def _transport(self) -> Transport:
        return Transport(self.verify, self.repeatable)

    def send(self, method: str, url: str, *, token: str | None = None, **content: t.Any) -> Answer:
        """Send one request and return its answer, whatever its status. C(content) is that of C(requests.Request).

        C(timeout) among it counts instead of the session's.
        """
        content["headers"] = {**HEADERS, **content.get("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        content.setdefault("timeout", self.timeout)
        for _turn in range(TURNS - 1):
            answer = self._send(method, url, content)
            if not self.pace.again(answer.status, answer.headers):
                return answer
        return self._send(method, url, content)

    def _send(self, method: str, url: str, content: dict[str, t.Any]) -> Answer:
        self.pace.prepare(method, url)
        try:
            response = self._transport.send(method, url, **content)
        except OSError as error:
            raise unreachable(error, method, url, timeout=content["timeout"], prefix=self.prefix) from None
        finally:
            self.pace.count(method, url)
        return Answer(response.status_code, f"{method} {url}", response.headers, response.content)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
