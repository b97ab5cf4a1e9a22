"""The connector's two requests: for a token, and the import.

Source: bitwarden/directory-connector libs/services (auth, api), observed with a recording server.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request

from .errors import Failure, Uncaught, null_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Json = dict[str, t.Any]

_CLOUD = {"api": "https://api.bitwarden.com", "identity": "https://identity.bitwarden.com"}


def address(urls: Json, service: str) -> str:
    """Return the base URL of C(api) or C(identity)."""
    if urls.get(service):
        return str(urls[service])
    return f"{urls['base']}/{service}" if urls.get("base") else _CLOUD[service]


class Server:
    """One Bitwarden server, through the network of the world: its proxy leads every name to the lab."""

    def __init__(self, urls: Json, generation: int, version: str, proxy: str) -> None:
        self._urls = urls
        self._old = generation == 1
        own = os.environ.get("http_proxy") or os.environ.get("https_proxy") if self._old else None
        self._proxy = own or proxy
        self._headers = {
            "Device-Type": "8",
            "User-Agent": "Bitwarden_DC/[object Promise] (LINUX)",
            "Bitwarden-Client-Name": "connector",
            "Bitwarden-Client-Version": version,
        }

    @property
    def api(self) -> str:
        return address(self._urls, "api")

    def token(self, client_id: str, client_secret: str, device: str) -> str:
        form = {
            "scope": "api.organization" if client_id.startswith("organization") else "api",
            "client_id": client_id,
            "deviceType": "8",
            "deviceIdentifier": device,
            "deviceName": "linux",
            "grant_type": "client_credentials",
            "client_secret": client_secret,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Accept": "application/json"}
        url = f"{address(self._urls, 'identity')}/connect/token"
        status, text = self._post(url, urllib.parse.urlencode(form).encode(), headers)
        body = _json(text)
        if status == 200 and isinstance(body, dict):
            return str(body["access_token"])
        if status == 429 and body is None:
            raise Failure("Rate limit exceeded. Try again later.")
        if status == 400 and isinstance(body, dict):
            message = (body.get("ErrorModel") or {}).get("Message")
            raise Failure(message or _compact({"response": body, "captchaRequired": False, "statusCode": 400}))
        raise Failure(_compact({"response": body, "statusCode": status}))

    def import_directory(self, token: str, request: str) -> None:
        """Post one import. A refused session raises Uncaught after the caller has noticed it."""
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "*/*", "Authorization": f"Bearer {token}"}
        status, text = self._post(f"{self.api}/public/organization/import", request.encode(), headers)
        if status == 200:
            return
        if status in (401, 403):
            name = "directorySettings" if self._old and status == 401 else "message"
            raise Uncaught(f"TypeError: {null_property(name)}")
        body = _json(text)
        if status == 429 and body is None:
            raise Failure("Rate limit exceeded. Try again later.")
        if isinstance(body, dict) and body.get("message"):
            raise Failure(str(body["message"]))
        raise Failure(text if text and status != 404 else _compact({"response": None, "statusCode": status}))

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        request = urllib.request.Request(url, body, {**self._headers, **headers}, method="POST")
        context = ssl.create_default_context()
        if os.environ.get("NODE_EXTRA_CA_CERTS"):
            context.load_verify_locations(os.environ["NODE_EXTRA_CA_CERTS"])
        proxies = urllib.request.ProxyHandler({"http": self._proxy, "https": self._proxy})
        opener = urllib.request.build_opener(proxies, urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            raise Failure(f"request to {url} failed, reason: {error}" if self._old else "fetch failed") from None


def expires(token: str) -> float:
    """Return when a token ends."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Failure("JWT must have 3 parts")
    return float(json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))["exp"])


def _json(text: str) -> t.Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _compact(value: t.Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
