# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One collection, and who has access to it."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_organization.COLLECTION)."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - Full name, nested by slashes, such as V(Departments/Marketing). Parents need not exist.
      - It is the only key of a collection; to rename one is to make another one.
    type: str
    required: true
  external_id:
    description: Id of the collection in another system. An empty text takes it away; without the option it stays.
    type: str
  groups:
    description: Groups with access. Other groups keep theirs, unless access is pruned.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the group.
        type: str
        required: true
      permission: &permission
        description:
          - What they may do. V(manage) is to change the collection itself and who has access to it, besides editing its items.
        type: str
        choices: [view_no_passwords, view, edit_no_passwords, edit, manage]
        default: edit
  members:
    description:
      - Members with access of their own, besides what their groups give. Other members keep theirs, unless access is pruned.
      - In large organizations, access by groups costs far fewer requests.
    type: list
    elements: dict
    suboptions:
      email:
        description: E-mail address of the member; case does not count.
        type: str
        required: true
      permission: *permission
  state:
    description: Whether it should exist. Items of a deleted collection that are in no other one can only be seen by administrators.
    type: str
    choices: [present, absent]
    default: present
"""
