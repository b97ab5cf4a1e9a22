"""Saving a policy: what it needs, whom it throws out, and what else it changes.

Source: bitwarden/server OrganizationFeatures/Policies/Implementations/SavePolicyCommand.cs, PolicyEventHandlers/*.
"""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass

from tests.lab import compliance, member_rows, my_items
from tests.lab.core import World, bad_request, iso
from tests.lab.policy_data import (
    ACCOUNT_RECOVERY,
    AUTO_CONFIRM,
    BLOCK_ACCOUNTS,
    DATA_OWNERSHIP,
    FAMILIES,
    NAMES,
    REMOVE_SEND,
    REQUIRE_SSO,
    REQUIRES,
    SEND_CONTROLS,
    SEND_OPTIONS,
    SINGLE_ORGANIZATION,
    TWO_STEP,
    exists,
    problem,
)
from tests.lab.rights import Actor
from tests.lab.state import Row

_LOSE_ACCESS = (
    "Policy could not be enabled. Non-compliant members will lose access to their accounts."
    " Identify members without two-step login from the policies column in the members page."
)
_CLAIMED = "The Single organization policy is required for organizations that have enabled domain verification."
_KEY_CONNECTOR = "Key Connector is enabled and requires this policy."
_TRUSTED = "Trusted device encryption is on and requires this policy."
_NOT_COMPLIANT = (
    "All members must be compliant with the single organization membership policy before you can enable the"
    " automatically confirm invited users policy. Remove members who belong to multiple organization vaults."
)
_PROVIDERS = (
    "This organization has members with the Provider user type."
    " Remove those members before enabling automatically confirm invited users."
)
_NO_DOMAIN = "You must claim at least one domain to turn on this policy"
_REASONS = {TWO_STEP: 2, SINGLE_ORGANIZATION: 4}
_SUBJECTS = {TWO_STEP: "two-step login", SINGLE_ORGANIZATION: "single organization"}
_SEND_DATA: Row = {
    "disableSend": False,
    "disableHideEmail": False,
    **dict.fromkeys(("whoCanAccess", "allowedDomains", "deletionHours", "allowedSendTypes")),
}


def stored(world: World, organization_id: str, kind: int) -> Row | None:
    """Return a policy that was saved at least once."""
    return world.one("policy", organizationId=organization_id, type=kind)


def is_on(world: World, organization_id: str, kind: int) -> bool:
    """Say whether a policy is saved as enabled."""
    return world.one("policy", organizationId=organization_id, type=kind, enabled=True) is not None


@dataclass(frozen=True)
class Wish:
    """A policy as it is to be, its data checked; C(name) is the encrypted name for collections of members' own."""

    kind: int
    enabled: bool
    data: Row | None = None
    name: str | None = None


def save(by: Actor, wish: Wish) -> Row:
    """Save a policy, and do all that follows from it."""
    world, organization_id = by.world, by.id
    was_on = is_on(world, organization_id, wish.kind)
    if not by.organization["usePolicies"]:
        raise bad_request("This organization cannot use policies.")
    if wish.enabled != was_on:
        _check_dependencies(world, organization_id, wish)
    if wrong := problem(wish.kind, wish.enabled, wish.data or {}) or _state_problem(world, organization_id, wish):
        raise bad_request(wrong)
    switched_on = wish.enabled and not was_on
    if switched_on and wish.kind in _REASONS:
        _throw_out(by, wish.kind)
    row = _store(world, organization_id, wish.kind, wish.enabled, wish.data)
    by.record(1700, policyId=row["id"])
    if switched_on:
        _follow(world, by.organization, wish)
    if exists(world.version, SEND_CONTROLS):
        _keep_in_step(world, organization_id, row)
    return row


def _store(world: World, organization_id: str, kind: int, enabled: bool, data: Row | None) -> Row:
    row = stored(world, organization_id, kind) or {"id": str(uuid.uuid4()), "organizationId": organization_id, "type": kind}
    return world.put("policy", {**row, "enabled": enabled, "data": data, "revisionDate": iso(world.now())})


def _check_dependencies(world: World, organization_id: str, wish: Wish) -> None:
    kind = wish.kind
    if wish.enabled:
        needed = REQUIRES.get(kind)
        if needed is not None and not is_on(world, organization_id, needed):
            raise bad_request(f"Turn on the {NAMES[needed]} policy because it is required for the {NAMES[kind]} policy.")
        return
    dependents = [other for other, needed in REQUIRES.items() if needed == kind and is_on(world, organization_id, other)]
    if len(dependents) == 1:
        raise bad_request(f"Turn off the {NAMES[dependents[0]]} policy because it requires the {NAMES[kind]} policy.")
    if dependents:
        raise bad_request(f"Turn off all of the policies that require the {NAMES[kind]} policy.")


def _state_problem(world: World, organization_id: str, wish: Wish) -> str | None:
    """Return what the rest of the organization has against it."""
    if wish.enabled and wish.kind == AUTO_CONFIRM:
        return _auto_confirm_problem(world, organization_id)
    if wish.enabled and wish.kind == BLOCK_ACCOUNTS:
        return None if compliance.domains(world, organization_id) else _NO_DOMAIN
    config = world.get("sso", organization_id) or {}
    if needed := _needed_by_decryption(wish, (config.get("data") or {}).get("memberDecryptionType")):
        return needed
    single_off = wish.kind == SINGLE_ORGANIZATION and not wish.enabled
    return _CLAIMED if single_off and compliance.domains(world, organization_id) else None


