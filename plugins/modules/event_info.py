#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: event_info
short_description: Read the event log of an organization or a provider
version_added: 0.1.0
description:
  - Returns what happened in an organization, or to a provider and by its users in its clients, the newest events first.
  - Servers write events with some delay and forget old ones, so this is no proof of what another task has just changed.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes.info
  - bw.selfhost.attributes.actiongroup_api
options:
  organization_id:
    description: Id of the organization whose log is read.
    type: str
  organization_name:
    description: Name of the organization, instead of O(organization_id).
    type: str
  provider_id:
    description: Id of the provider whose log is read, instead of an organization's. Only admins of the provider see it.
    type: str
  provider_name:
    description: Name of the provider, instead of O(provider_id).
    type: str
  start:
    description:
      - Beginning of the time to look at, such as V(2026-08-20) (midnight UTC) or V(2026-08-20T10:00:00Z).
      - By default 30 days before O(end); at most 367 days before it.
    type: str
  end:
    description: End of the time to look at; by default the end of today (UTC).
    type: str
  types:
    description:
      - Types of events to return, by name (V(provider_user_confirmed)), kind (V(provider_user)) or number (V(1801)).
      - An empty list means all.
    type: list
    elements: str
    default: []
  limit:
    description: How many events to return at most.
    type: int
    default: 1000
seealso:
  - module: bw.selfhost.client_organization_info
"""

EXAMPLES = r"""
- name: Changes of the provider's users are known
  bw.selfhost.event_info:
    session: "{{ cloud_login.session }}"
    provider_name: Example Provider
    types: [provider_user, provider_organization]
  delegate_to: localhost
  register: log
"""

RETURN = r"""
events:
  description: The events, the newest first. Ids of what an event is not about are left out.
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: Name of the type, or its number as text when this collection does not know it.
      type: str
      sample: provider_user_confirmed
    number:
      description: Number of the type.
      type: int
      sample: 1801
    date:
      description: When it happened.
      type: str
    acting_user_id:
      description: Who did it.
      type: str
    system_user:
      description: What did it where it was no person, such as V(scim).
      type: str
    user_id:
      description: Whose account it happened to.
      type: str
    organization_id:
      description: The organization.
      type: str
    provider_id:
      description: The provider, also where its user did something in a client.
      type: str
    organization_user_id:
      description: The member.
      type: str
    provider_user_id:
      description: The user of the provider.
      type: str
    provider_organization_id:
      description: The link between the provider and its client.
      type: str
    collection_id:
      description: The collection.
      type: str
    group_id:
      description: The group.
      type: str
    policy_id:
      description: The policy.
      type: str
    cipher_id:
      description: The item.
      type: str
    domain_name:
      description: The domain.
      type: str
    device_type:
      description: Number of the kind of device.
      type: int
    ip_address:
      description: Where the request came from.
      type: str
truncated:
  description: Whether there are more events than O(limit).
  returned: success
  type: bool
start:
  description: Beginning of the time that was looked at.
  returned: success
  type: str
end:
  description: End of the time that was looked at.
  returned: success
  type: str
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import (
    API_ARGUMENTS,
    ORGANIZATION_ARGUMENTS,
    PROVIDER_ARGUMENTS,
    Outcome,
    Task,
    run,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import events

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    **PROVIDER_ARGUMENTS,
    "start": {"type": "str"},
    "end": {"type": "str"},
    "types": {"type": "list", "elements": "str", "default": []},
    "limit": {"type": "int", "default": 1000},
}
WHOSE = ("organization_id", "organization_name", "provider_id", "provider_name")
RULES = {"required_one_of": [WHOSE], "mutually_exclusive": [WHOSE]}


def work(task: Task) -> Outcome:
    """Read the log; nothing is changed."""
    return Outcome(values=events.listed(task.params, task.progress))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS, **RULES)


if __name__ == "__main__":
    main()
