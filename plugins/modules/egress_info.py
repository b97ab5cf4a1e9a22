#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: egress_info
short_description: What a self-hosted server must reach, and which firewall blocks it
version_added: 0.1.0
description:
  - Judges a new connection to every destination by the rules that are in force, for the host and for each container network, and names the rule that drops it.
  - Rules that M(bw.selfhost.egress) has made do not count, so that the answer is the same before and after it.
  - Nothing is sent to the destinations. M(bw.selfhost.egress_probe) tries them.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.egress
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes.info
seealso:
  - module: bw.selfhost.egress
  - module: bw.selfhost.egress_probe
"""

EXAMPLES = r"""
- name: Firewalls of the server are known
  bw.selfhost.egress_info:
    region: eu
  become: true
  register: egress

- name: Table for the firewall team
  ansible.builtin.debug:
    var: egress.explanation_text
"""

RETURN = r"""
engines:
  description: The firewalls this collection knows. C(present) holds what M(bw.selfhost.egress) has put there, empty when there is nothing.
  returned: success
  type: list
  elements: dict
  sample:
    - name: nftables
      installed: true
      active: true
      blocks: true
      present: {}
chains:
  description: Every chain that the kernel itself calls for traffic from the host or from containers, and who owns it. C(rules) is how many it has.
  returned: success
  type: list
  elements: dict
  sample:
    - engine: nftables
      hook: forward
      family: inet
      table: filter
      chain: forward
      priority: 0
      policy: drop
      rules: 3
docker_user:
  description: The rules of DOCKER-USER, where containers' traffic comes first, by C(ipv4) and C(ipv6); empty when there is no such chain.
  returned: success
  type: dict
  sample:
    ipv4: ["-j RETURN"]
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
networks:
  description: The container networks that have a way out. C(stack) says that they are the installation's.
  returned: success
  type: list
  elements: dict
  sample:
    - name: docker_public
      bridge: br-0123456789ab
      subnets: ["172.18.0.0/16"]
      stack: true
problems:
  description: Names that cannot be resolved or have addresses that are not allowed, and what looks wrong in the settings.
  returned: success
  type: list
  elements: str
  sample: []
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
  returned: success
  type: list
  elements: str
  sample: ["name              port  protocol  why           addresses"]
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import EGRESS_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_info import describe

ARGUMENTS = EGRESS_ARGUMENTS


def work(task: Task) -> Outcome:
    return Outcome(values=describe(task.params))


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
