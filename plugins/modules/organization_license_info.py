#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: organization_license_info
short_description: Read the license of an organization, and check all that licensing needs
version_added: 0.1.0
description:
  - Reads the license in force, the subscription's state and the billing-sync connection of an organization on a self-hosted server.
  - With O(checks=true) it looks at everything that licensing and billing sync need, on the server and in the cloud, and reports all
    problems at once.
  - What a recent successful license sync of the server already proves is not asked again.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.cloud
  - bw.selfhost.attributes.info
  - bw.selfhost.attributes.actiongroup_api
options:
  organization_id:
    description:
      - Id of the organization on the self-hosted server.
      - When it is missing, the organization is found by its billing-sync connection, or else by O(organization_name).
    type: str
  organization_name:
    description: Name of the organization.
    type: str
  cloud_organization_id:
    description: Id of the organization in the cloud.
    type: str
  installation_id:
    description: Installation id of the server, for the checks.
    type: str
  installation_key:
    description: Installation key of the server; with it the checks prove that id and key belong together.
    type: str
  checks:
    description: Whether to run the checks.
    type: bool
    default: false
  fail_on_problems:
    description: Whether to fail, with all of them, when the checks find problems.
    type: bool
    default: false
  configured:
    description:
      - What the server's C(global.override.env) says now, or will say when the play is through. Used by the checks only.
      - Options that are left out are not checked.
    type: dict
    suboptions:
      installation_id:
        description: C(globalSettings__installation__id).
        type: str
      api_uri:
        description: C(globalSettings__installation__apiUri). An empty string means that it is not set, so the US cloud is used.
        type: str
      identity_uri:
        description: C(globalSettings__installation__identityUri). An empty string means that it is not set, so the US cloud is used.
        type: str
      push_uri:
        description: C(globalSettings__pushRelayBaseUri).
        type: str
      cloud_region:
        description: C(globalSettings__baseServiceUri__cloudRegion).
        type: str
  planned_cloud_communication:
    description: Whether a later task turns cloud communication on, so that it is no problem that it is off now.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: License and subscription are known
  bw.selfhost.organization_license_info:
    server_url: https://vault.example.com
    client_id: "{{ owner_client_id }}"
    client_secret: "{{ owner_client_secret }}"
    organization_name: Example Org
  delegate_to: localhost
  register: license

- name: Everything that licensing needs is in place
  bw.selfhost.organization_license_info:
    session: "{{ server_login.session }}"
    cloud:
      session: "{{ cloud_login.session }}"
    cloud_organization_id: aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
    installation_id: 11111111-2222-4333-8444-555555555555
    checks: true
    fail_on_problems: true
  delegate_to: localhost
"""

RETURN = r"""
organization_id:
  description: Id of the organization on the self-hosted server. V(null) when the server does not have it yet.
  returned: success
  type: str
organization_name:
  description: Name of the organization.
  returned: success
  type: str
enabled:
  description: Whether the server has the organization enabled. It disables one whose license it no longer accepts.
  returned: success
  type: bool
health:
  description:
    - V(ok), V(disabled) (the server has disabled the organization), V(unreadable) (the license's token is over, or its file is missing or
      damaged), V(expired), or V(absent) (the server does not have the organization).
    - All but V(ok) and V(unknown) are mended by M(bw.selfhost.organization_license), V(disabled) with its O(bw.selfhost.organization_license#module:force).
  returned: success
  type: str
  sample: ok
license:
  description: What the license in force says, as far as the server tells.
  returned: success
  type: dict
  contains:
    expires:
      description: End of the subscription, its grace period included.
      type: str
      sample: "2027-10-20T00:00:00Z"
    expires_without_grace:
      description: End of the subscription without its grace period, where there is one.
      type: str
    days_left:
      description: Whole days until RV(license.expires).
      type: int
    seats:
      description: Members it pays for. V(null) means without limit.
      type: int
    plan:
      description: Name of the plan.
      type: str
billing_sync:
  description: State of the billing-sync connection.
  returned: success
  type: dict
  contains:
    connected:
      description: Whether there is an enabled connection.
      type: bool
    cloud_organization_id:
      description: The organization in the cloud that it belongs to.
      type: str
    last_license_sync:
      description: Last successful license sync. V(null) means never.
      type: str
cloud_communication:
  description: Whether the server may talk to the cloud at all. V(null) when nobody asked.
  returned: success
  type: bool
checks:
  description: Each check and what it found.
  returned: with O(checks=true)
  type: list
  elements: dict
  contains:
    check:
      description: Short name of the check, V(P1) to V(P13).
      type: str
    title:
      description: What is looked at.
      type: str
    state:
      description:
        - V(ok), V(problem), V(notice) (a later task mends it), V(proved) (a recent license sync proves it), or V(skipped) (nothing given to
          check it with).
      type: str
    detail:
      description: What was found.
      type: str
problems:
  description: The problems, each with its cause, the option or setting it is about, and a remedy.
  returned: with O(checks=true)
  type: list
  elements: dict
  contains:
    check:
      description: The check that found it.
      type: str
    cause:
      description: What is wrong.
      type: str
    field:
      description: The option or setting that it is about.
      type: str
    remedy:
      description: What to do next.
      type: str
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, CLOUD_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import license_info

CONFIGURED = ("installation_id", "api_uri", "identity_uri", "push_uri", "cloud_region")
ARGUMENTS = {
    **API_ARGUMENTS,
    **CLOUD_ARGUMENTS,
    "organization_id": {"type": "str"},
    "organization_name": {"type": "str"},
    "cloud_organization_id": {"type": "str"},
    "installation_id": {"type": "str"},
    "installation_key": {"type": "str", "no_log": True},
    "checks": {"type": "bool", "default": False},
    "fail_on_problems": {"type": "bool", "default": False},
    "configured": {"type": "dict", "options": {name: {"type": "str"} for name in CONFIGURED}},
    "planned_cloud_communication": {"type": "bool", "default": False},
}


def work(task: Task) -> Outcome:
    """Read, check and report; nothing is changed."""
    return Outcome(values=license_info.look(task.params))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
