#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: override_env
short_description: Settings of a self-hosted server in global.override.env
version_added: 0.1.0
description:
  - Sets and removes settings in C(env/global.override.env), where a self-hosted Bitwarden server gets its settings from.
  - Whatever the task does not name stays as it is, byte for byte, comments and odd lines included. A value that is already in effect is
    left alone, however it is quoted.
  - Every setting is checked before anything is written, its name against a catalogue of what the server reads, its value against its type.
    All problems are reported at once.
  - A change takes effect when the containers are created anew. M(bw.selfhost.stack) does that when it is needed.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.host
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes
options:
  settings:
    description:
      - Settings by their full names, such as C(globalSettings__enableCloudCommunication). V(null) removes a setting.
      - A list has one setting per item, C(globalSettings__yubico__validationUrls__0) and so on.
      - Settings that Setup writes itself can be changed but not removed, because Setup would write them again with other values.
    type: dict
    default: {}
  absent:
    description: Names of settings to remove. The same as V(null) in O(settings).
    type: list
    elements: str
    default: []
  region:
    description:
      - The Bitwarden cloud that the server talks to. Sets C(globalSettings__baseServiceUri__cloudRegion),
        C(globalSettings__installation__identityUri), C(globalSettings__installation__apiUri) and C(globalSettings__pushRelayBaseUri), which
        belong together.
      - One of them may still be in O(settings), as long as its value is not that of another region. V(REPLACE) as push relay, for example,
        turns push notifications off.
      - Refused when the file names another region as the one of the installation, unless O(settings) bring an installation id and key of the
        new region, too.
    type: str
    choices: [us, eu]
  allow_unknown:
    description: Accept names of which the catalogue does not know, or which it knows to have no effect here. They only give a warning then.
    type: bool
    default: false
  backup:
    description: Keep a copy of the old file beside it before it is changed, with the same owner and mode.
    type: bool
    default: false
notes:
  - Values that are secret by the catalogue, or for unknown settings by their name, are shown nowhere, not in the diff either. A secret of
    fewer than six characters is only left out, not masked where else it may occur, because that would garble the output.
  - The new file replaces the old one in one step. Owner and mode stay. A file that does not exist yet gets mode C(0600) and the owner named in
    C(env/uid.env).
  - Values are written such that all releases of Docker Compose since 1.26 and Bitwarden's Setup understand them alike. Values for which
    that is not possible are refused, for instance those with both kinds of quotes and a C(#).
seealso:
  - module: bw.selfhost.server_config
  - module: bw.selfhost.stack
"""

EXAMPLES = r"""
- name: Server talks to the EU cloud
  bw.selfhost.override_env:
    region: eu
    settings:
      globalSettings__enableCloudCommunication: true
      globalSettings__installation__id: 11111111-2222-4333-8444-555555555555
      globalSettings__installation__key: "{{ installation_key }}"
    backup: true

- name: Nobody signs up on their own, and the log level is the default again
  bw.selfhost.override_env:
    settings:
      globalSettings__disableUserRegistration: true
      Logging__LogLevel__Default: null

- name: Settings from earlier times are gone
  bw.selfhost.override_env:
    absent:
      - globalSettings__captcha__hCaptchaSiteKey
      - globalSettings__syslog__destination
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /opt/bitwarden/bwdata/env/global.override.env
backup_file:
  description: The copy of the old file.
  returned: when O(backup=true) and the file was changed
  type: str
  sample: /opt/bitwarden/bwdata/env/global.override.env.4711.2026-08-21@10:05:11~
restart_required:
  description: Whether this task changed something that running containers do not have yet.
  returned: success
  type: bool
changes:
  description: The settings that were, or in check mode would be, changed. Secret values are masked.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      kind: setting
      name: globalSettings__enableCloudCommunication
      before: {}
      after:
        value: "true"
      reason: ""
"""

from ansible_collections.bw.selfhost.plugins.module_utils._model.settings import is_secret, may_be_masked
from ansible_collections.bw.selfhost.plugins.module_utils._module import HOST_ARGUMENTS, Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.override_env import plan_settings

ARGUMENTS: Spec = {
    **HOST_ARGUMENTS,
    "settings": {"type": "dict", "default": {}},
    "absent": {"type": "list", "elements": "str", "default": []},
    "region": {"type": "str", "choices": ["us", "eu"]},
    "allow_unknown": {"type": "bool", "default": False},
    "backup": {"type": "bool", "default": False},
}


def work(task: Task) -> Outcome:
    params, settings = task.params, task.params["settings"]
    for name in filter(is_secret, settings):
        task.hide(settings[name] if may_be_masked(settings[name]) else None)
    edit = plan_settings(params["bwdata"], settings, params["absent"], params["region"], params["allow_unknown"])
    values = edit.apply(check_mode=task.check_mode, backup=params["backup"])
    return Outcome(edit.plan, {**values, "restart_required": edit.plan.changed}, edit.warnings, edit.diff)


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
