"""What only a self-hosted server has: its settings, its license files, and its own way out to the cloud.

Source: bitwarden/server GlobalSettings.cs, LicensingService.cs, BaseIdentityClientService.cs.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.lab.core import Core, crash
from tests.lab.license_files import pascal
from tests.lab.state import Row

if t.TYPE_CHECKING:
    from tests.lab.stack import Container, Stack

DEFAULT_DOMAIN = "vault.example.com"


@dataclass(frozen=True)
class Reply:
    """What came back from the cloud."""

    status: int
    reason: str
    body: bytes

    def json(self) -> t.Any:
        """Return the JSON of the body, None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


Send = t.Callable[[str, str, dict[str, str], bytes], "Reply | None"]


def default_settings(region: str, installation_id: str, installation_key: str) -> dict[str, str]:
    """Return the environment of an api container that talks to a region."""
    domain = {"us": "bitwarden.com", "eu": "bitwarden.eu"}[region]
    prefix = "globalSettings__"
    return {
        f"{prefix}selfHosted": "true",
        f"{prefix}baseServiceUri__vault": f"https://{DEFAULT_DOMAIN}",
        f"{prefix}baseServiceUri__cloudRegion": region.upper(),
        f"{prefix}installation__id": installation_id,
        f"{prefix}installation__key": installation_key,
        f"{prefix}installation__identityUri": f"https://identity.{domain}",
        f"{prefix}installation__apiUri": f"https://api.{domain}",
        f"{prefix}pushRelayBaseUri": f"https://push.{domain}",
        f"{prefix}enableCloudCommunication": "true",
        f"{prefix}disableUserRegistration": "false",
    }


