# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which organization of the account is meant."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_module.ORGANIZATION_ARGUMENTS)."""

    DOCUMENTATION = r"""
options:
  organization_id:
    description:
      - Id of the organization on this server, of which the account is a confirmed member or whose provider's user it is.
      - When neither it nor O(organization_name) is given, the account must have exactly one organization.
    type: str
  organization_name:
    description:
      - Name of the organization, exactly as it is written there, instead of O(organization_id).
      - Names need not be unique; the account must have only one organization of this name.
    type: str
"""
