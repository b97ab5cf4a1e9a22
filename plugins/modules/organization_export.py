#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: organization_export
short_description: Describe an existing organization as code
version_added: 0.1.0
description:
  - Reads an organization and returns it as options of M(bw.selfhost.organization), as data and as a commented file of tasks. To run that file
    changes nothing, until somebody has changed the organization or the file.
  - The order is always the same, so that two exports differ only where the organization does.
  - No secret is in it, because it consists of nothing but the options that are listed. The items of the vault are not part of it.
  - The secret of single sign-on with OpenID Connect is left out. M(bw.selfhost.organization) keeps the one that the server has.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
options:
  dest:
    description:
      - Path of a file that gets the text, on the machine where the module runs. Only its owner may read it, as it tells who has access to what.
      - Without it the module only returns the text, and never changes anything.
    type: path
  parts:
    description:
      - What to describe; by default all that the organization's plan has.
      - Only for V(collections) is O(master_password) needed, because their names are encrypted.
    type: list
    elements: str
    choices: [settings, groups, collections, members, policies, sso, scim]
seealso:
  - module: bw.selfhost.organization
"""

EXAMPLES = r"""
- name: The organization as it is becomes a file of tasks
  bw.selfhost.organization_export:
    session: "{{ server_login.session }}"
    master_password: "{{ owner_master_password }}"
    organization_name: Example Org
    dest: files/example-org.yml
  delegate_to: localhost

- name: Policies are known
  bw.selfhost.organization_export:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    parts: [policies]
  delegate_to: localhost
  register: exported

- name: Policies are shown
  ansible.builtin.debug:
    var: exported.organization.policies
"""

RETURN = r"""
organization_id:
  description: Id of the organization.
  returned: success
  type: str
organization:
  description: The options of M(bw.selfhost.organization) that describe the organization.
  returned: success
  type: dict
yaml:
  description: The same as a file of tasks, with comments.
  returned: success
  type: str
path:
  description: Path of the file.
  returned: with O(dest)
  type: str
changes:
  description: Whether the file was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, ORGANIZATION_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import organization_export

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    "dest": {"type": "path"},
    "parts": {
        "type": "list",
        "elements": "str",
        "choices": ["settings", "groups", "collections", "members", "policies", "sso", "scim"],
    },
}


def work(task: Task) -> Outcome:
    """Describe the organization."""
    return Outcome(*organization_export.ensure(task.params, task.check_mode, task.progress))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
