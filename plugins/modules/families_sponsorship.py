#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: families_sponsorship
short_description: Offer and revoke Bitwarden Families sponsorships on a self-hosted server
version_added: 0.1.0
description:
  - Offers free Bitwarden Families plans to people of an Enterprise organization, and revokes them.
  - An offer leaves the server with its next daily sync; only then the cloud sends the mail. Until then its state is V(awaiting_sync), which
    is data and not a failure.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes
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
  sponsorships:
    description: Sponsorships to offer or revoke. Others are left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      email:
        description: E-mail address of the sponsored person, which must not be the user's own. Not needed to revoke.
        type: str
      friendly_name:
        description: Name by which the sponsorship is known; by default the e-mail address. One organization has each name only once.
        type: str
      state:
        description: Whether there should be an offer.
        type: str
        choices: [offered, revoked]
        default: offered
  admin_initiated:
    description:
      - Whether the sponsorships are the organization's (V(true)), or the user's own (V(false)), of which each member can have one.
    type: bool
    default: true
notes:
  - Sponsorships of the organization need a server of 2025.5.2 or later, a user who may manage users, and a license that allows them.
seealso:
  - module: bw.selfhost.families_sponsorship_info
  - module: bw.selfhost.billing_sync
"""

EXAMPLES = r"""
- name: Families sponsorships are offered
  bw.selfhost.families_sponsorship:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    sponsorships:
      - email: ann@personal.example
      - email: bob@personal.example
        state: revoked
  delegate_to: localhost
"""

RETURN = r"""
sponsorships:
  description: The sponsorships that were named, as they are now.
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
          the next sync), V(revoked_when_expired) (ends with RV(sponsorships[].valid_until)) or V(absent).
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
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import sponsorships

SPONSORSHIP = {
    "email": {"type": "str"},
    "friendly_name": {"type": "str"},
    "state": {"type": "str", "choices": ["offered", "revoked"], "default": "offered"},
}
ARGUMENTS = {
    **API_ARGUMENTS,
    "organization_id": {"type": "str"},
    "organization_name": {"type": "str"},
    "sponsorships": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": SPONSORSHIP,
        "required_one_of": [("email", "friendly_name")],
    },
    "admin_initiated": {"type": "bool", "default": True},
}


def work(task: Task) -> Outcome:
    """Offer and revoke what is not yet as it should be."""
    return Outcome(*sponsorships.ensure(task.params, task.check_mode))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
