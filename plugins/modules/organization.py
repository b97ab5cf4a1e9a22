#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: organization
short_description: Bring an organization into the state that one description says
version_added: 0.1.0
description:
  - Takes collections, groups, members, policies, settings and single sign-on of an organization at once, makes one plan of it, and carries it
    out in the order that the server needs, with few requests.
  - What is not named is left alone, unless O(prune) says otherwise. Who has access is said by the collections, who is in a group by the
    groups; so no two tasks undo each other.
  - Everything that is wrong is found before the first change, and reported together.
  - A run that was broken off, or whose answers got lost, can be repeated. It goes on where that one stopped, and sends no second invitation.
  - Whether an invited person accepts is not in the module's hands. Until then the member is RV(pending), which is data and not a failure; a
    later run confirms whoever has accepted.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.organization_content
  - bw.selfhost.confirmation
  - bw.selfhost.affected
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
notes:
  - The account is an owner of the organization, or a user of its provider. An administrator or a member with the role custom can do what
    the role allows; what it does not allow is refused before anything is changed.
  - O(master_password) is needed for collections, whose names are encrypted, and to confirm people.
  - Policies are enabled before anybody is invited. People whom a policy keeps out stay RV(pending).
seealso:
  - module: bw.selfhost.collection
  - module: bw.selfhost.group
  - module: bw.selfhost.member
  - module: bw.selfhost.policy
  - module: bw.selfhost.sso
  - module: bw.selfhost.organization_export
  - module: bw.selfhost.vault_import
"""

EXAMPLES = r"""
- name: Organization is as described
  bw.selfhost.organization:
    session: "{{ server_login.session }}"
    master_password: "{{ owner_master_password }}"
    organization_name: Example Org
    settings:
      limit_collection_creation: true
      allow_admin_access_to_all_collection_items: true
    groups:
      - name: Marketing
        members: [ann@example.com]
      - name: IT
        members: [owner@example.com, new@example.com]
    collections:
      - name: Departments/Marketing
        groups:
          - name: Marketing
          - name: IT
            permission: manage
      - name: Servers
        groups:
          - name: IT
            permission: manage
    members:
      - email: new@example.com
      - email: lead@example.com
        role: admin
    policies:
      - type: master_password
        data:
          minComplexity: 3
          minLength: 14
      - type: disable_personal_vault_export
    confirm_domains: [example.com]
  delegate_to: localhost
  register: example_org
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
from ansible_collections.bw.selfhost.plugins.module_utils._organization import CONTENT, chosen, ensure

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    **CONTENT,
}


def work(task: Task) -> Outcome:
    """Bring the organization into the state that is wanted."""
    return ensure(task, chosen(task, CONTENT), "members", "pending")


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
