#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: organization_license
short_description: Apply the license of an organization on a self-hosted server
version_added: 0.1.0
description:
  - Applies an organization's license on a self-hosted server, only when it differs from the one in force, and reads the result back.
  - The license comes from O(license), from the file O(license_path), or straight from the cloud (O(cloud) and O(cloud_organization_id)).
  - If the server does not have the organization yet, the license creates it; the user becomes its owner.
  - Before anything is sent, a license is refused that is damaged, expired, not for self-hosting, a person's premium license, of another
    installation, of another cloud organization than the one in force, older than the one in force, or for fewer seats than are occupied.
  - Two licenses count as the same when they grant the same. Downloading twice never gives the same bytes.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.cloud
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
attributes:
  idempotent:
    support: partial
    details: Unless O(force=true), which applies the license in each run.
options:
  organization_id:
    description:
      - Id of the organization on the self-hosted server. It is not the id in the cloud.
      - When it is missing, the organization is found by its billing-sync connection, or else by its name.
    type: str
  organization_name:
    description: Name of the organization, to find it without O(organization_id). By default the license's own.
    type: str
  license:
    description: Content of the license file.
    type: str
  license_path:
    description: Path of the license file, on the machine where the module runs.
    type: path
  cloud_organization_id:
    description:
      - Id of the organization in the cloud. Needed to download the license; with O(license) or O(license_path) it is checked.
    type: str
  installation_id:
    description:
      - Installation id of the server, as in C(global.override.env). Needed to download the license; otherwise it is checked.
    type: str
  license_directory:
    description:
      - Directory of the server's own license files, such as V(/opt/bitwarden/bwdata/core/licenses), when the module runs on the server.
      - With it the license in force is compared exactly. Without it, what the server's API tells is compared, which is everything but
        the end of life of the license's token.
    type: path
  collection_name:
    description: Name of the first collection of a new organization.
    type: str
    default: Default collection
  force:
    description: Apply the license even though it grants nothing else, for example because the server has disabled the organization.
    type: bool
    default: false
  replace:
    description: Accept a license that is older than the one in force, or of another cloud organization.
    type: bool
    default: false
notes:
  - O(master_password) is needed to create an organization, because its keys are made here and sealed for its owner.
seealso:
  - module: bw.selfhost.organization_license_info
  - module: bw.selfhost.billing_sync
"""

EXAMPLES = r"""
- name: License of the organization is the cloud's
  bw.selfhost.organization_license:
    session: "{{ server_login.session }}"
    cloud:
      session: "{{ cloud_login.session }}"
    organization_name: Example Org
    cloud_organization_id: aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
    installation_id: 11111111-2222-4333-8444-555555555555
  delegate_to: localhost

- name: License file is applied, the organization is created if need be
  bw.selfhost.organization_license:
    server_url: https://vault.example.com
    client_id: "{{ owner_client_id }}"
    client_secret: "{{ owner_client_secret }}"
    master_password: "{{ owner_master_password }}"
    license_path: files/bitwarden_organization_license.json
    installation_id: 11111111-2222-4333-8444-555555555555
  delegate_to: localhost
"""

RETURN = r"""
organization_id:
  description: Id of the organization on the self-hosted server. V(null) in check mode when it would be created.
  returned: success
  type: str
cloud_organization_id:
  description: Id of the organization in the cloud.
  returned: success
  type: str
organization_name:
  description: Name of the organization.
  returned: success
  type: str
created:
  description: Whether the organization was, or in check mode would be, created.
  returned: success
  type: bool
license:
  description: What the license says that is now in force.
  returned: success
  type: dict
  contains:
    expires:
      description: End of the subscription, its grace period included.
      type: str
      sample: "2027-10-20T00:00:00Z"
    end_of_life:
      description: When the file itself stops working; one year after the download at the latest.
      type: str
      sample: "2027-08-21T10:00:00Z"
    issued:
      description: When the cloud made the file.
      type: str
      sample: "2026-08-21T10:00:00Z"
    seats:
      description: Members it pays for. V(null) means without limit.
      type: int
    plan:
      description: Name of the plan.
      type: str
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, CLOUD_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.license import ensure

ARGUMENTS = {
    **API_ARGUMENTS,
    **CLOUD_ARGUMENTS,
    "organization_id": {"type": "str"},
    "organization_name": {"type": "str"},
    "license": {"type": "str", "no_log": True},
    "license_path": {"type": "path"},
    "cloud_organization_id": {"type": "str"},
    "installation_id": {"type": "str"},
    "license_directory": {"type": "path"},
    "collection_name": {"type": "str", "default": "Default collection"},
    "force": {"type": "bool", "default": False},
    "replace": {"type": "bool", "default": False},
}
SOURCES = ("license", "license_path", "cloud")
RULES = {
    "required_one_of": [SOURCES],
    "mutually_exclusive": [SOURCES],
    "required_by": {"cloud": ["cloud_organization_id", "installation_id"]},
}


def work(task: Task) -> Outcome:
    """Bring the organization's license to what was given or downloaded."""
    return Outcome(*ensure(task.params, task.check_mode))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS, **RULES)


if __name__ == "__main__":
    main()
