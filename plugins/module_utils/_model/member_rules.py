# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is refused of members, before anything is written."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.bw.selfhost.plugins.module_utils._model import confirmation, emails
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import Member
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_case import Case
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_target import candidate
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import SEATED

Problems = t.Iterator[SelfhostError]


def addresses(case: Case) -> Problems:
    """Addresses that are none, and people who are named twice."""
    yield from emails.refusals([wish.email for wish in case.desired.members or ()], "members")


def custom_roles(case: Case) -> Problems:
    """Permissions where there are none: only for the role custom, which only some plans have."""
    for wish in case.desired.members or ():
        field = f"members[{wish.email}]"
        if wish.permissions and wish.role != "custom":
            yield SelfhostError(
                "Only the role custom has permissions.", field=field, remedy="Set role to custom, or leave them out."
            )
        if wish.role == "custom" and wish.state != "absent" and not case.facts.entry.get("useCustomPermissions"):
            yield SelfhostError(
                "The plan of the organization has no role custom.", field=field, remedy="It needs the Enterprise plan."
            )


def rank(case: Case) -> Problems:
    """Changes above the caller's own rank: only owners touch owners, and the role custom no admins. OrganizationService.cs."""
    caller = case.caller
    if caller.role == "owner":
        return
    for email in dict.fromkeys(case.keys("update member", "remove", "revoke", "restore", "invite")):
        roles = {member.role for member in _both(case, email)}
        if "owner" in roles or ("admin" in roles and caller.role == "custom"):
            yield SelfhostError(
                f"The account's role, {caller.role}, does not allow this.",
                field=f"members[{email}]",
                remedy="Use an owner's account.",
            )
        missing = case.target.members[email].permissions - caller.permissions if email in case.target.members else frozenset()
        if caller.role == "custom" and missing:
            yield SelfhostError(
                f"The account can only give permissions that it has itself, not {', '.join(sorted(missing))}.",
                field=f"members[{email}].permissions",
                remedy="Use an owner's account.",
            )


def _both(case: Case, email: str) -> list[Member]:
    return [organization.members[email] for organization in (case.current, case.target) if email in organization.members]


def owners(case: Case) -> Problems:
    """An organization without anybody who could administer it. A provider's users count as its owners."""
    if case.caller.provider or case.facts.entry.get("providerId"):
        return
    stay = [
        email
        for email, member in case.target.members.items()
        if (member.role, member.status) == ("owner", "confirmed") and case.current.members[email].status != "revoked"
    ]
    if case.current.members and not stay:
        yield SelfhostError(
            "The organization would be left without a confirmed owner.",
            field="members",
            remedy="Keep one, or let another owner be confirmed first.",
        )


def oneself(case: Case) -> Problems:
    """The server lets nobody remove or revoke themselves."""
    for wish in case.desired.members or ():
        if wish.email == case.caller.email and wish.state != "present":
            yield SelfhostError(
                "This is the account that is logged in.",
                field=f"members[{wish.email}].state",
                remedy="Use another owner's account.",
            )


def claimed(case: Case) -> Problems:
    """Accounts that belong to the organization can be revoked or deleted, but not removed."""
    for email in case.keys("remove"):
        if case.current.members[email].claimed:
            yield SelfhostError(
                "The account belongs to the organization through its domain and cannot be removed.",
                field=f"members[{email}].state",
                remedy="Set state to revoked.",
            )


def keys(case: Case) -> Problems:
    """People whose public key is not the one that the operator was told."""
    wishes = {wish.email: wish for wish in case.desired.members or ()}
    for email in case.keys("confirm"):
        problem = (
            confirmation.refusal(candidate(case.current.members[email], wishes[email]), f"members[{email}]")
            if email in wishes
            else None
        )
        if problem:
            yield problem


def seats(case: Case) -> Problems:
    """More people than seats, where nobody can buy any on the way."""
    most, taken = case.facts.entry.get("seats"), seats_taken(case)
    fixed = case.facts.self_hosted or case.facts.entry.get("providerId")
    if fixed and most is not None and case.keys("invite", "restore") and taken > most:
        yield SelfhostError(
            f"The organization has {most} seats, and {taken} would be needed.",
            field="members",
            remedy="Buy seats and apply the new license, or remove people."
            if case.facts.self_hosted
            else "Let the provider add seats.",
        )


def seats_taken(case: Case) -> int:
    """Count the seats that the target needs: whoever is neither revoked nor staged, and the organization's sponsorships."""
    counts = Counter(member.status for member in case.target.members.values())
    return sum(counts[status] for status in SEATED) + case.facts.sponsorships
