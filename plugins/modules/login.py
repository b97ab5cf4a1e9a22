#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: login
short_description: Log in to a Bitwarden server once for many tasks
version_added: 0.1.0
description:
  - Logs in with a personal API key, or with e-mail address and master password, and returns a session that the other API modules accept.
  - Works with a self-hosted server (O(server_url)) and with the Bitwarden cloud (O(region)).
  - Logging in changes nothing, so it also happens in check mode.
  - The result is hidden from all output, whatever the verbosity, and still can be registered and used by later tasks.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes.info
  - bw.selfhost.attributes.actiongroup_api
seealso:
  - module: bw.selfhost.organization_license
  - module: bw.selfhost.billing_sync
"""

EXAMPLES = r"""
- name: Owner is logged in to the self-hosted server
  bw.selfhost.login:
    server_url: https://vault.example.com
    client_id: "{{ owner_client_id }}"
    client_secret: "{{ owner_client_secret }}"
  delegate_to: localhost
  register: server_login

- name: Owner is logged in to the EU cloud
  bw.selfhost.login:
    region: eu
    client_id: "{{ cloud_client_id }}"
    client_secret: "{{ cloud_client_secret }}"
  delegate_to: localhost
  register: cloud_login

- name: License and subscription are known
  bw.selfhost.organization_license_info:
    session: "{{ server_login.session }}"
    organization_name: Example Org
  delegate_to: localhost
"""

RETURN = r"""
session:
  description:
    - What the O(session) option of the other modules takes. Secret, valid for about an hour.
    - It carries the server's address, O(ca_path) and O(validate_certs) with it.
    - Opaque, its content may change between releases of the collection.
  returned: success
  type: dict
server_version:
  description: Release of the self-hosted server. V(null) for the cloud, where it does not matter.
  returned: success
  type: str
  sample: 2026.8.0
"""

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import connect
from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, Outcome, Task, run

ARGUMENTS = API_ARGUMENTS


def work(task: Task) -> Outcome:
    """Log in; nothing is changed."""
    server = connect(task.params, progress=task.progress)
    return Outcome(values={"session": server.session(), "server_version": None if server.is_cloud else server.version})


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
