# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Both servers as a pre-flight sees them: each thing is asked for once, and only when somebody needs it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ansible_collections.bw.selfhost.plugins.module_utils._client import connections, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._client.connections import Connection
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Region
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import Directory, Entry, is_owner

Values = dict[str, t.Any]
Params = t.Mapping[str, t.Any]
RECENT = timedelta(days=7)


class Skipped(Exception):
    """Nothing was given to check it with."""


@dataclass
class Scene:
    """Both servers as the checks see them; each thing is asked for once, when a check first needs it.

    A failure is remembered like an answer, so that an unreachable cloud is waited for once.
    """

    params: Params
    server: Server
    cloud: Server | None
    now: datetime
    directory: Directory = field(init=False)
    _seen: dict[str, t.Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory = Directory(self.server)

    def once(self, name: str, ask: t.Callable[[], t.Any]) -> t.Any:
        """Return what C(ask) gave, or raise what it raised, the first time."""
        if name not in self._seen:
            try:
                self._seen[name] = ask()
            except SelfhostError as error:
                self._seen[name] = error
        if isinstance(self._seen[name], SelfhostError):
            raise self._seen[name]
        return self._seen[name]

    @property
    def entry(self) -> Entry | None:
        """The organization on the server; its name in the cloud finds it before there is a connection."""
        return t.cast("Entry | None", self.once("entry", self._find))

    def _find(self) -> Entry | None:
        found = self.directory.find(self.params)
        if found is None and self.cloud is not None and self.params["cloud_organization_id"]:
            found = self.directory.find(self.params, name=self.cloud_organization["name"])
        return found

    @property
    def connection(self) -> Connection | None:
        """Its billing-sync connection."""
        entry = self.entry
        return self.directory.connection(entry["id"]) if entry is not None and is_owner(entry) else None

    @property
    def subscription(self) -> Values:
        """Its subscription; raises when the server cannot read the license in force."""
        entry = t.cast(Entry, self.entry)
        return t.cast(Values, self.once("subscription", lambda: organizations.subscription(self.server, entry["id"])))

    @property
    def cloud_communication(self) -> bool:
        """Whether the server may talk to the cloud."""
        return bool(self.once("enabled", lambda: connections.enabled(self.server)))

    @property
    def cloud_organization(self) -> Values:
        """The organization in the cloud."""
        return t.cast(Values, self.once("cloud organization", self._cloud_organization))

    def _cloud_organization(self) -> Values:
        cloud, organization_id = self.needs_cloud()
        try:
            return organizations.get(cloud, organization_id)
        except ApiError as error:
            if error.status != 404:
                raise
            raise SelfhostError(
                f"The user has no organization {organization_id} in this region of the cloud, or is not its owner.",
                field="cloud_organization_id",
                remedy="Use the id from the address bar of the cloud's admin console, and the API key of an owner.",
            ) from None

    def needs_cloud(self) -> tuple[Server, str]:
        """Return the cloud and the organization's id there, or skip the check."""
        if self.cloud is None or not self.params["cloud_organization_id"]:
            raise Skipped
        return self.cloud, self.params["cloud_organization_id"]

    @property
    def region(self) -> Region | None:
        """The region of the cloud that was given."""
        endpoints = self.cloud.endpoints if self.cloud else None
        return next((region for region in REGIONS.values() if region.endpoints == endpoints), None)

    def recently_synced(self) -> str | None:
        """The last license sync when it is recent and of the right organization: it proves what the cloud would be asked."""
        connection, wanted = self.connection, self.params["cloud_organization_id"]
        if connection is None or not connection.enabled or connection.last_license_sync is None:
            return None
        right = not wanted or (connection.cloud_organization_id or "").lower() == wanted.lower()
        last = parse_date(connection.last_license_sync)
        return show_date(last) if right and self.now - last < RECENT else None


def health_of(scene: Scene) -> str:
    """Say in one word how the license in force is."""
    if scene.entry is None:
        return "absent"
    if not scene.entry["enabled"]:
        return "disabled"
    if not is_owner(scene.entry):
        return "unknown"
    try:
        expires = expires_of(scene.subscription)
    except ApiError as error:
        if error.status in (400, 500):
            return "unreadable"
        raise
    return "expired" if expires is not None and expires <= scene.now else "ok"


def expires_of(subscription: t.Mapping[str, t.Any]) -> datetime | None:
    """Return the subscription's end, its grace period included."""
    text = subscription.get("expiration")
    return parse_date(text) if text else None
