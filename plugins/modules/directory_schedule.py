#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_schedule
short_description: Sync a directory again and again by a systemd timer, without Ansible
version_added: 0.1.0
description:
  - Puts a program, a profile, its secrets, a systemd service and a timer on the managed host. From then on systemd does what
    M(bw.selfhost.directory_sync) or M(bw.selfhost.directory_connector) does, with the same limits and refusals.
  - The service runs as an account that exists only while it runs (with O(backend=bwdc) as the owner of the connector's data), and sees next
    to nothing of the machine. Secrets are in a file that only root can read, and come to the service as a credential of systemd.
  - Of two runs of one profile at a time the second one ends at once, with success, and says who is at it and since when.
  - Each run tells the journal what it changed, and what came of it as one line of JSON. The last line is in RV(last_run), too.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes
options:
  name:
    description: Name of the profile, such as V(corp-ldap). Every host can have many.
    type: str
    required: true
  state:
    description: V(absent) removes everything that this module and the runs have left, and nothing else.
    type: str
    choices: [present, absent]
    default: present
  backend:
    description: V(native) syncs as M(bw.selfhost.directory_sync), V(bwdc) with the connector that M(bw.selfhost.directory_connector) has set up.
    type: str
    choices: [native, bwdc]
    default: native
  options:
    description:
      - With O(backend=native) the options of M(bw.selfhost.directory_sync), with the API key of the organization.
      - With O(backend=bwdc) the options C(data_dir), C(program_dir), C(ca_path), C(client_id), C(client_secret), C(min_directory_users),
        C(max_removals), C(max_removals_percent), C(timeout) and C(lock_timeout) of M(bw.selfhost.directory_connector).
      - They are checked as there. Needed unless O(state=absent).
    type: dict
  on_calendar:
    description: When to sync, as in C(systemd.time(7)), such as V(hourly) or V(*:0/15) for every quarter of an hour.
    type: str
    default: "*:0/15"
  randomized_delay:
    description: Up to how many seconds later it begins, so that not all hosts begin at once.
    type: int
    default: 60
requirements:
  - systemd 247 or later
  - With O(backend=native), requests and python-ldap or ldap3 for the Python that runs the module.
notes:
  - Proxy variables of the task's environment, such as C(HTTPS_PROXY), hold for the timer, too.
  - Files that options name, such as certificate authorities, must be readable by everybody.
  - What has been synced stays in the organization when a profile is removed.
seealso:
  - module: bw.selfhost.directory_sync
  - module: bw.selfhost.directory_connector
"""

EXAMPLES = r"""
- name: Directory is synced every hour
  bw.selfhost.directory_schedule:
    name: corp-ldap
    options:
      server_url: https://vault.example.com
      client_id: "{{ organization_client_id }}"
      client_secret: "{{ organization_client_secret }}"
      directory:
        hosts: [ldap.example.com]
        bind_dn: cn=sync,ou=Services,dc=example,dc=com
        bind_password: "{{ directory_password }}"
      users:
        base: ou=People,dc=example,dc=com
        external_id_attribute: entryUUID
      removals: absent
    on_calendar: hourly

- name: Connector that has been set up is run every night
  bw.selfhost.directory_schedule:
    name: entra
    backend: bwdc
    options:
      data_dir: /var/lib/bwdc/entra
      client_id: "{{ organization_client_id }}"
      client_secret: "{{ organization_client_secret }}"
      min_directory_users: 100
    on_calendar: "02:30"

- name: Directory is no longer synced
  bw.selfhost.directory_schedule:
    name: corp-ldap
    state: absent
"""

RETURN = r"""
last_run:
  description: What the last run of the timer has said of itself, or none.
  returned: success
  type: dict
  contains:
    profile:
      description: Name of the profile.
      type: str
      sample: corp-ldap
    began:
      description: When it began.
      type: str
      sample: "2026-11-22T21:15:03Z"
    seconds:
      description: How long it took.
      type: float
      sample: 2.4
    changes:
      description: How many things it changed.
      type: int
      sample: 3
    directory:
      description: How many C(users) and C(groups) the directory had, and others.
      type: dict
      sample: {"users": 148, "groups": 12, "disabled": 3}
    warnings:
      description: What it warned of.
      type: list
      elements: str
    error:
      description: Why it refused or failed, or none.
      type: str
changes:
  description: What was, or in check mode would be, changed. Secrets are masked.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      kind: systemd unit
      name: bw-selfhost-directory-corp-ldap.timer
      before: {}
      after:
        enabled: true
        active: true
      reason: ""
"""

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.bw.selfhost.plugins.module_utils._directory_arguments import DIRECTORY_ARGUMENTS
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._module import CLOUD_ARGUMENTS, Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.directory_schedule import ensure

SERVER = ("server_url", "region", "client_id", "client_secret", "validate_certs", "ca_path", "timeout")
BACKENDS: dict[str, Spec] = {
    "native": {**{name: CLOUD_ARGUMENTS["cloud"]["options"][name] for name in SERVER}, **DIRECTORY_ARGUMENTS},
    "bwdc": {
        "data_dir": {"type": "path", "required": True},
        "program_dir": {"type": "path"},
        "ca_path": {"type": "path"},
        "client_id": {"type": "str", "required": True},
        "client_secret": {"type": "str", "required": True, "no_log": True},
        "min_directory_users": {"type": "int"},
        "max_removals": {"type": "int", "default": 5},
        "max_removals_percent": {"type": "int", "default": 10},
        "timeout": {"type": "int", "default": 900},
        "lock_timeout": {"type": "int", "default": 60},
    },
}
ARGUMENTS: Spec = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "backend": {"type": "str", "choices": list(BACKENDS), "default": "native"},
    "options": {"type": "dict"},
    "on_calendar": {"type": "str", "default": "*:0/15"},
    "randomized_delay": {"type": "int", "default": 60},
}


def work(task: Task) -> Outcome:
    """Bring the timer to what is declared."""
    spec = BACKENDS[task.params["backend"]]
    secrets = set(_secrets(spec))
    if task.params["state"] == "present":
        task.params["options"] = _checked(task, spec)
    return Outcome(*ensure({**task.params, "secrets": secrets}, task.check_mode))


def _secrets(spec: Spec, at: tuple[str, ...] = ()) -> t.Iterator[tuple[str, ...]]:
    """Return where options are secret."""
    for name, option in spec.items():
        if option.get("no_log"):
            yield (*at, name)
        yield from _secrets(option.get("options", {}), (*at, name))


def _checked(task: Task, spec: Spec) -> dict[str, t.Any]:
    """Return the options as the backend's own module would get them."""
    found = ArgumentSpecValidator(spec).validate(task.params["options"] or {})
    for secret in found._no_log_values:  # noqa: SLF001 - there is no other way to them
        task.hide(secret)
    if found.error_messages:
        raise SelfhostError("; ".join(found.error_messages), field="options", remedy="See the documentation of that module.")
    return t.cast("dict[str, t.Any]", found.validated_parameters)


def main() -> None:
    """Run the module; what it was told is not written to the system's log, because of the secrets in O(options)."""
    run(work, ARGUMENTS, no_log=True)


if __name__ == "__main__":
    main()
