# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom to confirm."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_organization.CONFIRMATION)."""

    DOCUMENTATION = r"""
options:
  confirm_members:
    description:
      - Whether to confirm people who have accepted and are named. That hands them the organization's key.
      - For each the fingerprint phrase is returned; compare it with the one that the person's own app shows, best before, in check mode.
    type: bool
    default: true
  confirm_domains:
    description:
      - Mail domains whose people are confirmed; others wait until their fingerprint is given.
      - With it, people of these domains who have accepted are confirmed even when they are not named.
      - An empty list means that everybody who is named is confirmed.
    type: list
    elements: str
    default: []
"""
