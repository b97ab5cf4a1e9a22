#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: policy
short_description: Enable, change and disable a policy of an organization
version_added: 0.1.0
description:
  - Brings one policy into the state that is wanted. Whoever it may throw out is named in the plan.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.policy
  - bw.selfhost.affected
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
notes:
  - The account is an owner of the organization, or a user of its provider. An administrator or a member with the role custom can do what
    the role allows; what it does not allow is refused before anything is changed.
  - O(master_password) is needed to enable V(organization_data_ownership), which makes a collection for each member.
seealso:
  - module: bw.selfhost.organization
"""

EXAMPLES = r"""
- name: Master passwords are long enough
  bw.selfhost.policy:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    type: master_password
    data:
      minComplexity: 3
      minLength: 14
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
from ansible_collections.bw.selfhost.plugins.module_utils._organization import MAX_AFFECTED, POLICY, chosen, ensure

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    **POLICY,
    **MAX_AFFECTED,
}


def work(task: Task) -> Outcome:
    """Bring the policy into the state that is wanted."""
    return ensure(task, {"policies": [chosen(task, POLICY)]})


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
