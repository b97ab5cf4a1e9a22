# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What modules share that run on the server itself."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_module.HOST_ARGUMENTS)."""

    DOCUMENTATION = r"""
options:
  bwdata:
    description: The C(bwdata) directory of the installation.
    type: path
    default: /opt/bitwarden/bwdata
requirements:
  - Python 3.9 or later on the server, nothing else
notes:
  - The module runs on the server itself, as a user who may read and write the installation's files (usually with C(become=true)).
"""