def _needed_by_decryption(wish: Wish, decryption: int | None) -> str | None:
    """Say whether Key Connector (1) or trusted devices (2) need a policy as it is."""
    if decryption == 1 and not wish.enabled and wish.kind in (SINGLE_ORGANIZATION, REQUIRE_SSO):
        return _KEY_CONNECTOR
    enrols = wish.enabled and (wish.data or {}).get("autoEnrollEnabled")
    weakened = (wish.kind == REQUIRE_SSO and not wish.enabled) or (wish.kind == ACCOUNT_RECOVERY and not enrols)
    return _TRUSTED if decryption == 2 and weakened else None


def _auto_confirm_problem(world: World, organization_id: str) -> str | None:
    members = [row for row in world.find("member", organizationId=organization_id) if row["userId"]]
    if any(compliance.elsewhere(world, row, row["userId"]) for row in members):
        return _NOT_COMPLIANT
    return _PROVIDERS if any(world.one("provider_user", userId=row["userId"]) for row in members) else None


def _throw_out(by: Actor, kind: int) -> None:
    """Revoke and mail everybody who does not comply, except owners, admins and the caller."""
    world, name = by.world, by.organization["name"]
    rows = [
        row
        for row in world.find("member", organizationId=by.id)
        if row["status"] in (1, 2) and row["type"] > 1 and not (by.who and row["userId"] == by.who.id)
    ]
    bad = [row for row in rows if _violates(world, row, kind)]
    if kind == TWO_STEP and any(not (world.get("user", row["userId"]) or {}).get("passwordHash") for row in bad):
        raise bad_request(_LOSE_ACCESS)
    for row in bad:
        member_rows.revoke(world, row, _REASONS[kind])
        subject = f"You have been revoked from {name}"
        world.mail(row["email"], subject, f"Your account does not comply with the {_SUBJECTS[kind]} policy.")
        by.record(1511, organizationUserId=row["id"])


def _violates(world: World, row: Row, kind: int) -> bool:
    if kind == TWO_STEP:
        return not compliance.two_step(world.get("user", row["userId"]))
    others = (other for other in world.find("member", userId=row["userId"]) if other["id"] != row["id"])
    return any(other["status"] != member_rows.INVITED for other in others)


def _follow(world: World, organization: Row, wish: Wish) -> None:
    """Do what follows from a policy that was just switched on."""
    if wish.kind == DATA_OWNERSHIP:
        for row in world.find("member", organizationId=organization["id"], status=member_rows.CONFIRMED):
            my_items.give(world, organization, row, wish.name)
    if wish.kind == FAMILIES:
        for offer in world.find("sponsorship", sponsoringOrganizationId=organization["id"]):
            if offer["sponsoredOrganizationId"]:
                text = f"{organization['name']} no longer sponsors your Families plan."
                world.mail(offer["offeredToEmail"], "Removal of Free Bitwarden Families plan", text)


# Types 6 and 7 are older than 21, and are kept in step with it.


def send_controls(world: World, organization_id: str) -> Row:
    """Return the policy of type 21: as saved, else as 6 and 7 say."""
    remove, options = (stored(world, organization_id, kind) or {} for kind in (REMOVE_SEND, SEND_OPTIONS))
    hide = bool((options.get("data") or {}).get("disableHideEmail"))
    data = {**_SEND_DATA, "disableSend": bool(remove.get("enabled")), "disableHideEmail": hide}
    made_up = {"id": None, "organizationId": organization_id, "type": SEND_CONTROLS, "data": data}
    enabled = bool(remove.get("enabled") or options.get("enabled"))
    return stored(world, organization_id, SEND_CONTROLS) or {**made_up, "enabled": enabled, "revisionDate": None}


def _keep_in_step(world: World, organization_id: str, row: Row) -> None:
    data: Row = row["data"] or {}
    if row["type"] == SEND_CONTROLS:
        hide, on = bool(data.get("disableHideEmail")), row["enabled"]
        old = stored(world, organization_id, REMOVE_SEND) or {"data": None}
        _store(world, organization_id, REMOVE_SEND, bool(on and data.get("disableSend")), old["data"])
        _store(world, organization_id, SEND_OPTIONS, bool(on and hide), {"disableHideEmail": hide})
    elif row["type"] in (REMOVE_SEND, SEND_OPTIONS):
        other = stored(world, organization_id, SEND_OPTIONS if row["type"] == REMOVE_SEND else REMOVE_SEND)
        found = (send_controls(world, organization_id)["data"] or {}) | _legacy(row) | (_legacy(other) if other else {})
        enabled = row["enabled"] or bool(other and other["enabled"])
        _store(world, organization_id, SEND_CONTROLS, enabled, {**_SEND_DATA, **found})


def _legacy(row: Row) -> dict[str, t.Any]:
    """Say what a policy of type 6 or 7 means for type 21."""
    if row["type"] == REMOVE_SEND:
        return {"disableSend": row["enabled"]}
    return {"disableHideEmail": bool((row["data"] or {}).get("disableHideEmail"))}
