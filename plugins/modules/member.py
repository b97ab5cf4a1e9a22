#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: member
short_description: Invite, confirm, change, revoke and remove a member of an organization
version_added: 0.1.0
description:
  - Brings one person's membership into the state that is wanted.
  - Whether an invited person accepts is not in the module's hands. Until then the member is RV(pending), which is data and not a failure; a
    later run confirms whoever has accepted.
  - Confirming hands the organization's key to whoever owns the public key that the server names as the person's. Compare the fingerprint
    phrase that the module returns with the one that the person reads out, and give it as O(fingerprint).
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.member
  - bw.selfhost.confirmation
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
notes:
  - The account is an owner of the organization, or a user of its provider. An administrator or a member with the role custom can do what
    the role allows; what it does not allow is refused before anything is changed.
  - O(master_password) is needed to confirm somebody.
seealso:
  - module: bw.selfhost.organization
  - module: bw.selfhost.group
"""

EXAMPLES = r"""
- name: Person is a member
  bw.selfhost.member:
    session: "{{ server_login.session }}"
    master_password: "{{ owner_master_password }}"
    organization_name: Example Org
    email: new@example.com
    role: custom
    permissions: [manage_groups]
  delegate_to: localhost

- name: Person has no access any more
  bw.selfhost.member:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    email: ann@example.com
    state: revoked
  delegate_to: localhost
"""

RETURN = r"""
organization_id:
  description: Id of the organization.
  returned: success
  type: str
organization_name:
  description: Name of the organization.
  returned: success
  type: str
members:
  description: The members that were named and are there, as they are now.
  returned: success
  type: list
  elements: dict
  contains:
    email:
      description: E-mail address, in lower case.
      type: str
    role:
      description: V(owner), V(admin), V(user) or V(custom).
      type: str
    status:
      description: V(invited), V(accepted), V(confirmed), V(revoked) or V(staged).
      type: str
    fingerprint:
      description: Fingerprint phrase of a person who had accepted and was not confirmed before this run; V(null) for others.
      type: str
pending:
  description: What waits for somebody. It is no failure; a later run goes on.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(member).
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

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, ORGANIZATION_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._organization import CONFIRMATION, MEMBER, chosen, ensure

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    **MEMBER,
    **CONFIRMATION,
}


def work(task: Task) -> Outcome:
    """Bring the membership into the state that is wanted."""
    return ensure(task, {"members": [chosen(task, MEMBER)]}, "members", "pending")


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
