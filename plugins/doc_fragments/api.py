# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How to reach one Bitwarden server, and who we are there."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_module.API_ARGUMENTS)."""

    DOCUMENTATION = r"""
options:
  server_url:
    description:
      - Public URL of the self-hosted server, such as V(https://vault.example.com).
      - For the Bitwarden cloud use O(region) instead.
      - If the value is not specified in the task, the value of environment variable E(BW_SERVER) will be used instead.
    type: str
  region:
    description:
      - Region of the Bitwarden cloud, V(us) at C(bitwarden.com) or V(eu) at C(bitwarden.eu), instead of O(server_url).
    type: str
    choices: [us, eu]
  client_id:
    description:
      - Personal API key of the user, such as V(user.0f0e0d0c-0b0a-4908-8706-050403020100).
      - If the value is not specified in the task, the value of environment variable E(BW_CLIENTID) will be used instead.
    type: str
  client_secret:
    description:
      - Secret of the personal API key.
      - If the value is not specified in the task, the value of environment variable E(BW_CLIENTSECRET) will be used instead.
    type: str
  email:
    description:
      - E-mail address of the user, to log in with O(master_password) where there is no API key.
      - An API key is the better choice, because two-step login does not stand in its way.
    type: str
  master_password:
    description:
      - Master password of the user.
      - With an API key or a session it is only needed where the server asks for it once more, or where something has to be encrypted.
      - It never leaves the machine where the module runs; the server only ever sees a hash.
      - If the value is not specified in the task, the value of environment variable E(BW_PASSWORD) will be used instead.
    type: str
  session:
    description:
      - What M(bw.selfhost.login) returned as RV(bw.selfhost.login#module:session), instead of O(server_url), O(region) and the credentials.
      - It carries its server's address, O(ca_path) and O(validate_certs) with it. Credentials beside it renew it when it must be.
      - A session spares each further task the log-in, and with it the cloud's limit of ten log-ins a minute.
    type: dict
  validate_certs:
    description:
      - Whether to verify the server's TLS certificate.
      - To trust a certificate authority of your own, use O(ca_path) and keep this at V(true).
    type: bool
    default: true
  ca_path:
    description:
      - PEM file with the certificate authorities to trust instead of the system's.
    type: path
  timeout:
    description:
      - Seconds to wait for an answer of the server.
    type: int
    default: 30
requirements:
  - requests (on the machine where the module runs)
  - cryptography (there too, only where O(master_password) is used)
notes:
  - The module talks to the server's API and can run anywhere that reaches it, usually with C(delegate_to=localhost).
  - The proxy variables E(HTTPS_PROXY) and E(NO_PROXY) are honoured. Redirects to another host are refused.
  - Set the options once for all modules with C(module_defaults) and the group C(group/bw.selfhost.api).
seealso:
  - module: bw.selfhost.login
"""
