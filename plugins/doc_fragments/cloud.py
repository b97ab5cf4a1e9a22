# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Bitwarden cloud as a second server, beside the self-hosted one."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_module.CLOUD_ARGUMENTS)."""

    DOCUMENTATION = r"""
options:
  cloud:
    description:
      - The Bitwarden cloud, and who we are there. The options mean the same as the module's own.
      - Environment variables are not used for these options.
    type: dict
    suboptions:
      server_url:
        description: URL of the cloud, where O(cloud.region) does not name it.
        type: str
      region:
        description: Region of the Bitwarden cloud, V(us) at C(bitwarden.com) or V(eu) at C(bitwarden.eu).
        type: str
        choices: [us, eu]
      client_id:
        description: Personal API key of the user in the cloud. It is not the one of the self-hosted server.
        type: str
      client_secret:
        description: Secret of the personal API key.
        type: str
      email:
        description: E-mail address of the user, to log in with O(cloud.master_password) where there is no API key.
        type: str
      master_password:
        description: Master password of the user in the cloud. It is not the one of the self-hosted server.
        type: str
      session:
        description:
          - What M(bw.selfhost.login) returned as RV(bw.selfhost.login#module:session) for the cloud.
        type: dict
      validate_certs:
        description: Whether to verify the TLS certificate.
        type: bool
        default: true
      ca_path:
        description: PEM file with the certificate authorities to trust instead of the system's.
        type: path
      timeout:
        description: Seconds to wait for an answer.
        type: int
        default: 30
"""
