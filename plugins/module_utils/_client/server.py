# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One Bitwarden server, with somebody logged in."""

from __future__ import annotations

import base64
import dataclasses
import json
import threading
import typing as t
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._client.http import Answer, Http
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import (
    PRELOGIN,
    TOKEN,
    Anonymous,
    Door,
    HandedOver,
    Identity,
    Token,
)
from ansible_collections.bw.selfhost.plugins.module_utils._client.options import (
    Options,
    endpoints_of,
    identity_of,
    named,
    verify_of,
)
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Pace, Progress, silent
from ansible_collections.bw.selfhost.plugins.module_utils._client.versions import SINCE, parse_version
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import Kdf
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import from_epoch, parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.limits import CLOUD
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Endpoints


class Server:
    """A server's API. Logging in waits for the first request that needs it; the version is asked once.

    Args:
        endpoints: the server's base URLs.
        identity: who we are there.
        verify: whether TLS certificates are verified, or the path of the CA certificates.
        timeout: seconds for each request.
        prefix: stands before an option's name in errors, such as C(cloud.).
        progress: hears of waits for a cloud's limits.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        identity: Identity | None = None,
        *,
        verify: bool | str = True,
        timeout: float = 30,
        prefix: str = "",
        progress: Progress = silent,
    ) -> None:
        self.endpoints = endpoints
        self.identity: Identity = identity or Anonymous()
        self.prefix = prefix
        repeatable = (endpoints.identity + TOKEN, endpoints.identity + PRELOGIN)
        self.http = Http(verify, timeout, prefix, repeatable, Pace(CLOUD if self.is_cloud else (), progress))
        self._token: Token | None = None
        self._login = threading.Lock()
        self._version: str | None = None

    def __repr__(self) -> str:
        return f"Server({self.endpoints.api!r}, {type(self.identity).__name__})"

    # --- requests ---

    def request(self, method: str, path: str, *, anonymous: bool = False, **content: t.Any) -> Answer:
        """Send a request to the API and return the successful answer; C(path) begins with a slash."""
        token = None if anonymous else self.token.access_token
        return self.http.send(method, self.endpoints.api + path, token=token, **content).checked()

    def get(self, path: str, **content: t.Any) -> t.Any:
        """Return the parsed answer of a GET."""
        return self.request("GET", path, **content).json()

    def post(self, path: str, **content: t.Any) -> t.Any:
        """Return the parsed answer of a POST, None for an empty one."""
        return self.request("POST", path, **content).json()

    def put(self, path: str, **content: t.Any) -> t.Any:
        """Return the parsed answer of a PUT, None for an empty one."""
        return self.request("PUT", path, **content).json()

    def delete(self, path: str, **content: t.Any) -> None:
        """Send a DELETE."""
        self.request("DELETE", path, **content)

    # --- who we are ---

    @property
    def door(self) -> Door:
        """The identity service."""
        return Door(self.http, self.endpoints.identity)

    @property
    def token(self) -> Token:
        """The token, got when it is first needed and again when it has expired."""
        with self._login:  # once, however many requests wait for it
            if self._token is None or self._token.expired:
                self._token = self.door.log_in(self.identity)
            return self._token

    def renew(self) -> None:
        """Get a new token: memberships and roles are frozen in a token when it is issued."""
        self._token = None
        _unused = self.token

    @property
    def renewable(self) -> bool:
        """Whether C(renew) can work; to be asked before a write that needs it afterwards."""
        return not isinstance(self.identity, (HandedOver, Anonymous))

    # --- what it is ---

    @property
    def version(self) -> str:
        """The server's release, such as C(2026.8.0)."""
        if self._version is None:
            config = self.config()
            other = (config.get("server") or {}).get("name")
            if other:
                raise SelfhostError(
                    f"This is a {other} server, which this collection does not manage.",
                    field=self.prefix + "server_url",
                    remedy="Use the URL of an official Bitwarden server.",
                )
            self._version = str(config.get("version") or "")
        return self._version

    def config(self) -> dict[str, t.Any]:
        """What the server tells everybody: C(version), C(environment) with C(cloudRegion), C(settings)."""
        return self.request("GET", "/config", anonymous=True).object()

    def at_least(self, version: str) -> bool:
        """Say whether the server is this release or a later one."""
        return parse_version(self.version) >= parse_version(version)

    def supports(self, behaviour: str) -> bool:
        """Say whether the server's release has a behaviour of the version table."""
        return self.at_least(SINCE[behaviour])

    @property
    def is_cloud(self) -> bool:
        """Whether this is a region of the Bitwarden cloud."""
        return any(self.endpoints == region.endpoints for region in REGIONS.values())

    # --- handing over ---

    def session(self) -> dict[str, t.Any]:
        """Log in and return a session that other tasks accept: no password and no decrypted key, but secret all the same.

        It is one opaque text: Ansible masks every single value inside a secret option wherever it appears in a result, and
        a number or the server's address must not be masked.
        """
        token = self.token
        members = {
            "api": self.endpoints.api,
            "identity": self.endpoints.identity,
            "access_token": token.access_token,
            "expires_at": show_date(from_epoch(token.expires_at)),
            "user_id": token.user_id,
            "email": token.email,
            "kdf": dataclasses.asdict(token.kdf) if token.kdf else None,
            "salt": token.salt,
            "key": token.key,
            "private_key": token.private_key,
            "server_version": None if self.is_cloud else self.version,
            "verify": self.http.verify,
        }
        return {"session": base64.b64encode(json.dumps(members).encode()).decode()}

    @classmethod
    def from_session(cls, session: t.Mapping[str, t.Any], identity: Identity | None = None, **options: t.Any) -> Server:
        """Continue a session. With an identity it can be renewed; C(options) are those of the constructor."""
        prefix = str(options.get("prefix", ""))
        try:
            members = json.loads(base64.b64decode(session["session"]))
            token = _session_token(members)
            endpoints, version = Endpoints(members["api"], members["identity"]), members["server_version"]
        except (KeyError, ValueError, TypeError):
            raise SelfhostError(
                "This is not a session.", field=f"{prefix}session", remedy="Use what bw.selfhost.login returns as session, whole."
            ) from None
        if options.get("verify", True) is True:  # whom to trust was said at the log-in
            options["verify"] = members.get("verify", True)
        server = cls(endpoints, identity or HandedOver(), **options)
        server._token, server._version = token, version
        if token.expired and not server.renewable:
            server.renew()  # raises what an expired session means
        return server


