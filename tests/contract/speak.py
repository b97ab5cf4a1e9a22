"""How contract tests speak to the lab: plain HTTP through its proxy, with production addresses."""

from __future__ import annotations

import base64
import json
import typing as t

import requests

from tests.lab import Lab, Person, crypto

RELEASES = ("2025.8.0", "2026.4.0", "2026.8.0")
CLOUD = {"us": "bitwarden.com", "eu": "bitwarden.eu"}
DEVICE = {"deviceType": "8", "deviceIdentifier": "5b7d3a4e-contract", "deviceName": "contract"}
Answer = requests.Response


class Http:
    """Speaks to one lab; C(selfhost:/organizations) names an API path of a world, C(eu!/connect/token) an identity path."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.proxies = {"https": lab.proxy_url}
        self._session.verify = lab.ca_path
        self._session.headers["Bitwarden-Client-Version"] = "2026.6.0"

    def url(self, where: str) -> str:
        """Turn the short form into an address; a full address stays."""
        if where.startswith("https://"):
            return where
        mark = ":" if ":" in where else "!"
        world, _unused, path = where.partition(mark)
        service = "api" if mark == ":" else "identity"
        return f"https://{service}.{CLOUD[world]}{path}" if world in CLOUD else f"{self.lab.facts['server_url']}/{service}{path}"

    def __call__(self, method: str, where: str, token: str | None = None, **options: t.Any) -> Answer:
        """Send a request."""
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        options.setdefault("timeout", 10)
        return self._session.request(method, self.url(where), headers=headers, allow_redirects=False, **options)

    def get(self, where: str, token: str | None = None, **options: t.Any) -> Answer:
        """Read."""
        return self("GET", where, token, **options)

    def post(self, where: str, token: str | None = None, body: t.Any = None, **options: t.Any) -> Answer:
        """Write; C(body) goes as JSON."""
        return self("POST", where, token, **({"json": body} if body is not None else {}), **options)

    def grant(self, world: str, **form: t.Any) -> Answer:
        """Ask for a token."""
        return self.post(f"{world}!/connect/token", data=form)

    def password_form(self, who: Person, **changes: t.Any) -> dict[str, t.Any]:
        """The form of a password login."""
        kdf = self.post(f"{who.server}!/accounts/prelogin", body={"email": who.email}).json()
        secret = crypto.password_hash(crypto.master_key(who.master_password, who.email, kdf), who.master_password)
        form = {"grant_type": "password", "client_id": "cli", "username": who.email, "password": secret}
        return {**form, "scope": "api offline_access", **DEVICE, **changes}

    def key_form(self, who: Person, **changes: t.Any) -> dict[str, t.Any]:
        """The form of an API key login."""
        form = {
            "grant_type": "client_credentials",
            "client_id": who.client_id,
            "client_secret": who.client_secret,
            "scope": "api",
        }
        return {**form, **DEVICE, **changes}

    def token(self, label: str) -> str:
        """Log somebody in by API key."""
        who = self.lab.people[label]
        return str(self.grant(who.server, **self.key_form(who)).json()["access_token"])

    def proof(self, label: str) -> dict[str, str]:
        """The secret proof of somebody."""
        return {"masterPasswordHash": str(self.password_form(self.lab.people[label])["password"])}

    def installation_token(self, scope: str, world: str = "eu") -> str:
        """Log the installation in at the cloud."""
        client = f"installation.{self.lab.facts['installation_id']}"
        secret = self.lab.facts["installation_key"]
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": scope}
        return str(self.grant(world, **form).json()["access_token"])

    def sync_key(self) -> str:
        """Get or create the billing sync key at the cloud."""
        organization = self.lab.facts["cloud_organization_id"]
        body = {"type": 1, **self.proof("cloud_owner")}
        return str(self.post(f"eu:/organizations/{organization}/api-key", self.token("cloud_owner"), body).json()["apiKey"])

    def connect(self, key: str | None = None, **config: t.Any) -> Answer:
        """Create the self-hosted server's billing sync connection."""
        settings = {"billingSyncKey": self.sync_key() if key is None else key, **config}
        body = {"type": 1, "organizationId": self.lab.facts["organization_id"], "enabled": True, "config": settings}
        return self.post("selfhost:/organizations/connections", self.token("owner"), body)

    def upload(self, license_file: t.Any, organization_id: str | None = None, token: str | None = None, **parts: t.Any) -> Answer:
        """Upload a license: an update for an organization, else a creation."""
        content = license_file if isinstance(license_file, str | bytes) else json.dumps(license_file)
        where = "selfhost:/organizations/licenses/self-hosted" + (f"/{organization_id}" if organization_id else "")
        return self.post(where, token or self.token("owner"), files={"license": ("license.json", content)}, data=parts)


def claims(token: str) -> dict[str, t.Any]:
    """Read a JWT without any check."""
    payload = token.split(".")[1]
    return t.cast(dict[str, t.Any], json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def refused(answer: Answer, status: int, message: str | None) -> None:
    """Demand an error of the API's shape; without a message, an empty body."""
    assert answer.status_code == status, answer.text
    if message is None:
        assert answer.content == b""
        return
    names = {"message", "validationErrors", "exceptionMessage", "exceptionStackTrace", "innerExceptionMessage", "object"}
    assert set(answer.json()) == names
    assert answer.json()["object"] == "error"
    assert answer.json()["message"] == message


def invalid(answer: Answer, field: str, text: str) -> None:
    """Demand a validation error."""
    refused(answer, 400, "The model state is invalid.")
    assert answer.json()["validationErrors"] == {field: [text]}
