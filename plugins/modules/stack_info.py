#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_info
short_description: Read what runs of a self-hosted server, and where it differs from its files
version_added: 0.1.0
description:
  - Reads the containers of a standard deployment, their versions and health, and the settings in which they differ from the files.
  - Settings are returned by name only, because their values hold secrets.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.host
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes.info
options:
  script:
    description: Path of C(bitwarden.sh). Without it, the one next to O(bwdata).
    type: path
seealso:
  - module: bw.selfhost.stack
"""

EXAMPLES = r"""
- name: What runs
  bw.selfhost.stack_info:
    bwdata: /opt/bitwarden/bwdata
  register: server

- name: Nobody changed a file without applying it
  ansible.builtin.assert:
    that: server.converged
    fail_msg: "{{ server.problems | join('\n') }}"
"""

RETURN = r"""
services:
  description: The services that the compose files describe.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the service.
      type: str
      returned: success
      sample: api
    container:
      description: Name of its container.
      type: str
      returned: success
      sample: bitwarden-api
    image:
      description: Image of the running container, or of the compose file when there is no container.
      type: str
      returned: success
      sample: ghcr.io/bitwarden/api:2026.8.0
    version:
      description: Tag of that image.
      type: str
      returned: success
      sample: 2026.8.0
    running:
      description: Whether the container runs, and not in a restart loop.
      type: bool
      returned: success
    health:
      description: What its health check says, or V(null) without a container or a health check.
      type: str
      returned: success
      sample: healthy
    condition:
      description: Its state in words.
      type: str
      returned: success
      sample: restarting, exit code 134
    started:
      description: When the container was started.
      type: str
      returned: success
      sample: "2026-08-20T12:00:00.123456789Z"
versions:
  description: Versions of the core images in three places. An update or a rebuild brings them together.
  returned: success
  type: dict
  contains:
    script:
      description: What C(bitwarden.sh) would install, V(null) when it cannot be read.
      type: str
      returned: success
    compose:
      description: What the compose file names.
      type: str
      returned: success
    running:
      description: What runs, V(null) when the api service has no container.
      type: str
      returned: success
drift:
  description: For each service, the names of settings in which its container differs from the files.
  returned: success
  type: dict
  sample: {"api": ["globalSettings__enableCloudCommunication"]}
config_drift:
  description: Keys of C(config.yml) that the generated files do not reflect.
  returned: success
  type: list
  elements: str
  sample: [url]
installation:
  description: What the files say about the installation and its cloud. A setting that is absent is an empty string.
  returned: success
  type: dict
  contains:
    installation_id:
      description: C(globalSettings__installation__id).
      type: str
      returned: success
    api_uri:
      description: C(globalSettings__installation__apiUri).
      type: str
      returned: success
    identity_uri:
      description: C(globalSettings__installation__identityUri).
      type: str
      returned: success
    push_uri:
      description: C(globalSettings__pushRelayBaseUri).
      type: str
      returned: success
    cloud_region:
      description: C(globalSettings__baseServiceUri__cloudRegion).
      type: str
      returned: success
converged:
  description: Whether every service runs and agrees with the files.
  returned: success
  type: bool
healthy:
  description: Whether every service is healthy.
  returned: success
  type: bool
problems:
  description: What is wrong, one sentence each.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import HOST_ARGUMENTS, Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.installation import Installation
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.stack_info import describe

ARGUMENTS: Spec = {**HOST_ARGUMENTS, "script": {"type": "path"}}


def work(task: Task) -> Outcome:
    return Outcome(values=describe(Installation(task.params["bwdata"], task.params["script"])))


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
