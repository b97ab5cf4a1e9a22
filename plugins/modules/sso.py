#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: sso
short_description: Configure single sign-on of an organization
version_added: 0.1.0
description:
  - Brings the single sign-on of an organization into the state that is wanted.
  - A changed configuration is in use after a minute at the latest, when the server's cache is over.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.sso
  - bw.selfhost.affected
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
notes:
  - The account is an owner of the organization, or a user of its provider. An administrator or a member with the role custom can do what
    the role allows; what it does not allow is refused before anything is changed.
seealso:
  - module: bw.selfhost.organization
  - module: bw.selfhost.policy
"""

EXAMPLES = r"""
- name: People sign on with OpenID Connect
  bw.selfhost.sso:
    session: "{{ server_login.session }}"
    organization_name: Example Org
    identifier: example
    oidc:
      authority: https://idp.example.com/realms/main
      client_id: bitwarden
      client_secret: "{{ sso_client_secret }}"
  delegate_to: localhost
"""

RETURN = r"""
organization_id:
  description: Id of the organization.
  returned: success
  type: str
organization_name:
  description: Name of the organization.
  returned: success
  type: str
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, ORGANIZATION_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._organization import MAX_AFFECTED, ONE_WAY, SSO, chosen, ensure

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    **SSO,
    **MAX_AFFECTED,
}
RULES = {"mutually_exclusive": ONE_WAY}


def work(task: Task) -> Outcome:
    """Bring single sign-on into the state that is wanted."""
    return ensure(task, {"sso": chosen(task, SSO)})


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS, **RULES)


if __name__ == "__main__":
    main()
