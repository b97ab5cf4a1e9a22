# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Billing sync: the token in the cloud, the connection on the self-hosted server, and the license that comes through it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._client import api_keys, connections, licensing, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.connections import Connection
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan, compare
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import billing_sync_token
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import (
    Directory,
    not_there,
    portal_url,
    read_connection,
    yet_to_come,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.sync_window import next_sponsorship_sync
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle

Values = dict[str, t.Any]
Params = t.Mapping[str, t.Any]
CONNECTION = "billing sync connection"
SYNC = "license sync"
SECRET = frozenset({"token"})
NOT_YET_MADE = "not yet made"  # stands for the token that only the real run makes; never shown, as the field is secret


# --- the connection, on the self-hosted server -------------------------------------------------------------------------


def ensure(params: Params, check_mode: bool, hide: t.Callable[[str | None], None]) -> tuple[Plan, Values, list[str]]:
    """Bring the connection to what was asked for, sync the license, and read both back."""
    billing_sync_token.refuse_bad(params["token"])
    server = connect(params)
    organization_id, current = _organization(server, params, check_mode)
    said = [] if organization_id or params["state"] == "absent" else [yet_to_come(params)]
    name = params["organization_name"] or organization_id or params["cloud_organization_id"] or ""
    source = _source(params, current)
    # What can be refused is refused before the token is made; what only its value tells, before the connection is written.
    sync = plan_sync(name, params, current, connection_changes=current is None or source.plan.changed)
    said += _refuse_sync(server, check_mode) if sync.changed else []
    wanted = _wanted(params, current, source.token(check_mode))
    for secret in (current.billing_sync_key if current else None, wanted["token"] if wanted else None):
        hide(secret)
    todo = plan_connection(name, current, wanted)
    if todo.changed and not sync.changed:
        sync = plan_sync(name, params, current, connection_changes=True)
        said += _refuse_sync(server, check_mode) if sync.changed else []
    license_changed = None
    if organization_id and not check_mode:
        current = _apply(server, organization_id, current, wanted, todo)
        if sync.changed:
            current, license_changed = _sync(server, organization_id, current)
    values = _values(server, organization_id, current, params["api_started"])
    return source.plan + todo + sync, {**values, "license_changed": license_changed}, said


def plan_connection(name: str, current: Connection | None, wanted: Values | None) -> Plan:
    """Return what leads from the connection as it is to the one that was asked for."""
    return compare(CONNECTION, name, _state(current) if current else None, wanted, SECRET)


def plan_sync(name: str, params: Params, current: Connection | None, connection_changes: bool) -> Plan:
    """Return whether the license is fetched in this run, and why."""
    if params["state"] == "absent" or not params["enabled"] or params["sync_license"] == "never":
        return Plan()
    if params["sync_license"] == "always":
        reason = "asked for in each run"
    elif connection_changes:
        reason = "proves the connection that has just changed"
    else:
        reason = too_old(current.last_license_sync if current else None, params["sync_max_age"], datetime.now(timezone.utc))
    return Plan((Change("run", SYNC, name, reason=reason),)) if reason else Plan()


def too_old(last_sync: str | None, hours: int, now: datetime) -> str:
    """Say why the last license sync is too old, or return an empty text."""
    if last_sync is None:
        return "there was none yet"
    last = parse_date(last_sync)
    return f"the last one was at {show_date(last)}" if now - last > timedelta(hours=hours) else ""


def _state(connection: Connection) -> Values:
    return {
        "enabled": connection.enabled,
        "token": connection.billing_sync_key,
        "cloud_organization_id": connection.cloud_organization_id,
    }


def _organization(server: Server, params: Params, check_mode: bool) -> tuple[str | None, Connection | None]:
    """Return the local id and the connection; in check mode the organization may be one that is yet to be created."""
    if params["organization_id"]:
        return params["organization_id"], read_connection(server, params["organization_id"])
    directory = Directory(server)
    found = directory.find(params)
    if found is None and params["cloud"]:  # before there is a connection, only its name in the cloud tells which it is
        cloud = connect(params["cloud"], field_prefix="cloud.")
        found = directory.find(params, name=organizations.get(cloud, params["cloud_organization_id"])["name"])
    if found is None:
        if check_mode or params["state"] == "absent":
            return None, None
        raise not_there(params)
    return found["id"], directory.connection(found["id"])


@dataclass(frozen=True)
class Source:
    """Where the token comes from, and what that takes in the cloud. C(fetch) is None when it is given or kept."""

    plan: Plan = field(default_factory=Plan)
    given: str | None = None
    fetch: t.Callable[[], str] | None = None

    def token(self, check_mode: bool) -> str | None:
        """Return the token; None keeps the one that is there."""
        if self.fetch is None:
            return self.given
        return NOT_YET_MADE if check_mode and self.plan.changed else self.fetch()


def _source(params: Params, current: Connection | None) -> Source:
    if params["state"] == "absent":
        return Source()
    if params["cloud"]:
        return _cloud_source(params, current)
    if params["token"] is None and current is None:
        raise SelfhostError(
            "There is no connection yet, and nothing to connect with.", field="token", remedy="Set token, or cloud to fetch it."
        )
    return Source(given=params["token"])


def _cloud_source(params: Params, current: Connection | None) -> Source:
    """The token of the cloud. A connection proves that there is one; else ask first, to tell what is changed."""
    cloud, organization_id = connect(params["cloud"], field_prefix="cloud."), params["cloud_organization_id"]
    proof = Account.unlock(cloud, params["cloud"]["master_password"]).password_hash
    exists = current is not None or api_keys.information(cloud, organization_id, api_keys.BILLING_SYNC) is not None
    return Source(
        billing_sync_token.plan(exists, organization_id), fetch=lambda: billing_sync_token.get(cloud, organization_id, proof).key
    )


def _wanted(params: Params, current: Connection | None, token: str | None) -> Values | None:
    """Return the connection as it should be, None for none."""
    if params["state"] == "absent":
        return None
    wanted = {"enabled": params["enabled"], "token": token or (current.billing_sync_key if current else None)}
    if params["cloud_organization_id"]:
        wanted["cloud_organization_id"] = params["cloud_organization_id"].lower()
    return wanted


def _apply(
    server: Server, organization_id: str, current: Connection | None, wanted: Values | None, plan: Plan
) -> Connection | None:
    """Carry out the plan for the connection and read the result back."""
    if not plan.changed:
        return current

    def write() -> None:
        if wanted is None:
            connections.delete(server, t.cast(Connection, current).id)
        elif current is None:
            connections.create(server, organization_id, wanted["token"], enabled=wanted["enabled"])
        else:
            connections.update(server, organization_id, current, wanted["token"], enabled=wanted["enabled"])

    def read() -> Connection | None:
        return read_connection(server, organization_id)

    settle(write, lambda: not plan_connection("", read(), wanted).changed)
    after = read()
    for change in plan_connection("", after, wanted).changes:
        raise _not_as_wanted(change)
    return after


def _not_as_wanted(change: Change) -> SelfhostError:
    if "cloud_organization_id" in change.after:
        return SelfhostError(
            f"The organization's license is of the cloud organization {change.before.get('cloud_organization_id')}, "
            f"not of {change.after['cloud_organization_id']}.",
            field="cloud_organization_id",
            remedy="Apply the license of the right organization first (bw.selfhost.organization_license).",
        )
    return SelfhostError("The server accepted the connection but did not keep it.", remedy="Look at the log of the api service.")


# --- the license that comes through it ---------------------------------------------------------------------------------


def _refuse_sync(server: Server, check_mode: bool) -> list[str]:
    """Refuse a sync that cannot work, before anything is written. In check mode an earlier task may be about to mend it."""
    if not server.supports("license sync"):
        raise SelfhostError(
            f"The server {server.version} cannot sync licenses.", field="sync_license", remedy="Update it, or set this to never."
        )
    if connections.enabled(server):
        return []
    problem = SelfhostError(
        "Cloud communication is off on the server, so it cannot sync.",
        field="sync_license",
        remedy="Set globalSettings__enableCloudCommunication to true and restart the server (role bw.selfhost.server).",
    )
    if check_mode:
        return [str(problem)]
    raise problem


def _sync(server: Server, organization_id: str, before: Connection | None) -> tuple[Connection | None, bool | None]:
    """Sync the license; return the connection after it, and whether the license is another one."""
    last = before.last_license_sync if before else None
    old = _subscription(server, organization_id)
    try:
        settle(lambda: licensing.sync(server, organization_id), lambda: _last_sync(server, organization_id) != last)
    except ApiError as error:
        raise _sync_failed(error) from None
    after = read_connection(server, organization_id)
    if after is None or after.last_license_sync == last:
        raise SelfhostError("The server did not sync the license.", field="sync_license", remedy="Look at its api log.")
    return after, old != _subscription(server, organization_id)


def _last_sync(server: Server, organization_id: str) -> str | None:
    connection = read_connection(server, organization_id)
    return connection.last_license_sync if connection else None


def _subscription(server: Server, organization_id: str) -> t.Any:
    try:
        return organizations.subscription(server, organization_id)
    except ApiError:
        return None  # unreadable, as with a license that is over; a sync mends it


def _sync_failed(error: ApiError) -> SelfhostError:
    if "internet connection" not in error.message:
        return error
    return SelfhostError(
        "The server could not fetch the license from the cloud.",
        field="sync_license",
        remedy="Its api log has the cause. Usual ones: a firewall in the way, another region's addresses in global.override.env, "
        "a wrong installation key, or a token that was rotated (run organization_license_info with checks).",
    )


def _values(server: Server, organization_id: str | None, current: Connection | None, api_started: str | None) -> Values:
    now = datetime.now(timezone.utc)
    started = parse_date(api_started) if api_started else None
    last = current.last_license_sync if current else None
    return {
        "organization_id": organization_id,
        "cloud_organization_id": current.cloud_organization_id if current else None,
        "last_license_sync": show_date(parse_date(last)) if last else None,
        "next_sponsorship_sync": next_sponsorship_sync(now, started) if current and current.enabled else None,
        "portal_url": portal_url(server, organization_id) if organization_id else None,
    }
