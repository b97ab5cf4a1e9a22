# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One group, and who is in it."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_organization.GROUP)."""

    DOCUMENTATION = r"""
options:
  name:
    description: Name, by which the group is known; case counts.
    type: str
    required: true
  members:
    description: E-mail addresses of the members who should be in it. Others stay in it, unless memberships are pruned.
    type: list
    elements: str
  state:
    description: Whether it should exist. The access that it gives goes with it.
    type: str
    choices: [present, absent]
    default: present
"""
