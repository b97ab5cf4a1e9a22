#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: egress_probe
short_description: Prove what a self-hosted server can reach, from the host and from inside its containers
version_added: 0.1.0
description:
  - Tries every destination as the services do, step by step, with the name server, the proxy and the CA certificates of the place it looks from.
    The steps are DNS, TCP, the proxy, TLS with its certificate, and an answer over HTTP.
  - It stops at the first step that fails, and says what stands in the way and which remedy fits.
  - Containers are looked from inside of their own networks. Nothing is installed or started in them.
  - The module changes nothing.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.egress
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes.info
options:
  fail_on_blocked:
    description: Whether the task fails when a destination cannot be reached.
    type: bool
    default: false
notes:
  - Without root, or without Docker, only the host is looked from. RV(not_probed) and a warning say so.
  - Unless O(proxy) and O(no_proxy) are set, each place goes by its own environment, as the services do.
  - Of destinations over UDP only the name is looked up, because nobody has to answer a datagram.
seealso:
  - module: bw.selfhost.egress
  - module: bw.selfhost.egress_info
"""

EXAMPLES = r"""
- name: Server and its containers reach the European Bitwarden cloud
  bw.selfhost.egress_probe:
    region: eu
    fail_on_blocked: true
  become: true

- name: What stands in the way of the cloud and of the identity provider is known
  bw.selfhost.egress_probe:
    destinations:
      - host: login.example.com
        reason: single sign-on
    ca_path: /etc/ssl/inspection-ca.pem
  become: true
  register: egress

- name: It can be read
  ansible.builtin.debug:
    var: egress.findings
"""

RETURN = r"""
reachable:
  description: Whether every destination can be used from every place that was looked from.
  returned: success
  type: bool
results:
  description: One for each place and destination.
  returned: success
  type: list
  elements: dict
  contains:
    vantage:
      description: V(host), or the name of a container.
      type: str
      returned: success
      sample: bitwarden-api
    host:
      description: The destination's name or address.
      type: str
      returned: success
      sample: api.bitwarden.eu
    port:
      description: Its port.
      type: int
      returned: success
      sample: 443
    protocol:
      description: Its protocol.
      type: str
      returned: success
      sample: tcp
    stage:
      description: The last step, V(dns), V(tcp), V(proxy), V(tls) or V(http).
      type: str
      returned: success
      sample: tcp
    result:
      description:
        - V(ok), or how the step failed.
        - Of V(dns) it is V(timeout), V(unreachable), V(nxdomain), V(servfail), V(refused) or V(nodata).
        - Of V(tcp) it is V(timeout), V(refused), V(rejected), V(no_route) or V(sinkhole).
        - Of V(proxy) it is V(unreachable), V(unauthorized), V(forbidden), V(failed), V(protocol), V(unsupported), V(timeout) or V(reset).
        - Of V(tls) it is V(name_mismatch), V(unknown_ca), V(expired), V(not_yet_valid), V(protocol), V(refused), V(timeout) or
          V(reset).
        - Of V(http) it is V(captive_portal), V(block_page), V(unauthorized), V(server_error), V(protocol), V(timeout) or V(reset).
      type: str
      returned: success
      sample: timeout
    address:
      description: The address that was used, or that failed.
      type: str
      returned: success
      sample: 203.0.113.10
    addresses:
      description: How connecting to each address ended. With a proxy these are the proxy's.
      type: dict
      returned: success
      sample: {"203.0.113.10": timeout, "2001:db8::10": no_route}
    elapsed_ms:
      description: Milliseconds of each step.
      type: dict
      returned: success
      sample: {"dns": 3.2, "tcp": 5000.4}
    message:
      description: What was found, in a sentence.
      type: str
      returned: success
    remedy:
      description: What to do, empty when nothing is wrong.
      type: str
      returned: success
findings:
  description: What is wrong, each said once for all the places and destinations it is true of.
  returned: success
  type: list
  elements: dict
  contains:
    message:
      description: What was found.
      type: str
      returned: success
    remedy:
      description: What to do.
      type: str
      returned: success
vantages:
  description: The places that were looked from. One container speaks for all that are in the same networks and configured alike.
  returned: success
  type: list
  elements: dict
  sample:
    - name: bitwarden-api
      scope: containers
      covers: [bitwarden-api, bitwarden-admin, bitwarden-identity]
not_probed:
  description: The places that could not be looked from, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - vantage: bitwarden-api
      reason: "Its network cannot be entered. Run the task as root (become: true)."
"""

from ansible_collections.bw.selfhost.plugins.module_utils._host.probe import Options
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._module import EGRESS_ARGUMENTS, Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_probe import probe
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_request import request

ARGUMENTS: Spec = {**EGRESS_ARGUMENTS, "fail_on_blocked": {"type": "bool", "default": False}}


def work(task: Task) -> Outcome:
    params = task.params
    asked = request(params)
    options = Options(params["timeout"], params["proxy"], params["no_proxy"], params["ca_path"])
    report = probe(params["bwdata"], asked.services, params["scope"], options)
    if params["fail_on_blocked"]:
        refuse_all(report.problems)
    return Outcome(values=report.values(), warnings=[*asked.warnings, *report.warnings])


def main() -> None:
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
