# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one place where a region's name turns into addresses and settings.

Source: bitwarden/server src/Core/Settings/CloudRegionConfig.cs and GlobalSettings.cs (ac309aa19e).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError


@dataclass(frozen=True)
class Endpoints:
    """Base URLs of one server, without a trailing slash."""

    api: str
    identity: str


@dataclass(frozen=True)
class Region:
    """One region of the Bitwarden cloud. C(label) is how the server's own settings spell it."""

    name: str
    label: str
    domain: str

    @property
    def endpoints(self) -> Endpoints:
        """The cloud's API and identity base URLs."""
        return Endpoints(f"https://api.{self.domain}", f"https://identity.{self.domain}")

    @property
    def settings(self) -> dict[str, str]:
        """What global.override.env must say so that a self-hosted server talks to this region and no other."""
        return {
            "globalSettings__baseServiceUri__cloudRegion": self.label,
            "globalSettings__installation__identityUri": self.endpoints.identity,
            "globalSettings__installation__apiUri": self.endpoints.api,
            "globalSettings__pushRelayBaseUri": f"https://push.{self.domain}",
        }


REGIONS = {
    "us": Region("us", "US", "bitwarden.com"),
    "eu": Region("eu", "EU", "bitwarden.eu"),
}


def self_hosted(server_url: str) -> Endpoints:
    """Return the endpoints of a self-hosted server from its public URL, such as C(https://vault.example.com).

    A cloud address is turned into the cloud's own endpoints, which have no path prefixes.
    """
    parts = urlsplit(server_url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise SelfhostError(
            f"{server_url!r} is not the URL of a server.", field="server_url", remedy="Write it like https://vault.example.com."
        )
    for region in REGIONS.values():
        if parts.hostname == region.domain or parts.hostname.endswith(f".{region.domain}"):
            return region.endpoints
    base = server_url.rstrip("/")
    return Endpoints(f"{base}/api", f"{base}/identity")
