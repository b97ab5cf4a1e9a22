#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: egress
short_description: Let a self-hosted server reach the Bitwarden cloud, and nothing else, through the firewall
version_added: 0.1.0
description:
  - Finds out which firewall blocks what the server must reach, for the host and for its containers, over IPv4 and IPv6,
    and puts a permission for exactly those addresses into it. Where nothing blocks, nothing is changed.
  - The permission follows DNS. A systemd timer on the server looks the names up again; an address that is gone from DNS stays allowed for a grace time.
    It survives a reboot, a reload of the firewall, and restarts of Docker and of the server.
  - Rules and sets are the module's own by name or comment. Nothing else is changed, flushed, restarted or reordered, no rule names a bridge,
    and O(state=absent) leaves no trace.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.egress
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes
options:
  state:
    description: Whether the permission is there.
    type: str
    choices: [present, absent]
    default: present
  engine:
    description:
      - Where the permission goes. V(auto) finds out which engines block and opens each of them.
      - Another value is the only engine that may be changed. The task fails when a different one blocks, because the permission would open nothing.
    type: str
    choices: [auto, nftables, iptables, ufw, firewalld]
    default: auto
  mode:
    description:
      - V(allow) adds the permission to the firewall that is there.
      - V(enforce) also drops every other new connection from the server's containers to the outside, with an nftables table of its own.
        The host's own traffic, connections between containers, and connections from outside to the server are not touched.
        Unless a probe through the new rules reaches every destination within O(confirm_timeout), they are taken back.
    type: str
    choices: [allow, enforce]
    default: allow
  probe:
    description: Afterwards try to reach every destination, and fail with what stands in the way. O(mode=enforce) always does.
    type: bool
    default: false
  confirm_timeout:
    description: Seconds after which the rules of O(mode=enforce) take themselves back unless the probe has succeeded.
    type: int
    default: 60
  grace_time:
    description: Seconds that an address stays allowed after DNS no longer has it.
    type: int
    default: 86400
  refresh_interval:
    description: Seconds between two looks at DNS.
    type: int
    default: 300
  explain:
    description: Return RV(explanation_text), the table that a firewall team asks for.
    type: bool
    default: false
seealso:
  - module: bw.selfhost.egress_info
  - module: bw.selfhost.egress_probe
"""

EXAMPLES = r"""
- name: Server and its containers reach the European Bitwarden cloud, whatever the firewall is
  bw.selfhost.egress:
    region: eu
    probe: true
  become: true

- name: Containers may reach the cloud, the mail server and the identity provider, and nothing else
  bw.selfhost.egress:
    region: eu
    mode: enforce
    destinations:
      - host: login.example.com
        reason: single sign-on
    allow_private:
      - mail.internal.example.com
  become: true

- name: What the firewall team must open is known, nothing is changed
  bw.selfhost.egress:
    region: us
    purposes: [cloud, settings, update]
    explain: true
  become: true
  check_mode: true

- name: Permission is gone, without a trace
  bw.selfhost.egress:
    state: absent
  become: true
"""

RETURN = r"""
reason:
  description:
    - V(blocked) when an engine blocks, so that it was or is opened, V(not_blocked) when nothing does, V(absent) with O(state=absent).
  returned: success
  type: str
  sample: blocked
engines:
  description: The engines that have, or in check mode would have, a permission.
  returned: success
  type: list
  elements: str
  sample: [nftables]
blocks:
  description: What drops the traffic, without regard to our own rules. C(to) is a list of addresses with port and protocol.
  returned: success
  type: list
  elements: dict
  sample:
    - engine: nftables
      scope: containers
      rule: "table inet filter chain forward: policy drop"
      to: ["203.0.113.10:443/tcp"]
explanation:
  description: What must be reachable, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - name: api.bitwarden.eu
      port: 443
      protocol: tcp
      why: license sync, sponsorship sync and validation of the installation id
      source: globalSettings__installation__apiUri
      addresses: ["203.0.113.10", "2001:db8::10"]
explanation_text:
  description: The same as lines of text.
  returned: when O(explain=true)
  type: list
  elements: str
probe:
  description: What the probe found, see RV(bw.selfhost.egress_probe#module:results).
  returned: when a probe was made
  type: list
  elements: dict
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      kind: nftables rule
      name: inet filter forward
      before: {}
      after:
        rule: ip daddr . meta l4proto . th dport @bw_selfhost_4 counter accept
      reason: ""
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import EGRESS_ARGUMENTS, Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress import ensure

ARGUMENTS: Spec = {
    **EGRESS_ARGUMENTS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "engine": {"type": "str", "choices": ["auto", "nftables", "iptables", "ufw", "firewalld"], "default": "auto"},
    "mode": {"type": "str", "choices": ["allow", "enforce"], "default": "allow"},
    "probe": {"type": "bool", "default": False},
    "confirm_timeout": {"type": "int", "default": 60},
    "grace_time": {"type": "int", "default": 86400},
    "refresh_interval": {"type": "int", "default": 300},
    "explain": {"type": "bool", "default": False},
}


def work(task: Task) -> Outcome:
    plan, values, warnings = ensure(task.params, task.check_mode)
    return Outcome(plan, values, warnings)


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
