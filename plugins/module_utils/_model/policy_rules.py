# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is refused of policies and single sign-on, before anything is written."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model import sso_config
from ansible_collections.bw.selfhost.plugins.module_utils._model.collection_rules import some, twice
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import PolicyWish
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import Policy
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_case import Case
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES

Problems = t.Iterator[SelfhostError]


def policy_data(case: Case) -> Problems:
    """Data that the server would take and everybody ignore."""
    yield from twice((wish.type for wish in case.desired.policies), "policies")
    for wish in case.desired.policies:
        yield from _data(wish)


def _data(wish: PolicyWish) -> Problems:
    keys = POLICIES[wish.type].keys
    for key, value in wish.data.items():
        field = f"policies[{wish.type}].data.{key}"
        if key not in keys:
            near = difflib.get_close_matches(key.replace("_", ""), keys, 1, 0.5)
            known = f"It has {', '.join(keys)}." if keys else "It has no data."
            yield SelfhostError(
                "The policy has no such key.", field=field, remedy=f"Did you mean {near[0]}? {known}" if near else known
            )
        elif value is not None and keys[key].wrong(value):
            yield SelfhostError(f"{value!r} is not possible.", field=field, remedy=f"It {keys[key].wrong(value)}.")


def permitted(case: Case) -> Problems:
    """Policies that the plan, the server's release or their own rules do not allow."""
    changed = case.keys("enable policy", "disable policy")
    if changed and not case.facts.entry.get("usePolicies"):
        yield SelfhostError(
            "The plan of the organization has no policies.", field="policies", remedy="It needs the Enterprise plan."
        )
    for name in changed:
        policy, since = case.target.policies[name], POLICIES[name].since
        if not case.facts.has(since):
            yield SelfhostError(
                f"The server is older than {since}.", field=f"policies[{name}]", remedy="Update it, or leave this policy out."
            )
        yield from _own_rules(policy)
    named = {wish.type for wish in case.desired.policies}
    if "send_controls" in named and named & {"disable_send", "send_options"}:
        yield SelfhostError(
            "send_controls says what disable_send and send_options say; the server copies each to the others.",
            field="policies",
            remedy="Name only one of them: send_controls from 2026.4.0 on, the others before.",
        )


def _own_rules(policy: Policy) -> Problems:
    field, data = f"policies[{policy.type}].data", policy.data
    if policy.type == "fill_assist" and policy.enabled and not str(data.get("rulesUrl", "")).startswith("https://"):
        yield SelfhostError("rulesUrl is missing or does not begin with https://.", field=field, remedy="Set it.")
    if policy.type == "send_controls" and data.get("allowedDomains") and data.get("whoCanAccess") != 2:
        yield SelfhostError("allowedDomains needs whoCanAccess 2.", field=field, remedy="Set whoCanAccess to 2, or leave it out.")


def dependencies(case: Case) -> Problems:
    """Policies that need another one; the server only looks at it when one of them is switched."""
    before, after = case.current, case.target
    for name, policy in after.policies.items():
        needed = POLICIES[name].needs
        if not policy.enabled or needed is None or after.policy(needed).enabled:
            continue
        if not before.policy(name).enabled or before.policy(needed).enabled:
            yield SelfhostError(
                f"{name} needs {needed}.", field=f"policies[{name}]", remedy=f"Enable {needed}, or disable {name}, too."
            )


def affected(case: Case) -> Problems:
    """Policies that would throw out more people than is allowed."""
    people = sorted({email for emails in case.endangered.values() for email in emails})
    if len(people) > case.desired.max_affected:
        names = " and ".join(name for name, emails in case.endangered.items() if emails)
        yield SelfhostError(
            f"Enabling {names} may revoke {len(people)}: {some(people)}.",
            field="max_affected",
            remedy=f"If that is right, set max_affected to {len(people)}.",
        )


def single_sign_on(case: Case) -> Problems:
    """Configurations that are not complete, or that the plan does not have."""
    kind = sso_config.type_of(case.target.sso)
    if kind is None:
        if set(case.desired.sso.items()) - {("enabled", False)}:
            yield SelfhostError("Nothing says how to sign on.", field="sso", remedy="Set oidc or saml2.")
        return
    if case.keys("sso"):
        if case.target.sso["enabled"] and not case.facts.entry.get("useSso"):
            yield SelfhostError(
                "The plan of the organization has no single sign-on.", field="sso", remedy="It needs the Enterprise plan."
            )
        yield from _complete(case.target.sso, kind)
        if "member_decryption" in case.desired.sso:  # else the policies are not known, and nothing changes for them
            yield from _decryption(case)


def _complete(config: t.Mapping[str, t.Any], kind: str) -> Problems:
    if config["enabled"] and not config["identifier"]:
        yield SelfhostError("It has no identifier, by which people begin to sign on.", field="sso.identifier", remedy="Set it.")
    if len(config["identifier"] or "") > 50:
        yield SelfhostError("The identifier is longer than 50 characters.", field="sso.identifier", remedy="Shorten it.")
    for name in sso_config.names_of(kind):
        if sso_config.FIELDS[name].required and not config.get(name):
            yield SelfhostError("It is missing.", field=f"sso.{name}", remedy="Set it, as nothing is configured yet.")
        if name.endswith("_service_url") and config.get(name) and not _is_url(config[name]):
            yield SelfhostError("It is no URL.", field=f"sso.{name}", remedy="Write it with https://.")


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://")) and not set(text) & set('<>"')


def _decryption(case: Case) -> Problems:
    """How members get at their keys; each way needs certain policies. Source: SsoConfigService.cs."""
    config, policy = case.target.sso, case.target.policy
    way = config["member_decryption"]
    needed = {"key_connector": ("single_org", "require_sso"), "trusted_devices": ("single_org", "require_sso", "reset_password")}
    off = [name for name in needed.get(way, ()) if not policy(name).enabled]
    if off:
        yield SelfhostError(
            f"{way} needs the policies {', '.join(off)}.", field="sso.member_decryption", remedy="Enable them in policies."
        )
    if way == "key_connector" and not (
        config["enabled"] and config["key_connector_url"] and case.facts.entry.get("useKeyConnector")
    ):
        yield SelfhostError(
            "Key Connector needs single sign-on to be enabled, key_connector_url, and a plan that has it.",
            field="sso.member_decryption",
            remedy="Use master_password or trusted_devices, or set what is missing.",
        )
    if way == "trusted_devices" and not policy("reset_password").data.get("autoEnrollEnabled"):
        yield SelfhostError(
            "trusted_devices needs automatic enrolment.",
            field="policies[reset_password].data.autoEnrollEnabled",
            remedy="Set it to true.",
        )
