# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One look at an organization: what is there, what is wanted, what that would take. The rules judge it."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import Caller
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.fingerprint import phrase
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import Desired
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import Member, Organization
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_plan import Known, Step, steps
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_target import merge
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import DATA_OWNERSHIP, POLICIES

INVITED_AT_ONCE = 20  # bitwarden/server OrganizationUserInviteRequestModel.cs


@dataclass(frozen=True)
class Facts:
    """What the organization is allowed to have.

    Attributes:
        entry: the organization in the caller's profile: C(seats), C(maxCollections), C(use…), C(providerId).
        version: the server's release; empty for the cloud, which is always the newest.
        self_hosted: whether no seat can be bought on the way.
        sponsorships: how many seats are taken by sponsorships that the organization offers.
    """

    entry: t.Mapping[str, t.Any]
    version: tuple[int, ...] = ()
    self_hosted: bool = True
    sponsorships: int = 0

    def has(self, release: str) -> bool:
        """Say whether the server is this release or a later one."""
        return not self.version or self.version >= tuple(map(int, release.split(".")))


@dataclass(frozen=True)
class Case:
    """One look."""

    desired: Desired
    current: Organization
    caller: Caller
    facts: Facts

    @cached_property
    def target(self) -> Organization:
        """The state that is wanted."""
        return merge(self.current, self.desired, self.caller)

    @cached_property
    def steps(self) -> list[Step]:
        """What leads there."""
        return steps(self.current, self.target, Known(self.caller.email, self.phrases, self.endangered))

    @cached_property
    def phrases(self) -> dict[str, str]:
        """The fingerprint phrases of those who have accepted, by e-mail address."""
        return {
            email: phrase(member.user_id or "", member.public_key)
            for email, member in self.current.members.items()
            if member.public_key
        }

    @property
    def invitations(self) -> list[list[str]]:
        """The addresses to invite, in as few requests as can be: each takes so many of one role."""
        batches: dict[tuple[str, frozenset[str]], list[str]] = defaultdict(list)
        for email in self.keys("invite"):
            member = self.target.members[email]
            batches[member.role, member.permissions].append(email)
        return [batch[i : i + INVITED_AT_ONCE] for batch in batches.values() for i in range(0, len(batch), INVITED_AT_ONCE)]

    @property
    def needs_key(self) -> bool:
        """Whether something has to be encrypted, besides the names of collections, which are read with the key."""
        return bool(self.keys("confirm")) or DATA_OWNERSHIP in self.keys("enable policy")

    def keys(self, *stages: str) -> list[str]:
        """Return what the steps of some stages are about."""
        return [key for stage in stages for key in self._keys.get(stage, ())]

    @cached_property
    def _keys(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for step in self.steps:
            found[step.stage].append(step.key)
        return found

    @cached_property
    def enabled(self) -> list[str]:
        """The policies that become enabled."""
        return [name for name, policy in self.target.policies.items() if policy.enabled and not self.current.policy(name).enabled]

    @cached_property
    def endangered(self) -> dict[str, list[str]]:
        """Policy that becomes enabled -> the people whom that may revoke, by e-mail address.

        Source: bitwarden/server src/Core/AdminConsole/OrganizationFeatures/Policies/PolicyEventHandlers/
        {TwoFactorAuthentication,SingleOrg}PolicyEventHandler.cs. Nobody tells who is a member of another organization.
        """
        people = [member for member in self.current.members.values() if self._is_at_risk(member)]
        tests: dict[str, t.Callable[[Member], bool]] = {
            "two_step": lambda member: not member.two_step,
            "others": lambda _member: True,
        }
        return {
            name: sorted(member.email for member in people if tests[POLICIES[name].revokes](member))
            for name in self.enabled
            if POLICIES[name].revokes
        }

    def _is_at_risk(self, member: Member) -> bool:
        active = member.status in ("accepted", "confirmed") and member.role in ("user", "custom")
        return active and member.email in self.target.members and member.email != self.caller.email
