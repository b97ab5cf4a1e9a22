#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: group
short_description: Create, change and delete a group of an organization
version_added: 0.1.0
description:
  - Brings one group, and who is in it, into the state that is wanted. Which collections it has access to, the collections say.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.group
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
options:
  prune:
    description: Whether members who are not named leave the group, if O(members) is given.
    type: list
    elements: str
    choices: [memberships]
    default: []
notes:
  - The account is an owner of the organization, or a user of its provider. An administrator or a member with the role custom can do what
    the role allows; what it does not allow is refused before anything is changed.
seealso:
  - module: bw.selfhost.organization
  - module: bw.selfhost.collection
  - module: bw.selfhost.member
"""

EXAMPLES = r"""
- name: Group exists
  bw.selfhost.group:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    name: Marketing
    members: [ann@example.com]
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
from ansible_collections.bw.selfhost.plugins.module_utils._organization import GROUP, chosen, ensure, prune

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    **GROUP,
    "prune": prune("memberships"),
}


def work(task: Task) -> Outcome:
    """Bring the group into the state that is wanted."""
    return ensure(task, {"groups": [chosen(task, GROUP)]})


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
