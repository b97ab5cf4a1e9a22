"""`test` and `sync`: read, build the request, post it unless it is the last one again.

Source: bitwarden/directory-connector libs/services/sync.service.ts, single-request-builder.ts, batch-request-builder.ts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime

from .errors import Failure, Uncaught, null_property
from .reading import OBJECTS, Group, Reading, User
from .server import Server, expires

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    from .storage import State

    Json = dict[str, t.Any]

_SLICE = 2000
_SHORT = 300  # seconds left of a token that is not used any more
SESSION = ("accessToken", "refreshToken", "apiKeyClientId", "apiKeyClientSecret", "twoFactorToken")


def log_out(state: State) -> None:
    """Forget the session and the API key."""
    if state.nested:
        state.remove("accessToken", "apiKeyClientId", "apiKeyClientSecret")
    else:
        state.document = {name: value for name, value in state.document.items() if name not in SESSION}
        state.save()


def clear_cache(state: State, with_hash: bool = True) -> None:
    """Forget what the next delta reading would begin from."""
    if state.account() is None:
        raise Failure(null_property("directorySettings"))
    names = ("userDeltaToken", "groupDeltaToken", "lastUserSync", "lastGroupSync", *(["lastSyncHash"] if with_hash else []))
    state.set(**dict.fromkeys(names))


def read(state: State, world: Json, force: bool, test: bool) -> tuple[list[Group], list[User]]:
    kind, sync = state.get("directoryType"), state.get("sync") or {}
    reading = Reading(world, kind, state.get(OBJECTS[kind]) if kind in OBJECTS else None, sync)
    return reading.entries(force or bool(sync.get("overwriteExisting")), test, state.get("lastUserSync"))


def listing(groups: list[Group], users: list[User]) -> Json:
    """Return what C(test) prints."""

    def shown(those: t.Iterable[User]) -> list[Json]:
        rows = [{"externalId": user.external_id, "displayName": user.email or user.reference} for user in those]
        return sorted(rows, key=lambda row: str(row["displayName"]))

    named = [{"externalId": group.external_id, "displayName": group.name, "userIds": group.users} for group in groups]
    return {
        "groups": sorted(named, key=lambda row: str(row["displayName"])),
        "enabledUsers": shown(user for user in users if not user.disabled and not user.deleted),
        "disabledUsers": shown(user for user in users if user.disabled and not user.deleted),
        "deletedUsers": shown(user for user in users if user.deleted),
        "object": "test",
    }


def sync(state: State, world: Json, server: Server) -> tuple[int, int]:
    """Sync, and return how many groups and users were sent."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    groups, users = read(state, world, force=False, test=False)
    options = state.get("sync") or {}
    if groups or users or options.get("overwriteExisting"):
        requests = build(groups, users, options, staged=state.document.get("stateVersion") == 8)
        if not _send(state, server, requests):
            groups, users = [], []
    times = {name: now for name, key in (("lastGroupSync", "groups"), ("lastUserSync", "users")) if options.get(key)}
    state.set(**times)
    return len(groups), len(users)


def build(groups: list[Group], users: list[User], options: Json, staged: bool) -> list[Json]:
    """Return the requests; a switch that the options do not have is not in them either."""
    overwrite, large = options.get("overwriteExisting"), options.get("largeImport")
    named = [{"name": group.name, "externalId": group.external_id, "memberExternalIds": group.users} for group in groups]
    members = [_member(user, options.get("removeDisabled")) for user in users]
    invites = {"inviteUsersAfterProvisioning": options.get("inviteUsersAfterProvisioning")} if staged else {}
    if not large or len(named) + len(members) <= _SLICE:
        whole = {"groups": named, "members": members, "overwriteExisting": overwrite, "largeImport": False, **invites}
        return [{name: value for name, value in whole.items() if value is not None}]
    if overwrite:
        raise Failure("You cannot use the 'Remove and re-add organization users during the next sync' option with large imports.")
    tail = {"overwriteExisting": False, "largeImport": True, **invites}
    slices = [{"groups": [], "members": members[at : at + _SLICE], **tail} for at in range(0, len(members), _SLICE)]
    return slices + [{"groups": named[at : at + _SLICE], "members": [], **tail} for at in range(0, len(named), _SLICE)]


def _member(user: User, remove_disabled: bool | None) -> Json:
    deleted = user.deleted or (None if remove_disabled is None else remove_disabled and user.disabled)
    about = {"email": user.email, "externalId": user.external_id}
    return about if deleted is None else {**about, "deleted": deleted}


def compact(value: t.Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def digest(api: str, organization_id: str, requests: list[Json]) -> str:
    text = api + organization_id + compact(requests[0] if len(requests) == 1 else requests)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _send(state: State, server: Server, requests: list[Json]) -> bool:
    organization_id = state.get("organizationId")
    if organization_id is None:
        raise Failure("Organization not set.")
    found = digest(server.api, organization_id, requests)
    if found == state.get("lastSyncHash"):
        return False
    token = state.get("accessToken")
    if expires(token) - time.time() < _SHORT:
        token = server.token(state.get("apiKeyClientId"), state.get("apiKeyClientSecret"), str(state.document.get("appId")))
        state.set(accessToken=token)
    for request in requests:
        try:
            server.import_directory(token, compact(request))
        except Uncaught:
            log_out(state)
            raise
    state.set(lastSyncHash=found)
    return True
