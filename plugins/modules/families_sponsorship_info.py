#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: families_sponsorship_info
short_description: Read the Bitwarden Families sponsorships of a self-hosted organization
version_added: 0.1.0
description:
  - Lists the sponsorships that the organization offers and the user's own one, each with its state, and tells when they are synced next.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes.info
  - bw.selfhost.attributes.actiongroup_api
options:
  organization_id:
    description:
      - Id of the organization on the self-hosted server.
      - When it is missing, the organization is found by O(organization_name).
    type: str
  organization_name:
    description: Name of the organization.
    type: str
  api_started:
    description:
      - When the server's C(api) container was started, to tell more exactly when sponsorships are synced next.
    type: str
notes:
  - Other members' own sponsorships cannot be seen; the server shows them to these members only.
seealso:
  - module: bw.selfhost.families_sponsorship
"""

EXAMPLES = r"""
- name: State of the sponsorships is known
  bw.selfhost.families_sponsorship_info:
    session: "{{ server_login.session }}"
    organization_name: Example Org
  delegate_to: localhost
  register: families
"""

RETURN = r"""
sponsorships:
  description: The organization's sponsorships, and the user's own one.
  returned: success
  type: list
  elements: dict
  contains:
    friendly_name:
      description: Name by which it is known.
      type: str
    email:
      description: E-mail address of the sponsored person. V(null) for the user's own sponsorship, where the server does not tell.
      type: str
    state:
      description:
        - V(awaiting_sync) (the cloud does not know yet), V(sent) (the mail is out), V(active) (redeemed), V(removal_requested) (ends with
          the next sync) or V(revoked_when_expired) (ends with RV(sponsorships[].valid_until)).
      type: str
    last_sync:
      description: Last sync of this sponsorship. V(null) means never.
      type: str
    valid_until:
      description: End of the redeemed sponsorship.
      type: str
    admin_initiated:
      description: Whether it is the organization's.
      type: bool
pending:
  description: How many of them wait for the next sync.
  returned: success
  type: int
last_sync:
  description: Last sync of any sponsorship of the organization. V(null) means never, which is normal while there is none.
  returned: success
  type: str
next_sync:
  description: When the server itself will sync sponsorships with the cloud next, while it keeps running.
  returned: success
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
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import sponsorships

ARGUMENTS = {
    **API_ARGUMENTS,
    "organization_id": {"type": "str"},
    "organization_name": {"type": "str"},
    "api_started": {"type": "str"},
}


def work(task: Task) -> Outcome:
    """Read the sponsorships; nothing is changed."""
    return Outcome(values=sponsorships.listed(task.params))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
