#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: installation
short_description: Request or look up an installation id of the Bitwarden cloud
version_added: 0.1.0
description:
  - Each self-hosted server has an installation id and key, which belong to one region of the Bitwarden cloud for good.
  - With O(id) the module looks the installation up, and with O(key) it also proves that id and key belong together. Nothing is changed.
  - Without O(id) it requests a new one. B(Each such run makes another installation), so store what it returns.
  - Only O(region) (or O(server_url)), O(validate_certs), O(ca_path) and O(timeout) are used to reach the cloud; no log-in is needed.
  - A result with a new RV(key) is hidden from all output and still can be registered.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
attributes:
  idempotent:
    support: partial
    details: With O(id) it is. Without O(id) each run requests another installation.
options:
  id:
    description: Installation id to look up. When it is missing, a new installation is requested.
    type: str
  key:
    description: Installation key to prove, together with O(id).
    type: str
  email:
    description: E-mail address of the administrator, for a new installation. Bitwarden sends important notices there.
    type: str
"""

EXAMPLES = r"""
- name: Installation belongs to the EU cloud, and its key is right
  bw.selfhost.installation:
    region: eu
    id: 11111111-2222-4333-8444-555555555555
    key: "{{ installation_key }}"
  delegate_to: localhost

- name: New installation is requested
  bw.selfhost.installation:
    region: eu
    email: ops@example.com
  delegate_to: localhost
  register: new_installation
"""

RETURN = r"""
id:
  description: Installation id. V(null) in check mode when a new one would be requested.
  returned: success
  type: str
  sample: 11111111-2222-4333-8444-555555555555
key:
  description: Key of a new installation. Secret.
  returned: when a new installation was requested
  type: str
enabled:
  description: Whether the cloud accepts the installation.
  returned: success
  type: bool
key_valid:
  description: Whether id and key belong together. V(null) when O(key) was not given.
  returned: with O(id)
  type: bool
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import cloud_installation

ARGUMENTS = {
    **API_ARGUMENTS,
    "id": {"type": "str"},
    "key": {"type": "str", "no_log": True},
    "email": {"type": "str"},
}
RULES = {"required_one_of": [("id", "email")], "mutually_exclusive": [("id", "email")], "required_by": {"key": ["id"]}}


def work(task: Task) -> Outcome:
    """Look the installation up, or request a new one."""
    return Outcome(*cloud_installation.ensure(task.params, task.check_mode))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS, **RULES)


if __name__ == "__main__":
    main()
