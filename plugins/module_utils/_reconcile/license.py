# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The license of an organization on a self-hosted server: compared, refused, applied, read back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._client import licensing, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import Password
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._client.versions import parse_version
from ansible_collections.bw.selfhost.plugins.module_utils._model import license as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import MAX_BYTES, License, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import license_files
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import (
    Directory,
    Entry,
    is_owner,
    not_a_member,
    not_owner,
    occupied_seats,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle

Values = dict[str, t.Any]
Params = t.Mapping[str, t.Any]
KIND = "license"
KEYS = "organization key pair"


@dataclass(frozen=True)
class Current:
    """What the server has.

    Attributes:
        id: the organization there.
        subscription: its subscription; None when the server cannot read the license in force.
        entry: the user's membership; None when the id was given, which spares asking.
        stored: the license file in force, where it can be read.
    """

    id: str
    subscription: Values | None
    entry: Entry | None = None
    stored: License | None = None


@dataclass(frozen=True)
class Case:
    """One candidate for one server. C(files) are the server's own license files, where they can be read."""

    params: Params
    directory: Directory
    candidate: License
    files: t.Mapping[str, License | None]

    @property
    def server(self) -> Server:
        """The self-hosted server."""
        return self.directory.server

    @property
    def applies_claims(self) -> bool:
        """Whether an update takes everything from the license's token."""
        return self.server.supports("license update from token")


def ensure(params: Params, check_mode: bool) -> tuple[Plan, Values]:
    """Bring the license in force to the one that was given or downloaded."""
    candidate = _candidate(params)
    now = _now(candidate, fresh=bool(params["cloud"]))
    files = license_files.read(params["license_directory"]) if params["license_directory"] else {}
    case = Case(params, Directory(connect(params)), candidate, files)
    current = _current(case)
    plan = plan_license(candidate, current, now, force=params["force"], applies_claims=case.applies_claims)
    keys = plan_keys(candidate.name, current)
    refuse_all(_refusals(case, current, now, changing=plan.changed or keys.changed))
    organization_id = current.id if current else None
    if not check_mode:
        organization_id = _apply(case, current, plan, keys)
    return plan + keys, {
        "organization_id": organization_id,
        "cloud_organization_id": candidate.id,
        "organization_name": candidate.name,
        "created": current is None,
        "license": _shown(candidate),
    }


# --- planning ----------------------------------------------------------------------------------------------------------


def plan_license(
    candidate: License, current: Current | None, now: datetime, *, force: bool = False, applies_claims: bool = True
) -> Plan:
    """Return whether the candidate is to be applied, and what it changes."""
    before = None if current is None else current.stored or current.subscription
    old, new = model.changes(before, candidate, applies_claims=applies_claims)
    if current is None:
        return Plan((Change("create", KIND, candidate.name, after=new),))
    reason = _reason(candidate, current, now, (old, new), force)
    return Plan((Change("update", KIND, candidate.name, before=old, after=new, reason=reason),)) if reason else Plan()


def plan_keys(name: str, current: Current | None) -> Plan:
    """Return whether the organization needs a key pair: a new one does, and one whose creation broke off half way."""
    has_keys = current is not None and (current.subscription or {}).get("hasPublicAndPrivateKeys") is not False
    return Plan() if has_keys else Plan((Change("create", KEYS, name),))


def _reason(candidate: License, current: Current, now: datetime, changed: tuple[Values, Values], force: bool) -> str:
    """Say why the candidate is to be applied, or return an empty text when it is not."""
    if current.subscription is None:
        return "the server cannot read the license in force"
    if current.entry is not None and current.entry["enabled"] is not True:
        return "the server has disabled the organization"
    if set(changed[1]) - {"expires"} or _gains(changed, now):
        return "the license grants something else"
    if current.stored is not None and _ends_soon(current.stored, candidate, now):
        return "the license in force ends soon"
    return "forced" if force else ""


def _gains(changed: tuple[Values, Values], now: datetime) -> bool:
    """Say whether another end is worth a change. For some subscriptions the cloud counts it from each download on."""
    if "expires" not in changed[1]:
        return False
    old, new = changed[0].get("expires"), changed[1]["expires"]
    if old is None or new is None:
        return True
    ends, later = parse_date(old), parse_date(new)
    return not (ends - now > model.RENEWAL_MARGIN and ends <= later < ends + model.RENEWAL_MARGIN)


def _ends_soon(stored: License, candidate: License, now: datetime) -> bool:
    ends, later = stored.end_of_life, candidate.end_of_life
    return ends is not None and ends - now < model.RENEWAL_MARGIN and (later is None or later > ends)


# --- reading -----------------------------------------------------------------------------------------------------------


def _candidate(params: Params) -> License:
    if params["cloud"]:
        cloud = connect(params["cloud"], field_prefix="cloud.")
        return parse(_download(cloud, params["cloud_organization_id"], params["installation_id"]))
    if params["license"] is not None:
        return parse(params["license"])
    try:
        with open(params["license_path"], "rb") as file:
            return parse(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise SelfhostError(
            f"The file cannot be read: {error.strerror}.", field="license_path", remedy="It is read where the module runs."
        ) from None


def _now(candidate: License, fresh: bool) -> datetime:
    """Return the present. What the cloud has just issued is not of the future, whatever this machine's clock says."""
    now = datetime.now(timezone.utc)
    return max(now, candidate.issued) if fresh and candidate.issued else now


def _download(cloud: Server, organization_id: str, installation_id: str) -> bytes:
    try:
        return licensing.download(cloud, organization_id, installation_id)
    except ApiError as error:
        if error.status == 404:
            raise SelfhostError(
                f"The user has no organization {organization_id} in this region of the cloud, or is not its owner.",
                field="cloud_organization_id",
                remedy="Use the id from the address bar of the cloud's admin console, and the API key of an owner.",
            ) from None
        if error.status == 400 and "installation" in error.message.lower():
            raise SelfhostError(
                f"This region of the cloud does not know the installation {installation_id}.",
                field="installation_id",
                remedy="Choose the region in which the installation id was requested (cloud.region), or correct the id.",
            ) from None
        raise


def _current(case: Case) -> Current | None:
    """Return what the server has, or None when it does not have the organization."""
    local, entry = case.params["organization_id"], None
    if not local:
        entry = _find(case)
        if entry is None:
            return None
        if not is_owner(entry):
            raise not_owner(entry)
        local = str(entry["id"])
    return Current(local, _subscription(case.server, local), entry, case.files.get(local.lower()))


def _find(case: Case) -> Entry | None:
    """Find the organization by its own license file, by its connection, or by its name."""
    wanted = {**case.params, "cloud_organization_id": case.candidate.id}
    holders = _holders(case.files, case.candidate)
    if len(holders) == 1 and not case.params["organization_name"]:
        wanted["organization_id"] = holders.pop()
    return case.directory.find(wanted, case.candidate.name)


def _holders(files: t.Mapping[str, License | None], candidate: License) -> set[str]:
    """Return the local ids of the organizations whose license file is of the same subscription."""
    return {local for local, stored in files.items() if stored is not None and stored.license_key == candidate.license_key}


def _subscription(server: Server, organization_id: str) -> Values | None:
    """Return the subscription, None when the license in force is over (400), missing or damaged (500)."""
    try:
        return organizations.subscription(server, organization_id)
    except ApiError as error:
        if error.status == 404:
            raise not_a_member(organization_id) from None
        if error.status in (400, 500):
            return None
        raise


# --- refusing ----------------------------------------------------------------------------------------------------------


def _refusals(case: Case, current: Current | None, now: datetime, *, changing: bool) -> list[SelfhostError]:
    """Return every reason not to apply the candidate. What costs a request is only asked when something is to be changed."""
    given, replace = case.params["cloud_organization_id"], case.params["replace"]
    in_force = _cloud_id_in_force(case, current) if current and changing and not replace else None
    fresh = replace or case.params["cloud"]  # what the cloud has just given is never older
    problems = model.refusals(
        case.candidate,
        case.params["installation_id"],
        now,
        server_version=parse_version(case.server.version),
        occupied_seats=_occupied_seats(case, current) if changing else None,
        cloud_organization_id=in_force or given,
        current_expires=None if fresh else _expires(current),
        creating=current is None,
    )
    if current is None:
        problems += _cannot_create(case)
    elif current.stored is not None and not fresh:
        problems += _older_file(case.candidate, current.stored)
    return problems + (_used_elsewhere(case, current) if changing else [])


def _cloud_id_in_force(case: Case, current: Current) -> str | None:
    if current.stored is not None:
        return current.stored.id
    connection = case.directory.connection(current.id)
    return connection.cloud_organization_id if connection else None


def _expires(current: Current | None) -> datetime | None:
    expiration = (current.subscription or {}).get("expiration") if current else None
    return parse_date(expiration) if expiration else None


def _occupied_seats(case: Case, current: Current | None) -> int | None:
    """Count what occupies seats, only when the candidate has fewer than the license in force."""
    new, old = case.candidate.seats, (current.subscription or {}).get("seats") if current else None
    if current is None or new is None or (old is not None and new >= old):
        return None
    return occupied_seats(case.server, current.id)


def _older_file(candidate: License, stored: License) -> list[SelfhostError]:
    if candidate.issued is None or stored.issued is None or candidate.issued >= stored.issued:
        return []
    return [
        SelfhostError(
            f"The license was issued at {show_date(candidate.issued)}, before the one in force ({show_date(stored.issued)}).",
            field="license",
            remedy="Download it again, or set replace to go back to it on purpose.",
        )
    ]


def _used_elsewhere(case: Case, current: Current | None) -> list[SelfhostError]:
    """Refuse a license that another organization of this server uses already."""
    connected = {entry["id"] for entry in case.directory.entries if case.directory.cloud_id(entry) == case.candidate.id}
    others = {local.lower() for local in _holders(case.files, case.candidate) | connected}
    return [
        SelfhostError(
            f"Another organization of this server ({other}) uses this license already.",
            field="license",
            remedy="Each license serves one organization: set organization_id to that one, or use another license.",
        )
        for other in sorted(others - {current.id.lower() if current else ""})
    ]


def _cannot_create(case: Case) -> list[SelfhostError]:
    try:
        Account.unlock(case.server, case.params["master_password"])
    except SelfhostError as error:
        return [error]
    return []


# --- applying ----------------------------------------------------------------------------------------------------------


def _apply(case: Case, current: Current | None, plan: Plan, keys: Plan) -> str:
    """Carry out both plans, reading each result back; return the organization's local id."""
    if current is None:
        current = _create(case)
    elif plan.changed:
        _upload(case, current.id)
    if keys.changed:
        _set_keys(case, current)
    return current.id


def _upload(case: Case, organization_id: str) -> None:
    content = case.candidate.content
    settle(lambda: licensing.upload(case.server, organization_id, content), lambda: _in_force(case, organization_id))
    if not _in_force(case, organization_id):
        raise SelfhostError(
            "The server accepted the license but does not show it as the one in force.",
            field="license",
            remedy="Look at the log of the api service; the license directory must be writable for it.",
        )


def _in_force(case: Case, organization_id: str) -> bool:
    subscription = _subscription(case.server, organization_id)
    entry = next((one for one in organizations.mine(case.server) if one["id"] == organization_id), None)
    return subscription is not None and model.matches_subscription(
        case.candidate, subscription, entry, applies_claims=case.applies_claims
    )


def _create(case: Case) -> Current:
    """Create the organization. A lost answer is settled by looking for it, so there is never a second one."""
    server, password = case.server, case.params["master_password"]
    account = Account.unlock(server, password)
    if not server.renewable:  # the new role only shows in a new token
        server.identity = Password(account.email, password)
    keys = account.new_organization(case.params["collection_name"])
    known = {entry["id"] for entry in organizations.mine(server)}

    def made() -> Entry | None:
        new = (entry for entry in organizations.mine(server) if entry["id"] not in known and entry["name"] == case.candidate.name)
        return next(new, None)

    settle(lambda: licensing.create(server, case.candidate.content, keys.key, keys.collection_name), lambda: made() is not None)
    entry = made()
    if entry is None:
        raise SelfhostError("The server accepted the license but made no organization.", remedy="Look at its api log.")
    server.renew()
    return Current(entry["id"], _subscription(server, entry["id"]), entry)


def _set_keys(case: Case, current: Current) -> None:
    entry = current.entry or case.directory.find({"organization_id": current.id})
    account = Account.unlock(case.server, case.params["master_password"])
    pair = account.new_key_pair(t.cast(Entry, entry)["key"])
    settle(
        lambda: organizations.set_keys(case.server, current.id, pair),
        lambda: bool(organizations.get(case.server, current.id)["hasPublicAndPrivateKeys"]),
    )


def _shown(license: License) -> Values:
    return {
        "expires": show_date(license.expires),
        "end_of_life": show_date(license.end_of_life),
        "issued": show_date(license.issued),
        "seats": license.seats,
        "plan": license.values["plan"],
    }