def _session_token(session: t.Mapping[str, t.Any]) -> Token:
    return Token(
        access_token=str(session["access_token"]),
        expires_at=parse_date(session["expires_at"]).timestamp(),
        user_id=session.get("user_id"),
        email=session.get("email"),
        kdf=Kdf(**session["kdf"]) if session.get("kdf") else None,
        salt=session.get("salt"),
        key=session.get("key"),
        private_key=session.get("private_key"),
    )


def connect(params: Options, *, field_prefix: str = "", anonymous: bool = False, progress: Progress = silent) -> Server:
    """Return the server that a module's options describe; nothing is sent yet.

    A session needs no address, and credentials beside it are there to renew it.

    Args:
        params: the options (C(_module.API_ARGUMENTS)).
        field_prefix: C(cloud.) when they are suboptions of O(cloud).
        anonymous: for what a server tells everybody; credentials and sessions among the options do not count.
        progress: hears of waits for a cloud's limits.
    """
    options: dict[str, t.Any] = {
        "verify": verify_of(params, field_prefix),
        "timeout": params.get("timeout") or 30,
        "prefix": field_prefix,
        "progress": progress,
    }
    if anonymous:
        return Server(endpoints_of(params, field_prefix), **options)
    identity = identity_of(params, field_prefix)
    if params.get("session") is None:
        return Server(endpoints_of(params, field_prefix), identity, **options)
    server = Server.from_session(params["session"], identity, **options)
    if named(params) and endpoints_of(params, field_prefix) != server.endpoints:
        raise SelfhostError(
            f"The session is one with {urlsplit(server.endpoints.api).netloc}, not with the server that is named beside it.",
            field=f"{field_prefix}session",
            remedy="Leave out server_url and region (BW_SERVER counts as server_url), or use that server's session.",
        )
    return server
