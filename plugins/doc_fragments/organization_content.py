# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in an organization, for the module that takes it all: what the modules for one object have as options, in lists."""

from __future__ import annotations

from textwrap import indent

from ansible_collections.bw.selfhost.plugins.doc_fragments import collection, group, member, policy, sso


def _suboptions(options: str) -> str:
    return indent(options.partition("options:\n")[2], " " * 6)


class ModuleDocFragment:
    """Options of C(_organization.CONTENT)."""

    # Ansible's sanity test reads what is assigned without an annotation, and takes only texts that are not put together.
    DOCUMENTATION: str = rf"""
options:
  collections:
    description: Collections, each with who has access to it.
    type: list
    elements: dict
    suboptions:
{_suboptions(collection.ModuleDocFragment.DOCUMENTATION)}
  groups:
    description: Groups, each with who is in it.
    type: list
    elements: dict
    suboptions:
{_suboptions(group.ModuleDocFragment.DOCUMENTATION)}
  members:
    description: People.
    type: list
    elements: dict
    suboptions:
{_suboptions(member.ModuleDocFragment.DOCUMENTATION)}
  policies:
    description: Policies.
    type: list
    elements: dict
    suboptions:
{_suboptions(policy.ModuleDocFragment.DOCUMENTATION)}
  sso:
    description: Single sign-on.
    type: dict
    suboptions:
{_suboptions(sso.ModuleDocFragment.DOCUMENTATION)}
  settings:
    description: Who may do what with collections. What is not given stays as it is.
    type: dict
    suboptions:
      limit_collection_creation:
        description: Whether only owners, admins and a certain permission create collections.
        type: bool
      limit_collection_deletion:
        description: Whether only owners, admins and a certain permission delete collections.
        type: bool
      limit_item_deletion:
        description: Whether only those who manage a collection delete its items.
        type: bool
      allow_admin_access_to_all_collection_items:
        description:
          - Whether owners and admins have access to every collection.
          - It is off in a new organization; then somebody has to have the permission V(manage) on each collection, and an owner cannot
            change collections that others manage.
        type: bool
  scim:
    description: Provisioning of members and groups by a directory.
    type: dict
    suboptions:
      enabled:
        description: Whether it is on.
        type: bool
        default: true
      provider:
        description: The directory.
        type: str
        choices: [default, azure_ad, okta, one_login, jump_cloud, google_workspace, rippling, ping]
        default: default
  prune:
    description:
      - The classes of which everything goes that is not named. Without it, nothing is ever taken away unless its state says so.
      - V(access) stands for the access to collections that are named, V(memberships) for the members of groups that are named.
      - The list of a class that is pruned has to be given. The account that runs the module always stays.
    type: list
    elements: str
    choices: [collections, groups, members, access, memberships]
    default: []
  max_deletions:
    description: How many collections, groups and members O(prune) may delete. When it would be more, all are named and nothing is changed.
    type: int
    default: 0
"""
