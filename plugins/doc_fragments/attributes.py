# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module supports, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """The base (modules that change something), C(.info), C(.actiongroup_api) and C(.linux)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and return what it would change, without changing it.
    support: full
  diff_mode:
    description: Returns what has changed, or would change in check mode, when run in diff mode.
    support: full
  idempotent:
    description: When run twice in a row with the same options, the second run changes nothing and sends no write.
    support: full
  platform:
    description: Operating systems the module runs on.
    support: full
    platforms: posix
"""

    INFO = r"""
attributes:
  check_mode:
    description: Can run in check mode. The module only reads.
    support: full
  diff_mode:
    description: Returns what has changed, or would change in check mode, when run in diff mode.
    support: N/A
    details: The module only reads.
  idempotent:
    description: When run twice in a row with the same options, the second run changes nothing and sends no write.
    support: full
  platform:
    description: Operating systems the module runs on.
    support: full
    platforms: posix
"""

    ACTIONGROUP_API = r"""
attributes:
  action_group:
    description: Use C(group/bw.selfhost.api) in C(module_defaults) to set options for all modules of the group.
    support: full
    membership:
      - bw.selfhost.api
"""

    LINUX = r"""
attributes:
  platform:
    description: Operating systems the module runs on.
    support: full
    platforms: linux
"""
