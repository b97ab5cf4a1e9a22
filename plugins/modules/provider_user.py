#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: provider_user
short_description: Invite, confirm and remove the users of a provider
version_added: 0.1.0
description:
  - Brings the users of a provider (MSP or business unit) to the roles that are named; users who are not named are left alone.
  - Whether an invited person accepts is not in the module's hands. Until then the user is RV(pending), which is data and not a failure; a
    later run confirms whoever has accepted.
  - Confirming hands the provider's key, and with it the vaults of all clients, to whoever owns the public key that the server names as the
    person's. Compare the fingerprint phrase that the module returns with the one that the person reads out, and give it as
    O(users[].fingerprint).
  - The account that runs the module can neither be removed nor demoted, so that the provider never loses its last admin.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.provider
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
options:
  users:
    description: Users to invite, change or remove.
    type: list
    elements: dict
    required: true
    suboptions:
      email:
        description: E-mail address of the person; case does not count.
        type: str
        required: true
      role:
        description:
          - V(provider_admin) manages the provider, its users and its clients; V(service_user) works inside the clients and cannot buy seats.
        type: str
        choices: [service_user, provider_admin]
        default: service_user
      fingerprint:
        description:
          - Fingerprint phrase that the person has read out, such as V(turban-deftly-anime-chatroom-unselfish).
          - When the server names another key, nothing is changed and the module fails.
        type: str
      state:
        description: Whether the person should be a user of the provider. Removing is never undone; the person would have to be invited again.
        type: str
        choices: [present, absent]
        default: present
  confirm:
    description: Whether to confirm users that are named and have accepted.
    type: bool
    default: true
  confirm_domains:
    description:
      - Mail domains whose people are confirmed without a O(users[].fingerprint).
      - An empty list means every domain.
    type: list
    elements: str
    default: []
notes:
  - The account must be an admin of the provider. O(master_password) is needed where somebody is to be confirmed.
seealso:
  - module: bw.selfhost.client_organization
"""

EXAMPLES = r"""
- name: Technicians are users of the provider
  bw.selfhost.provider_user:
    session: "{{ cloud_login.session }}"
    master_password: "{{ provider_master_password }}"
    provider_name: Example Provider
    users:
      - email: tech@msp.example
      - email: lead@msp.example
        role: provider_admin
      - email: former@msp.example
        state: absent
    confirm_domains: [msp.example]
  delegate_to: localhost
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
users:
  description: The users that were named and are there, as they are now.
  returned: success
  type: list
  elements: dict
  contains:
    email:
      description: E-mail address, in lower case.
      type: str
    role:
      description: V(provider_admin) or V(service_user).
      type: str
    status:
      description: V(invited), V(accepted) or V(confirmed).
      type: str
    fingerprint:
      description: Fingerprint phrase of a person who had accepted and was not confirmed before this run; V(null) for others.
      type: str
pending:
  description: What waits for somebody.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(provider user).
      type: str
    name:
      description: E-mail address.
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
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import provider_users

USER = {
    "email": {"type": "str", "required": True},
    "role": {"type": "str", "choices": ["service_user", "provider_admin"], "default": "service_user"},
    "fingerprint": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
ARGUMENTS = {
    **API_ARGUMENTS,
    **PROVIDER_ARGUMENTS,
    "users": {"type": "list", "elements": "dict", "required": True, "options": USER},
    "confirm": {"type": "bool", "default": True},
    "confirm_domains": {"type": "list", "elements": "str", "default": []},
}


def work(task: Task) -> Outcome:
    """Invite, change, confirm and remove what is not yet as it should be."""
    return Outcome(*provider_users.ensure(task.params, task.check_mode, task.progress))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
