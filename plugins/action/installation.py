# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The result of M(bw.selfhost.installation) is a secret."""

from __future__ import annotations

from ansible_collections.bw.selfhost.plugins.plugin_utils._secret_result import SecretResult as ActionModule

__all__ = ["ActionModule"]
