# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The policies of an organization in one table: their numbers, their data, and what they need and do.

Source: bitwarden/server src/Core/AdminConsole/Enums/PolicyType.cs, Models/Data/Organizations/Policies/*.cs and
OrganizationFeatures/Policies/PolicyEventHandlers/*.cs; ranges that only clients check: bitwarden/clients
apps/web/src/app/admin-console/organizations/policies/policy-edit-definitions/.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Key:
    """What the value of a key in a policy's data may be; the server takes anything, and clients then ignore it."""

    kind: type
    low: int = 0
    high: int = 2**31 - 1
    choices: tuple[t.Any, ...] = ()

    def wrong(self, value: t.Any) -> str:
        """Say what is wrong with a value, nothing when it is right."""
        kind: t.Any = type(value)
        if kind is not self.kind:  # a bool is an int for isinstance
            return f"has to be {_KINDS[self.kind]}"
        if self.kind is list:
            return next((f"may hold {_shown(self.choices)}" for one in value if one not in self.choices), "")
        if self.choices:
            return "" if value in self.choices else f"has to be {_shown(self.choices)}"
        if self.kind is int and not self.low <= value <= self.high:
            return f"has to be from {self.low} to {self.high}"
        if self.kind is str and len(value) > self.high:
            return f"has to be at most {self.high} characters long"
        return ""


_KINDS = {bool: "true or false", int: "a number", str: "a text", list: "a list"}
_BOOL = Key(bool)


def _number(low: int, high: int = 2**31 - 1) -> Key:
    return Key(int, low, high)


def _bools(names: str) -> dict[str, Key]:
    return dict.fromkeys(names.split(), _BOOL)


def _shown(choices: t.Sequence[t.Any]) -> str:
    return f"{', '.join(map(str, choices[:-1]))} or {choices[-1]}"


@dataclass(frozen=True)
class PolicyType:
    """One type of policy.

    Attributes:
        number: the wire's C(type).
        keys: what its data may hold, with the wire's names; others are ignored by servers and clients without a word.
        since: the first server release that has it; older ones that are still supported have all the rest.
        needs: the policy that has to be enabled, too.
        revokes: whom enabling it may throw out: C(two_step): those without two-step login, C(others): members elsewhere.
    """

    number: int
    keys: t.Mapping[str, Key] = field(default_factory=dict)
    since: str = "2024.1.0"
    needs: str | None = None
    revokes: str = ""


_SINGLE = "single_org"
DATA_OWNERSHIP = "organization_data_ownership"  # makes a collection for each member, whose name is encrypted
POLICIES: dict[str, PolicyType] = {
    "two_factor": PolicyType(0, revokes="two_step"),
    "master_password": PolicyType(
        1,
        {
            "minComplexity": _number(0, 4),
            "minLength": _number(12, 128),
            **_bools("requireLower requireUpper requireNumbers requireSpecial enforceOnLogin"),
        },
    ),
    "password_generator": PolicyType(
        2,
        {
            "overridePasswordType": Key(str, choices=("password", "passphrase")),
            "minLength": _number(5, 128),
            "minNumbers": _number(0, 9),
            "minSpecial": _number(0, 9),
            "minNumberWords": _number(3, 20),
            **_bools("useUpper useLower useNumbers useSpecial capitalize includeNumber"),
        },
    ),
    _SINGLE: PolicyType(3, revokes="others"),
    "require_sso": PolicyType(4, needs=_SINGLE),
    DATA_OWNERSHIP: PolicyType(5),
    "disable_send": PolicyType(6),
    "send_options": PolicyType(7, _bools("disableHideEmail")),
    "reset_password": PolicyType(8, _bools("autoEnrollEnabled"), needs=_SINGLE),
    "maximum_vault_timeout": PolicyType(
        9,
        {
            "type": Key(str, choices=("custom", "immediately", "onSystemLock", "onAppRestart", "never")),
            "minutes": _number(1),
            "action": Key(str, choices=("lock", "logOut")),
        },
        needs=_SINGLE,
    ),
    "disable_personal_vault_export": PolicyType(10),
    "activate_autofill": PolicyType(11),
    "automatic_app_login": PolicyType(12, {"idpHost": Key(str)}),
    "free_families_sponsorship": PolicyType(13, since="2024.12.0"),
    "remove_unlock_with_pin": PolicyType(14, since="2025.2.1"),
    "restricted_item_types": PolicyType(15, since="2025.6.2"),
    "uri_match_defaults": PolicyType(16, {"uriMatchDetection": _number(0, 5)}, since="2025.9.2", needs=_SINGLE),
    "autotype_default": PolicyType(17, since="2025.10.0"),
    "automatic_user_confirmation": PolicyType(18, since="2025.10.1", needs=_SINGLE),
    "block_claimed_domain_account_creation": PolicyType(19, since="2025.12.0"),
    "organization_user_notification": PolicyType(
        20,
        {
            "header": Key(str, high=40),
            "description": Key(str, high=250),
            "buttonText": Key(str, high=20),
            **_bools("allowBanner showAfterEveryLogin"),
        },
        since="2026.4.0",
        needs=_SINGLE,
    ),
    "send_controls": PolicyType(
        21,
        {
            "whoCanAccess": _number(0, 2),
            "allowedDomains": Key(str),
            "deletionHours": _number(1),
            "allowedSendTypes": Key(list, choices=(0, 1, 2)),
            **_bools("disableSend disableHideEmail"),
        },
        since="2026.4.0",
    ),
    "fill_assist": PolicyType(22, {"rulesUrl": Key(str)}, since="2026.8.0"),
}
NAMES = {policy.number: name for name, policy in POLICIES.items()}
