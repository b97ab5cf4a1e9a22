# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which provider of the account is meant."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_module.PROVIDER_ARGUMENTS)."""

    DOCUMENTATION = r"""
options:
  provider_id:
    description:
      - Id of the provider, of which the account is a confirmed user.
      - When neither it nor O(provider_name) is given, the account must have exactly one provider.
    type: str
  provider_name:
    description: Name of the provider, exactly as it is written there, instead of O(provider_id).
    type: str
notes:
  - Providers exist in the Bitwarden cloud only, so O(region) is given and not O(server_url).
  - What is told here of providers was read from the source of Bitwarden's server; no call was made to the cloud.
"""
