# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules about outbound traffic share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_module.EGRESS_ARGUMENTS)."""

    DOCUMENTATION = r"""
options:
  bwdata:
    description:
      - The C(bwdata) directory of the installation. Its C(docker/global.env) and C(env/global.override.env) say what the server talks to.
      - Before the installation exists, O(region) says it.
    type: path
    default: /opt/bitwarden/bwdata
  region:
    description:
      - The Bitwarden cloud the server talks to, or will talk to. It wins over the addresses in the installation's files.
      - Without it, the files decide; what they do not set is the US cloud's, as in the server itself.
    type: str
    choices: [us, eu]
  settings:
    description: Settings by their full names that win over the files and O(region), such as those that a later task will write.
    type: dict
    default: {}
  purposes:
    description:
      - V(cloud) is API, identity and push relay of the Bitwarden cloud.
      - V(settings) is what other settings need, such as the mail server, an external database, C(haveibeenpwned.com) or Yubico.
      - V(update) is what C(bitwarden.sh) downloads from Bitwarden itself. Declare the image registry and its blob hosts in O(destinations).
    type: list
    elements: str
    choices: [cloud, settings, update]
    default: [cloud, settings]
  destinations:
    description: What else must be reachable, such as the identity provider of a single sign-on.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: DNS name or IP address.
        type: str
        required: true
      port:
        description: Port number.
        type: int
        default: 443
      protocol:
        description: Transport protocol.
        type: str
        choices: [tcp, udp]
        default: tcp
      reason:
        description: Why, for the people who read the rules.
        type: str
  scope:
    description:
      - Whose traffic is meant. The server's own calls leave from V(containers) and pass the FORWARD path.
      - Those of C(bitwarden.sh) and of the Docker daemon leave from the V(host) and pass OUTPUT.
    type: list
    elements: str
    choices: [host, containers]
    default: [host, containers]
  resolvers:
    description:
      - IP addresses of the DNS servers that must be reachable, too. By default those of the machine, as Docker hands them to containers.
      - An empty list means that DNS needs no permission.
    type: list
    elements: str
  allow_private:
    description:
      - Names that may resolve to private or loopback addresses, such as an internal mail server. Others are refused.
      - The forward proxy, and addresses declared as such, need no entry.
    type: list
    elements: str
    default: []
  proxy:
    description:
      - URL of the forward proxy that HTTPS goes through. Then the proxy is the only HTTPS destination of the firewall.
      - The default is E(HTTPS_PROXY), from C(env/global.override.env), else from the task's environment. An empty text means none.
    type: str
  no_proxy:
    description: Hosts that are reached without O(proxy), separated by commas. The default is E(NO_PROXY), found in the same way.
    type: str
  timeout:
    description: Seconds for each step of a connection that is tried.
    type: float
    default: 5
  ca_path:
    description: File with further CA certificates to trust, such as that of a TLS inspection.
    type: path
requirements:
  - Python 3.9 or later on the server, nothing else
notes:
  - The module runs on the server itself and needs root (C(become=true)).
"""