class SelfHost:
    """The self-hosted server as a process: alone with built-in settings, or inside the stand-in stack's containers."""

    def __init__(self, core: Core, stack: Stack | None) -> None:
        self.core = core
        self.stack = stack
        self.settings: dict[str, str] = {}
        self.blocked: set[str] = set()
        self.log: list[str] = []
        self.send: Send = lambda *_unused: None
        self._containers: t.Mapping[str, Container] = {}
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._next_attempt: dict[str, datetime] = {}
        self._started: t.Any = None

    def calm(self, settings: t.Mapping[str, str]) -> None:
        """Take back every order, forget what happened, and hold no license; C(settings) is the environment from now on."""
        self.settings.clear()
        self.settings.update(settings)
        self.blocked.clear()
        self.log.clear()
        self.observe()
        self.restart()
        self.restore_license_files({})

    def observe(self) -> None:
        """Look at the containers once; a new api process has forgotten its tokens and its 24 hours of silence."""
        if self.stack:
            self._containers = self.stack.containers()
            api = self._containers.get("api")
            if api and api.created != self._started:
                self._started = api.created
                self.restart()

    def restart(self) -> None:
        """Forget what the api process keeps in memory."""
        self._tokens.clear()
        self._next_attempt.clear()

    def ready(self, service: str) -> bool:
        """Say whether a service answers; without a stack every one does."""
        if not self.stack:
            return True
        found = self._containers.get(service)
        return found is not None and found.running and found.health in (None, "healthy")

    def listening(self) -> bool:
        """Say whether anything answers at all on the public port."""
        nginx = self._containers.get("nginx")
        return not self.stack or (nginx is not None and nginx.running)

    def version(self) -> str:
        """The release: the api image's tag, or what the lab was told."""
        api = self._containers.get("api")
        return api.image.rpartition(":")[2] if self.stack and api else self.core.selfhost_version

    def setting(self, key: str, default: str = "") -> str:
        """Return a C(globalSettings__) value as the running api sees it; names are read in any case."""
        api = self._containers.get("api")
        environment = (api.environment if api else {}) if self.stack else self.settings
        wanted = f"globalSettings__{key}".lower()
        return next((value for name, value in environment.items() if name.lower() == wanted), default)

    def flag(self, key: str) -> bool:
        """Return a boolean setting; the code's default is false."""
        return self.setting(key).strip().lower() == "true"

    def base_url(self) -> str:
        """The public address."""
        return self.setting("baseServiceUri__vault", f"https://{DEFAULT_DOMAIN}").rstrip("/")

    def domain(self) -> str:
        """The public host name."""
        return urlsplit(self.base_url()).hostname or DEFAULT_DOMAIN

    # License files: PascalCase on disk, and read back case-sensitively.

    def _license_directory(self) -> Path | None:
        return self.stack.bwdata / "core" / "licenses" / "organization" if self.stack else None

    def read_license(self, organization_id: str) -> Row | None:
        """Return the stored license of a local organization, None when there is no file."""
        directory = self._license_directory()
        if directory is None:
            row = self.core.state.get("selfhost", "license_file", organization_id)
            return row["content"] if row else None
        path = directory / f"{organization_id}.json"
        if not path.is_file():
            return None
        try:
            return t.cast(Row, json.loads(path.read_bytes()))
        except ValueError:
            raise crash() from None

    def write_license(self, organization_id: str, license_row: Row) -> None:
        """Store a license of a local organization."""
        content = {pascal(name): value for name, value in license_row.items()}
        directory = self._license_directory()
        if directory is None:
            self.core.state.put("selfhost", "license_file", {"id": organization_id, "content": content})
            return
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{organization_id}.json"
        path.write_text(json.dumps(content, indent=2))
        owner = directory.stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    def license_files(self) -> dict[str, str]:
        """Return all files of the license directory, for a snapshot."""
        directory = self._license_directory()
        return {path.name: path.read_text() for path in directory.glob("*.json")} if directory and directory.is_dir() else {}

    def restore_license_files(self, files: t.Mapping[str, str]) -> None:
        """Make the license directory hold exactly these files."""
        directory = self._license_directory()
        for name in set(self.license_files()) - set(files):
            (directory or Path()).joinpath(name).unlink()
        for name, content in files.items():
            self.write_license(name.removesuffix(".json"), json.loads(content))

    # The way out.

    def ask_cloud(self, method: str, path: str, scope: str, body: Row) -> t.Any:
        """Ask the cloud as this installation; None for anything that went wrong, the cause only in the log."""
        token = self._token(scope)
        if token is None:
            return None
        url = self._joined("installation__apiUri", path)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        reply = self._out(method, url, headers, json.dumps(body).encode())
        if reply is None:
            self.log.append(f"Unable to send a request to {url}.")
            return None
        if reply.status != 200:
            message = (reply.json() or {}).get("message", "")
            self.log.append(f"Request to {url} is unsuccessful with status of {reply.status}-{reply.reason}: {message}")
            return None
        return reply.json()

    def _token(self, scope: str) -> str | None:
        now = self.core.now()
        held = self._tokens.get(scope)
        if held and held[1] > now:
            return held[0]
        if self._next_attempt.get(scope, now) > now:
            return None
        client = f"installation.{self.setting('installation__id')}"
        secret = self.setting("installation__key")
        form = {"grant_type": "client_credentials", "scope": scope, "client_id": client, "client_secret": secret}
        url = self._joined("installation__identityUri", "connect/token")
        reply = self._out("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode())
        if reply is None:
            self.log.append("Unable to authenticate with identity server.")
            return None
        if reply.status != 200:
            where = f"from {url} for client {client} with status {reply.status}-{reply.reason}"
            self.log.append(f"Unsuccessful token response {where}")
            if reply.status == 400:
                self._next_attempt[scope] = now + timedelta(days=1)
            return None
        found = reply.json()
        self._tokens[scope] = (found["access_token"], now + timedelta(seconds=found["expires_in"]))
        return str(found["access_token"])

    def _joined(self, key: str, path: str) -> str:
        """Join as the server does: the parsed URI and the path, one after the other."""
        region = "https://identity.bitwarden.com" if key.endswith("identityUri") else "https://api.bitwarden.com"
        base = self.setting(key, region)
        parts = urlsplit(base)
        if not parts.scheme or not parts.hostname:
            raise crash()
        return f"{base}/{path}" if not parts.path else f"{base}{path}"

    def _out(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Reply | None:
        return None if urlsplit(url).hostname in self.blocked else self.send(method, url, headers, body)
