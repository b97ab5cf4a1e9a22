# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One person in an organization."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_organization.MEMBER)."""

    DOCUMENTATION = r"""
options:
  email:
    description: E-mail address of the person; case does not count.
    type: str
    required: true
  role:
    description:
      - What the person may do in the organization. V(custom) has O(ignore:permissions) and needs an Enterprise plan.
      - It is always set; a member without it becomes a V(user).
    type: str
    choices: [owner, admin, user, custom]
    default: user
  permissions:
    description: What a member with the role V(custom) may do besides. What is not listed is taken away.
    type: list
    elements: str
    choices:
      - access_event_logs
      - access_import_export
      - access_reports
      - create_new_collections
      - edit_any_collection
      - delete_any_collection
      - manage_groups
      - manage_policies
      - manage_sso
      - manage_users
      - manage_reset_password
      - manage_scim
      - manage_access_rules
  fingerprint:
    description:
      - Fingerprint phrase that the person has read out, such as V(turban-deftly-anime-chatroom-unselfish).
      - When the server names another key for somebody who is to be confirmed, nothing is changed and the module fails.
    type: str
  state:
    description:
      - V(present) invites somebody who is no member, and restores somebody who was revoked.
      - V(revoked) takes all access away and keeps everything else, so that it can be given back.
      - V(absent) removes the person from the organization, never the person's account.
    type: str
    choices: [present, revoked, absent]
    default: present
"""
