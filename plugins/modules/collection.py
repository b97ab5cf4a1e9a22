#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: collection
short_description: Create, change and delete a collection of an organization
version_added: 0.1.0
description:
  - Brings one collection, and who has access to it, into the state that is wanted.
  - For more than a few, M(bw.selfhost.organization) takes them all at once and is a hundred times as fast.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.collection
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
options:
  prune:
    description: Whether groups and members that are not named lose their access; of groups only if O(groups) is given, of members only
      if O(members) is.
    type: list
    elements: str
    choices: [access]
    default: []
notes:
  - The account is an owner of the organization, or a user of its provider. An administrator or a member with the role custom can do what
    the role allows; what it does not allow is refused before anything is changed.
  - O(master_password) is needed, because names of collections are encrypted.
seealso:
  - module: bw.selfhost.organization
  - module: bw.selfhost.group
"""

EXAMPLES = r"""
- name: Collection exists
  bw.selfhost.collection:
    session: "{{ server_login.session }}"
    master_password: "{{ owner_master_password }}"
    organization_name: Example Org
    name: Departments/Marketing
    members:
      - email: ann@example.com
      - email: owner@example.com
        permission: manage
    prune: [access]
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
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, ORGANIZATION_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._organization import COLLECTION, chosen, ensure, prune

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    **COLLECTION,
    "prune": prune("access"),
}


def work(task: Task) -> Outcome:
    """Bring the collection into the state that is wanted."""
    return ensure(task, {"collections": [chosen(task, COLLECTION)]})


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
