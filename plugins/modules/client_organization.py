#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: client_organization
short_description: Create and manage the client organizations of a provider
version_added: 0.1.0
description:
  - Brings the client organizations of a provider (MSP or business unit with consolidated billing) to what is named. Clients that are not
    named are left alone; no client ever leaves the provider because its entry is missing.
  - A client is found by its O(clients[].organization_id), else by its exact name. Names are not unique on the server, so the module refuses
    to create two of one name.
  - Seats beyond the paid ones would be bought by the server at once. The module reckons that for the whole run, in check mode, too, and
    refuses to buy more than O(max_purchased_seats).
  - A run that is broken off anywhere can be repeated, there will be no second client and no second invitation.
  - Whether the invited owner accepts is not in the module's hands. Until then the client's owner is RV(pending), which is data and not a
    failure; a later run confirms an owner who has accepted.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.provider
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
options:
  clients:
    description: Clients to create, change or let go.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the client, 1 to 50 characters.
          - To rename a client, give its O(clients[].organization_id) and the new name.
        type: str
        required: true
      organization_id:
        description: Id of the organization, once it is known; it survives renames. It is not the id of the link to the provider.
        type: str
      plan:
        description: Plan of the client. Needed to create it; it can never be changed.
        type: str
        choices: [enterprise, teams]
      cadence:
        description:
          - How often the plan is paid. The provider has only one cadence, so that it need not be given; another one is refused.
        type: str
        choices: [monthly, annually]
      seats:
        description:
          - How many members the client can have. Needed to create it.
          - It is a hard limit. Fewer than are occupied are refused, and so is more than O(max_purchased_seats) allows to buy.
        type: int
      owner_email:
        description:
          - E-mail address of the owner, who is invited. Needed to create the client.
          - For a client that exists, this person is invited as an owner if need be. Other owners stay.
        type: str
      owner_fingerprint:
        description:
          - Fingerprint phrase that the owner has read out, such as V(turban-deftly-anime-chatroom-unselfish).
          - When the server names another key as the owner's, nothing is changed and the module fails.
        type: str
      default_collection:
        description: Name of the first collection. It only matters when the client is created.
        type: str
        default: Default collection
      billing_email:
        description: Billing e-mail address of the client, instead of the provider's.
        type: str
      existing_organization_id:
        description:
          - Id of an organization that the account owns and that is to become a client. Its members and items stay.
          - Its own subscription ends at once, and its storage and its autoscale limit are reset. This cannot be undone.
        type: str
      confirm_existing:
        description: The same id once more, to confirm that this is meant.
        type: str
      extra_storage_gb:
        description: There for who knows the portal's former form. Storage can no longer be bought for a client, so only V(0) is accepted.
        type: int
      max_autoscale_seats:
        description:
          - There for who knows the portal's former form. The seats of a client no longer grow by themselves, so only the number of
            O(clients[].seats) is accepted.
        type: int
      state:
        description:
          - V(present) creates the client if need be.
          - V(detached) lets it leave the provider. It keeps its members and items and gets a subscription of its own, so it needs a
            confirmed owner.
          - V(absent) deletes it with all that is in it.
        type: str
        choices: [present, detached, absent]
        default: present
      confirm_destroy:
        description: Id of the organization, to confirm that V(detached) or V(absent) is meant. Neither can be undone.
        type: str
  max_purchased_seats:
    description: How many seats this run may buy, over all clients and plans.
    type: int
    default: 0
  confirm_owners:
    description: Whether to confirm owners that are named and have accepted.
    type: bool
    default: true
  confirm_domains:
    description:
      - Mail domains whose owners are confirmed without a O(clients[].owner_fingerprint).
      - An empty list means every domain.
    type: list
    elements: str
    default: []
notes:
  - Creating, adding and letting go take an admin of the provider; a service user can do the rest, but cannot buy seats.
  - O(master_password) is needed where a client is created, added or let go, or an owner is confirmed.
  - Two runs at once for one provider would upset the count of its seats. Name all clients in one task, or set C(throttle=1).
seealso:
  - module: bw.selfhost.client_organization_info
  - module: bw.selfhost.provider_user
  - module: bw.selfhost.organization
"""

EXAMPLES = r"""
- name: Clients exist
  bw.selfhost.client_organization:
    session: "{{ cloud_login.session }}"
    master_password: "{{ provider_master_password }}"
    provider_name: Example Provider
    clients:
      - name: My Client
        plan: enterprise
        seats: 15
        owner_email: owner@client.example
        billing_email: invoices@client.example
      - name: Small Client
        plan: teams
        seats: 5
        owner_email: boss@small.example
    max_purchased_seats: 0
  delegate_to: localhost
  register: clients
"""

RETURN = r"""
provider_id:
  description: Id of the provider.
  returned: success
  type: str
provider_name:
  description: Name of the provider.
  returned: success
  type: str
clients:
  description: The clients that were named and are to be present, as they are now.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    organization_id:
      description: Id of the organization, which every other module takes. V(null) in check mode before the client exists.
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
    owner:
      description: The owner that was named. V(null) when none was.
      type: dict
      contains:
        email:
          description: E-mail address, in lower case.
          type: str
        status:
          description: V(absent), V(invited), V(accepted), V(confirmed) or V(revoked).
          type: str
        fingerprint:
          description: Fingerprint phrase of an owner who had accepted and was not confirmed before this run; V(null) for others.
          type: str
    created:
      description: Whether the client was created by this run, or would be in check mode.
      type: bool
    half_created:
      description:
        - Whether the server once broke off the creation of the client half way. It can be used, but its seats cannot be changed and it gets
          no license; RV(pending) says what to do.
      type: bool
purchased_seats:
  description: How many seats this run has bought, or would buy in check mode.
  returned: success
  type: int
pending:
  description: What waits for somebody.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(client owner) or V(client organization).
      type: str
    name:
      description: Who or what.
      type: str
    reason:
      description: What has to happen first.
      type: str
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, PROVIDER_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_organization

CLIENT = {
    "name": {"type": "str", "required": True},
    "organization_id": {"type": "str"},
    "plan": {"type": "str", "choices": ["enterprise", "teams"]},
    "cadence": {"type": "str", "choices": ["monthly", "annually"]},
    "seats": {"type": "int"},
    "owner_email": {"type": "str"},
    "owner_fingerprint": {"type": "str"},
    "default_collection": {"type": "str", "default": "Default collection"},
    "billing_email": {"type": "str"},
    "existing_organization_id": {"type": "str"},
    "confirm_existing": {"type": "str"},
    "extra_storage_gb": {"type": "int"},
    "max_autoscale_seats": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "detached", "absent"], "default": "present"},
    "confirm_destroy": {"type": "str"},
}
ARGUMENTS = {
    **API_ARGUMENTS,
    **PROVIDER_ARGUMENTS,
    "clients": {"type": "list", "elements": "dict", "required": True, "options": CLIENT},
    "max_purchased_seats": {"type": "int", "default": 0},
    "confirm_owners": {"type": "bool", "default": True},
    "confirm_domains": {"type": "list", "elements": "str", "default": []},
}


def work(task: Task) -> Outcome:
    """Create, change, confirm and let go what is not yet as it should be."""
    return Outcome(*client_organization.ensure(task.params, task.check_mode, task.progress))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
