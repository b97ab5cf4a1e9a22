#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: account
short_description: Make sure that an account exists, and that it has accepted an invitation
version_added: 0.1.0
description:
  - Logs in with e-mail address and master password; where that account does not exist yet, it is registered with keys that are made here.
  - Meant for service accounts, such as the one that a provider puts on a client's server. It returns their personal API key.
  - A server that verifies addresses by mail answers with a link that only the mailbox gets. Then RV(state=pending), which is not a failure;
    give the link as O(verification_token) in the next run. The Bitwarden cloud always does it, a self-hosted server only when told to.
  - With O(invitation) no verification is needed. The account is registered by it if need be, and accepts it.
  - Only the account's own O(email) and O(master_password) are used; O(client_id), O(client_secret) and O(session) are not.
  - A result with RV(client_secret) is hidden from all output and still can be registered.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
attributes:
  idempotent:
    support: partial
    details:
      - Where the server verifies addresses, each run without O(verification_token) asks for another mail, as no server tells of the last one.
options:
  email:
    description: E-mail address of the account.
    type: str
    required: true
  name:
    description: The person's or service's name, for a new account. At most 50 characters.
    type: str
  verification_token:
    description:
      - What the verification mail brought, the whole link or the token in it. It is good for a quarter of an hour.
    type: str
  invitation:
    description:
      - Link of an invitation to an organization or a provider, as it stands in the mail.
      - Once the invitation is confirmed, nothing is sent any more.
    type: str
notes:
  - A master password for a new account has at least 12 characters, 6 different ones, and does not contain the name in the e-mail address.
  - New accounts derive their key with PBKDF2 and 600000 rounds.
seealso:
  - module: bw.selfhost.client_organization
  - module: bw.selfhost.organization_license
"""

EXAMPLES = r"""
- name: Service account is on the self-hosted server
  bw.selfhost.account:
    server_url: https://vault.example.com
    email: bitwarden-service@msp.example
    master_password: "{{ service_master_password }}"
    name: Service account
  delegate_to: localhost
  register: service_account

- name: Service account is logged in with its API key
  bw.selfhost.login:
    server_url: https://vault.example.com
    client_id: "{{ service_account.client_id }}"
    client_secret: "{{ service_account.client_secret }}"
  delegate_to: localhost

- name: Service account in the cloud has accepted its invitation
  bw.selfhost.account:
    region: eu
    email: bitwarden-service@msp.example
    master_password: "{{ service_master_password }}"
    invitation: "{{ invitation_link }}"
  delegate_to: localhost
"""

RETURN = r"""
state:
  description: V(registered), or V(pending) as long as the mailbox holds what is needed.
  returned: success
  type: str
user_id:
  description: Id of the account. V(null) where there is none yet.
  returned: success
  type: str
client_id:
  description: The account's personal API key, such as V(user.0f0e0d0c-0b0a-4908-8706-050403020100). V(null) where there is none yet.
  returned: success
  type: str
client_secret:
  description: Secret of the personal API key. V(null) where there is none yet.
  returned: success
  type: str
pending:
  description: What a person must do.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(account).
      type: str
    name:
      description: E-mail address of the account.
      type: str
    reason:
      description: What to do.
      type: str
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import account

ARGUMENTS = {
    **API_ARGUMENTS,
    "email": {"type": "str", "required": True},
    "name": {"type": "str"},
    "verification_token": {"type": "str", "no_log": True},
    "invitation": {"type": "str", "no_log": True},
}


def work(task: Task) -> Outcome:
    """Register what is not there yet, and accept what it is invited to."""
    return Outcome(*account.ensure(task.params, task.check_mode))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
