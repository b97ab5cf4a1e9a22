# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The license of an organization on a self-hosted server: compared, refused, applied, read back."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.bw.selfhost.plugins.module_utils._client import licensing, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import Password
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model import license as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.keys import KeyPair
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import License
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import license_files
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.license_case import (
    Case,
    Current,
    Params,
    Values,
    candidate_of,
    current_of,
    now_of,
    subscription_of,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.license_refusals import refusals
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import Directory, Entry
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle

KIND = "license"
KEYS = "organization key pair"
API_LOG = "Look at the log of the api service; it must be able to write the license directory."


def ensure(params: Params, check_mode: bool) -> tuple[Plan, Values]:
    """Bring the license in force to the one that was given or downloaded."""
    candidate = candidate_of(params)
    now = now_of(candidate, fresh=bool(params["cloud"]))
    files = license_files.read(params["license_directory"]) if params["license_directory"] else {}
    case = Case(params, Directory(connect(params)), candidate, files)
    current = current_of(case)
    plan = plan_license(candidate, current, now, force=params["force"], applies_claims=case.applies_claims)
    keys = plan_keys(candidate.name, current)
    refuse_all(refusals(case, current, now, changing=plan.changed or keys.changed))
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
    if set(changed[1]) - {"expires"} or _gains(changed, now) or _says_more(current.stored, candidate):
        return "the license grants something else"
    if current.stored is not None and _ends_soon(current.stored, candidate, now):
        return "the license in force ends soon"
    return "forced" if force else ""


def _says_more(stored: License | None, candidate: License) -> bool:
    """Say whether the files differ in something that is not shown, such as the billing address."""
    readable = stored is not None and stored.claims and candidate.claims
    return bool(readable) and not model.same_entitlement(t.cast(License, stored), candidate, ends=False)


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


# --- applying ----------------------------------------------------------------------------------------------------------


def _apply(case: Case, current: Current | None, plan: Plan, keys: Plan) -> str:
    """Carry out both plans, reading each result back; return the organization's local id."""
    if current is None:
        return _create(case)
    if plan.changed:
        content = case.candidate.content
        settle(lambda: licensing.upload(case.server, current.id, content), lambda: _in_force(case, current.id))
        _verify(case, current.id)
    if keys.changed:
        entry = current.entry or t.cast(Entry, case.directory.find({"organization_id": current.id}))
        account = Account.unlock(case.server, case.params["master_password"])
        _set_keys(case.server, current.id, account.new_key_pair(entry["key"]))
    return current.id


def _create(case: Case) -> str:
    """Create the organization. A lost answer is settled by looking for it, so there is never a second one."""
    server, password = case.server, case.params["master_password"]
    account = Account.unlock(server, password)
    if not server.renewable:  # the new role only shows in a new token
        server.identity = Password(account.email, password)
    keys = account.new_organization(case.params["collection_name"])
    known = {entry["id"] for entry in organizations.mine(server)}

    def made() -> list[str]:
        found = organizations.mine(server)
        return [str(one["id"]) for one in found if one["id"] not in known and one["name"] == case.candidate.name]

    settle(lambda: licensing.create(server, case.candidate.content, keys.key, keys.collection_name), lambda: bool(made()))
    for organization_id in made():
        server.renew()
        _set_keys(server, organization_id, keys.pair)
        _verify(case, organization_id)
        return organization_id
    raise SelfhostError("The server accepted the license but made no organization.", field="license", remedy=API_LOG)


def _set_keys(server: Server, organization_id: str, pair: KeyPair) -> None:
    settle(
        lambda: organizations.set_keys(server, organization_id, pair),
        lambda: bool(organizations.get(server, organization_id)["hasPublicAndPrivateKeys"]),
    )


def _verify(case: Case, organization_id: str) -> None:
    if not _in_force(case, organization_id):
        raise SelfhostError(
            "The server accepted the license but does not show it as the one in force.", field="license", remedy=API_LOG
        )


def _in_force(case: Case, organization_id: str) -> bool:
    subscription = subscription_of(case.server, organization_id)
    entry = next((one for one in organizations.mine(case.server) if one["id"] == organization_id), None)
    return subscription is not None and model.matches_subscription(
        case.candidate, subscription, entry, applies_claims=case.applies_claims
    )


def _shown(license: License) -> Values:
    return {
        "expires": show_date(license.expires),
        "end_of_life": show_date(license.end_of_life),
        "issued": show_date(license.issued),
        "seats": license.seats,
        "plan": license.values["plan"],
    }
