#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: stack
short_description: Start, stop, restart, rebuild or update a self-hosted server, or make it agree with its files
version_added: 0.1.0
description:
  - Brings the containers of a standard deployment to the wanted state with the installation's own C(bitwarden.sh), and waits until they
    are healthy.
  - V(converged), the default, compares the environment that the containers really have with C(env/*.override.env), and the effects of
    C(config.yml) with the generated files. It then does the least that makes them agree. That is nothing, a restart, a rebuild followed
    by a start, or just a start.
  - A failure is never left unexplained. The message names the service, the line in its log, what was restored, and the state the
    stack is in now.
  - The previous state comes back after a failure when the services were healthy before and the files it needs are known. That are
    those that a rebuild or an update rewrote, and those in O(restore_from). It is started from the images on the machine if the registry
    cannot be reached. An update whose new version has already started is not taken back, because it may have changed the database.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.host
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes
options:
  script:
    description:
      - Path of C(bitwarden.sh). Without it, the one next to O(bwdata).
      - It runs as the user who owns it, with closed stdin.
    type: path
  state:
    description:
      - V(converged) does the least that makes the running containers agree with the files, and starts a stopped stack.
      - V(started) starts the stack when a service does not run. V(stopped) stops it.
      - V(restarted) always restarts, V(rebuilt) always rebuilds and starts.
      - V(updated) brings the server to the version of C(bitwarden.sh) when that differs, and otherwise does what V(converged) does. The
        script itself is not fetched.
    type: str
    choices: [converged, started, stopped, restarted, rebuilt, updated]
    default: converged
  allow_update:
    description:
      - A rebuild with another version of C(bitwarden.sh) changes the version of the server in passing. Unless this is V(true), such a
        rebuild is refused.
    type: bool
    default: false
  assume_changed:
    description:
      - The files that an earlier task of the same play has changed, or would have changed in check mode.
      - V(env) matters in check mode only, where the change is not in the file yet. Otherwise files and containers are compared.
      - V(config) asks for a rebuild even if the generated files show no trace of the change. A few keys of C(config.yml) leave none that
        could be compared, V(push_notifications) for example.
    type: list
    elements: str
    choices: [env, config]
    default: []
  restore_from:
    description:
      - Backups of C(global.override.env), C(mssql.override.env), C(key-connector.override.env) or C(config.yml) as they were before this
        play changed them. That is the RV(bw.selfhost.override_env#module:backup_file) of the earlier task.
      - Used only when the containers were healthy before and this run fails. The backup's name must begin with the file's name.
    type: list
    elements: path
    default: []
  wait:
    description: Whether to wait until every service is healthy and the server answers.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for health.
    type: int
    default: 300
  command_timeout:
    description:
      - Seconds that one command of C(bitwarden.sh) may take. An update with a large database may need 3600.
      - Another run that works on the same installation is waited for as long.
    type: int
    default: 900
  url:
    description:
      - Where the server is asked whether it is well, after something was done. Without it, C(url) of C(config.yml).
      - An empty string asks only the containers. Proxy settings of the environment are honoured.
    type: str
  validate_certs:
    description: Whether to verify the certificate at O(url).
    type: bool
    default: true
  ca_path:
    description: A bundle of CA certificates to verify it with, instead of the system's.
    type: path
seealso:
  - module: bw.selfhost.override_env
  - module: bw.selfhost.server_config
  - module: bw.selfhost.stack_info
"""

EXAMPLES = r"""
- name: Running containers agree with the files
  bw.selfhost.stack:
    bwdata: /opt/bitwarden/bwdata

- name: Settings are in the file
  bw.selfhost.override_env:
    settings:
      globalSettings__enableCloudCommunication: true
    backup: true
  register: settings

- name: And in force, or everything is as it was before
  bw.selfhost.stack:
    assume_changed: "{{ ['env'] if settings is changed else [] }}"
    restore_from: "{{ settings.backup_file | default(omit, true) }}"

- name: Server has the version of bitwarden.sh
  bw.selfhost.stack:
    state: updated
    command_timeout: 3600
    wait_timeout: 600
"""

RETURN = r"""
commands:
  description: The commands of C(bitwarden.sh) that were run, or would be in check mode, in order.
  returned: success
  type: list
  elements: str
  sample: [restart]
progress:
  description: One line for each service that became healthy and each address that answered.
  returned: success
  type: list
  elements: str
  sample: ["api: healthy after 12 s"]
changes:
  description: What was done, or would be in check mode. Values of secret settings are masked.
  returned: success
  type: list
  elements: dict
"""

from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._module import HOST_ARGUMENTS, Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.installation import Installation
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.stack import Options, reconcile
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.stack_plan import Wish

ARGUMENTS: Spec = {
    **HOST_ARGUMENTS,
    "script": {"type": "path"},
    "state": {
        "type": "str",
        "choices": ["converged", "started", "stopped", "restarted", "rebuilt", "updated"],
        "default": "converged",
    },
    "allow_update": {"type": "bool", "default": False},
    "assume_changed": {"type": "list", "elements": "str", "choices": ["env", "config"], "default": []},
    "restore_from": {"type": "list", "elements": "path", "default": []},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "command_timeout": {"type": "int", "default": 900},
    "url": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
}


def work(task: Task) -> Outcome:
    params = task.params
    wish = Wish(params["state"], params["allow_update"], frozenset(params["assume_changed"]))
    options = Options(
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        command_timeout=params["command_timeout"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        url=params["url"],
        restore_from=tuple(map(Path, params["restore_from"])),
    )
    report = reconcile(Installation(params["bwdata"], params["script"]), wish, options, task.check_mode)
    values = {"commands": list(report.commands), "progress": report.progress}
    return Outcome(report.plan, values, report.warnings)


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
