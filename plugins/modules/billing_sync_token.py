#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: billing_sync_token
short_description: Get the billing-sync token of an organization from the cloud
version_added: 0.1.0
description:
  - Gets the token with which a self-hosted server syncs license and sponsorships of an organization. It is made when there is none yet.
  - The token is hidden from all output, whatever the verbosity, and still can be registered and used by later tasks.
  - M(bw.selfhost.billing_sync) can fetch the token itself, so that it never travels through a variable.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
attributes:
  idempotent:
    support: partial
    details: Unless O(state=rotated), which makes a new token in each run.
options:
  cloud_organization_id:
    description: Id of the organization in the cloud.
    type: str
    required: true
  state:
    description:
      - V(present) is the token as it is; a first one is made when there is none.
      - V(rotated) is a new token. The old one stops working at once.
    type: str
    choices: [present, rotated]
    default: present
notes:
  - The user must be owner of the organization in the cloud, or a provider user of the provider that manages it.
  - O(master_password) is always needed, because the cloud asks for it once more.
seealso:
  - module: bw.selfhost.billing_sync
"""

EXAMPLES = r"""
- name: Billing-sync token is known
  bw.selfhost.billing_sync_token:
    region: eu
    client_id: "{{ cloud_client_id }}"
    client_secret: "{{ cloud_client_secret }}"
    master_password: "{{ cloud_master_password }}"
    cloud_organization_id: aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
  delegate_to: localhost
  register: billing_sync_token
"""

RETURN = r"""
token:
  description: The token. Secret. V(null) in check mode when it would have to be made first.
  returned: success
  type: str
revision_date:
  description: When the token was made.
  returned: success
  type: str
  sample: "2026-08-21T10:00:00Z"
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import billing_sync_token

ARGUMENTS = {
    **API_ARGUMENTS,
    "cloud_organization_id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "rotated"], "default": "present"},
}


def work(task: Task) -> Outcome:
    """Get the token, make it, or replace it."""
    return Outcome(*billing_sync_token.ensure(task.params, task.check_mode))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
