# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All rules of an organization in one list; and what a task has to read, and to be allowed, for a description."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model import collection_rules, member_rules, policy_rules
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import Caller
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import Desired
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.limits import INVITATIONS_A_DAY
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_case import Case
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES

RULES: tuple[t.Callable[[Case], t.Iterator[SelfhostError]], ...] = (
    collection_rules.names,
    collection_rules.references,
    collection_rules.groups_allowed,
    collection_rules.collection_limit,
    collection_rules.managers,
    collection_rules.out_of_reach,
    collection_rules.own_groups,
    collection_rules.pruning,
    member_rules.addresses,
    member_rules.custom_roles,
    member_rules.rank,
    member_rules.owners,
    member_rules.oneself,
    member_rules.claimed,
    member_rules.keys,
    member_rules.seats,
    policy_rules.policy_data,
    policy_rules.permitted,
    policy_rules.dependencies,
    policy_rules.affected,
    policy_rules.single_sign_on,
)
# What is read -> the permission that it takes; the settings are the owners' alone.
_RIGHTS = {
    "collections": "edit_any_collection",
    "groups": "manage_groups",
    "members": "manage_users",
    "policies": "manage_policies",
    "sso": "manage_sso",
    "scim": "manage_scim",
}


def refusals(case: Case) -> list[SelfhostError]:
    """Return everything that is wrong."""
    return [problem for rule in RULES for problem in rule(case)]


def parts(desired: Desired) -> frozenset[str]:
    """Return what of the organization has to be read."""
    revoking = any(wish.enabled and POLICIES[wish.type].revokes for wish in desired.policies)
    dependent = desired.sso.get("member_decryption") in ("trusted_devices", "key_connector")  # on policies
    listed = {"collections": desired.collections, "groups": desired.groups, "members": desired.members}
    found = {part for part, wishes in listed.items() if wishes is not None}
    if found or desired.confirm_domains or revoking or dependent:
        found.add("members")
    if desired.policies or dependent:
        found.add("policies")
    return frozenset(found | {part for part, wanted in (("sso", desired.sso), ("scim", desired.scim)) if wanted})


def rights(desired: Desired, caller: Caller) -> list[SelfhostError]:
    """Return what the caller's role does not allow at all."""
    missing = [permission for part, permission in _RIGHTS.items() if part in parts(desired) and not caller.may(permission)]
    if desired.settings and caller.role != "owner":
        missing.append("the role owner")
    if not missing:
        return []
    return [
        SelfhostError(
            f"The account's role, {caller.role}, is not enough; this needs {', '.join(missing)}.",
            field="client_id",
            remedy="Use an owner's account, a provider's, or give this one what is missing.",
        )
    ]


def warnings(case: Case) -> list[str]:
    """Return what the operator should know although it is no reason to stop."""
    said = [
        f"Enabling the policy {name} may revoke {len(people)}: {collection_rules.some(people)}."
        for name, people in case.endangered.items()
        if people
    ]
    if not case.facts.entry.get("enabled", True):
        said.append(
            "The organization is switched off, as its subscription or license is over: until that is mended, nobody can use it."
        )
    most, taken = case.facts.entry.get("seats"), member_rules.seats_taken(case)
    if most is not None and taken > most and case.keys("invite", "restore"):
        said.append(f"The organization has {most} seats and will need {taken}; the cloud adds them to the subscription.")
    invitations = len(case.invitations)
    if not case.facts.self_hosted and invitations > INVITATIONS_A_DAY:
        said.append(
            f"{invitations} requests for invitations are needed, and the cloud takes {INVITATIONS_A_DAY} a day from one address: "
            "run it again on the next day, which goes on where this one stops."
        )
    return said
