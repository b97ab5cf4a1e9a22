#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: server_config
short_description: Keys of a self-hosted server's config.yml
version_added: 0.1.0
description:
  - Sets keys of C(config.yml), from which Bitwarden's Setup generates the compose file, the nginx configuration and parts of the
    environment.
  - Values are compared by what they mean, because Setup writes the file anew at each rebuild. Whatever the task does not name stays as it is,
    byte for byte.
  - A change takes effect after a rebuild and a start. M(bw.selfhost.stack) does both when they are needed.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.host
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes
options:
  config:
    description:
      - Values by key, such as C(url), C(http_port), C(ssl), C(real_ips) or C(enable_scim). V(null) brings a key back to its default.
      - C(real_ips) is a list of addresses or networks, switches are V(true) or V(false), everything else is text.
    type: dict
    required: true
  backup:
    description: Keep a copy of the old file beside it before it is changed, with the same owner and mode.
    type: bool
    default: false
notes:
  - A change of C(url) also changes C(globalSettings__baseServiceUri__vault) at the next rebuild.
seealso:
  - module: bw.selfhost.override_env
  - module: bw.selfhost.stack
"""

EXAMPLES = r"""
- name: Server listens for the TLS proxy in front of it, and only there
  bw.selfhost.server_config:
    config:
      url: https://vault.example.com
      http_port: 127.0.0.1:8080
      https_port: ""
      ssl: false
      real_ips:
        - 127.0.0.1
    backup: true

- name: SCIM is available, and nginx serves its default list of ciphers
  bw.selfhost.server_config:
    config:
      enable_scim: true
      ssl_ciphersuites: null
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /opt/bitwarden/bwdata/config.yml
backup_file:
  description: The copy of the old file.
  returned: when O(backup=true) and the file was changed
  type: str
  sample: /opt/bitwarden/bwdata/config.yml.4711.2026-08-21@10:05:11~
rebuild_required:
  description: Whether this task changed something that the generated files do not reflect yet.
  returned: success
  type: bool
changes:
  description: The keys that were, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
  sample:
    - action: update
      kind: config.yml key
      name: enable_scim
      before:
        value: false
      after:
        value: true
      reason: ""
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import HOST_ARGUMENTS, Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.server_config import plan_config

ARGUMENTS: Spec = {
    **HOST_ARGUMENTS,
    "config": {"type": "dict", "required": True},
    "backup": {"type": "bool", "default": False},
}


def work(task: Task) -> Outcome:
    edit = plan_config(task.params["bwdata"], task.params["config"])
    values = edit.apply(check_mode=task.check_mode, backup=task.params["backup"])
    return Outcome(edit.plan, {**values, "rebuild_required": edit.plan.changed}, edit.warnings, edit.diff)


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
