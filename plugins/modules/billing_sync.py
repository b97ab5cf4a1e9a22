#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: billing_sync
short_description: Connect a self-hosted organization with its billing in the cloud
version_added: 0.1.0
description:
  - Manages the billing-sync connection of an organization on a self-hosted server, and fetches the license through it.
  - The token comes from O(token), or straight from the cloud (O(cloud) and O(cloud_organization_id)), so that it never travels through a
    variable. It is made in the cloud when there is none yet.
  - A server accepts any token without asking the cloud. The only proof is a license sync, so let the first run do one (O(sync_license)).
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.cloud
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
attributes:
  idempotent:
    support: partial
    details: Unless O(sync_license=always), which syncs in each run.
options:
  organization_id:
    description:
      - Id of the organization on the self-hosted server.
      - When it is missing, the organization is found by its billing-sync connection, or else by O(organization_name) or its name in the
        cloud.
    type: str
  organization_name:
    description: Name of the organization.
    type: str
  cloud_organization_id:
    description: Id of the organization in the cloud. Needed with O(cloud); otherwise it is checked.
    type: str
  state:
    description: Whether there should be a connection.
    type: str
    choices: [present, absent]
    default: present
  enabled:
    description: Whether the connection should be in use.
    type: bool
    default: true
  token:
    description: The billing-sync token, 30 characters.
    type: str
  sync_license:
    description:
      - Whether to fetch the license from the cloud through the connection.
      - V(if_older_than) fetches it when the last sync is older than O(sync_max_age), or the connection has just changed.
    type: str
    choices: [never, always, if_older_than]
    default: if_older_than
  sync_max_age:
    description: Hours.
    type: int
    default: 24
  api_started:
    description:
      - When the server's C(api) container was started, to tell more exactly when sponsorships are synced next.
      - See RV(bw.selfhost.stack_info#module:services).
    type: str
notes:
  - Syncing the license and syncing sponsorships are two things. Sponsorships are synced by the server itself once a day, at an hour that
    it draws anew at each start; no API route triggers it. See RV(portal_url).
  - O(cloud.master_password) is needed with O(cloud), because the cloud asks for it once more.
seealso:
  - module: bw.selfhost.billing_sync_token
  - module: bw.selfhost.families_sponsorship
"""

EXAMPLES = r"""
- name: Billing sync is connected, the license at most a day old
  bw.selfhost.billing_sync:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    cloud_organization_id: aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
    cloud:
      session: "{{ cloud_login.session }}"
      master_password: "{{ cloud_master_password }}"
  delegate_to: localhost

- name: License is fetched now
  bw.selfhost.billing_sync:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    token: "{{ billing_sync_token.token }}"
    sync_license: always
  delegate_to: localhost

- name: There is no billing sync
  bw.selfhost.billing_sync:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
organization_id:
  description: Id of the organization on the self-hosted server.
  returned: success
  type: str
cloud_organization_id:
  description: Id of the organization in the cloud, as the server knows it.
  returned: success
  type: str
last_license_sync:
  description: Last successful license sync. V(null) means never.
  returned: success
  type: str
  sample: "2026-08-21T10:05:11Z"
license_changed:
  description: Whether the sync brought another license. V(null) when there was no sync.
  returned: success
  type: bool
next_sponsorship_sync:
  description: When the server itself will sync sponsorships with the cloud next, while it keeps running.
  returned: with an enabled connection
  type: dict
  contains:
    earliest:
      description: Not before this.
      type: str
    latest:
      description: Not after this.
      type: str
portal_url:
  description: The only way to sync sponsorships at once is the button there, for which a person logs in by e-mail.
  returned: success
  type: str
  sample: https://vault.example.com/admin/organizations/view/bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee
changes:
  description: What was, or in check mode would be, changed. A sync is a change, even if it brings the same license again.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, CLOUD_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import billing_sync

ARGUMENTS = {
    **API_ARGUMENTS,
    **CLOUD_ARGUMENTS,
    "organization_id": {"type": "str"},
    "organization_name": {"type": "str"},
    "cloud_organization_id": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "enabled": {"type": "bool", "default": True},
    "token": {"type": "str", "no_log": True},
    "sync_license": {"type": "str", "choices": ["never", "always", "if_older_than"], "default": "if_older_than"},
    "sync_max_age": {"type": "int", "default": 24},
    "api_started": {"type": "str"},
}
RULES = {"required_by": {"cloud": ["cloud_organization_id"]}, "mutually_exclusive": [("token", "cloud")]}


def work(task: Task) -> Outcome:
    """Bring the connection to what was asked for, and sync the license."""
    return Outcome(*billing_sync.ensure(task.params, task.check_mode, task.hide))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS, **RULES)


if __name__ == "__main__":
    main()
