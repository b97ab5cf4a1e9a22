#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: client_organization_info
short_description: List the client organizations of a provider
version_added: 0.1.0
description:
  - Returns the clients of a provider with their seats, plans and owners, and what the provider has paid for.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.provider
  - bw.selfhost.attributes.info
  - bw.selfhost.attributes.actiongroup_api
options:
  names:
    description: Names of the clients to return. An empty list means all; a name that no client has is passed over.
    type: list
    elements: str
    default: []
  details:
    description: Whether to look up each client's owner, which costs one more request for each.
    type: bool
    default: true
seealso:
  - module: bw.selfhost.client_organization
"""

EXAMPLES = r"""
- name: Clients are known
  bw.selfhost.client_organization_info:
    session: "{{ cloud_login.session }}"
    provider_name: Example Provider
  delegate_to: localhost
  register: clients

- name: Clients without free seats are shown
  ansible.builtin.debug:
    msg: "{{ clients.clients | selectattr('remaining_seats', 'lt', 1) | map(attribute='name') }}"
"""

RETURN = r"""
provider:
  description: The provider.
  returned: success
  type: dict
  contains:
    id:
      description: Id.
      type: str
    name:
      description: Name.
      type: str
    type:
      description: V(msp), V(business_unit) or V(reseller).
      type: str
    enabled:
      description: Whether it is in good standing. A suspended provider's clients are disabled, too.
      type: bool
    plans:
      description: The seats of each plan; none for a provider that does not pay for its clients.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the plan.
          type: str
          sample: Enterprise (Monthly)
        minimum:
          description: Seats that are paid for whether used or not.
          type: int
        purchased:
          description: Seats that are paid for beyond them.
          type: int
        assigned:
          description: Seats that clients have.
          type: int
        free:
          description: Seats that can be assigned without a purchase.
          type: int
    suspension:
      description: When and why the provider will be suspended; V(null) when nothing is due.
      type: dict
      contains:
        date:
          description: When it is suspended.
          type: str
        unpaid_period_end:
          description: End of the period that is not paid.
          type: str
        grace_days:
          description: Days of grace.
          type: int
clients:
  description: The clients.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    organization_id:
      description: Id of the organization.
      type: str
    provider_organization_id:
      description: Id of the link between provider and organization.
      type: str
    plan:
      description: V(enterprise) or V(teams).
      type: str
    cadence:
      description: V(monthly) or V(annually).
      type: str
    seats:
      description: Seats that are assigned to the client.
      type: int
    occupied_seats:
      description: Members that are not revoked.
      type: int
    remaining_seats:
      description: Seats that are left.
      type: int
    confirmed_members:
      description: Members that are confirmed.
      type: int
    enabled:
      description: Whether the organization is enabled.
      type: bool
    owner:
      description: One of its owners, a confirmed one if there is any. V(null) without an owner, or without O(details).
      type: dict
      contains:
        email:
          description: E-mail address.
          type: str
        status:
          description: V(invited), V(accepted) or V(confirmed).
          type: str
    expires:
      description: End of the period that the provider has paid for.
      type: str
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, PROVIDER_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_info

ARGUMENTS = {
    **API_ARGUMENTS,
    **PROVIDER_ARGUMENTS,
    "names": {"type": "list", "elements": "str", "default": []},
    "details": {"type": "bool", "default": True},
}


def work(task: Task) -> Outcome:
    """Read; nothing is changed."""
    return Outcome(values=client_info.listed(task.params, task.progress))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
