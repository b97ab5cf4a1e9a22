# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom policies may throw out."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_organization.MAX_AFFECTED)."""

    DOCUMENTATION = r"""
options:
  max_affected:
    description:
      - How many people enabling policies may revoke. V(two_factor) revokes members without two-step login, V(single_org) members of other
        organizations. Nobody tells who these are, so that every member who is neither owner nor admin counts.
    type: int
    default: 0
"""
