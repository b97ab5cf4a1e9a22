# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs M(bw.selfhost.login) and, by C(meta/runtime.yml), every other module of the API group."""

from __future__ import annotations

from ansible_collections.bw.selfhost.plugins.plugin_utils._in_process import InProcess as ActionModule

__all__ = ["ActionModule"]
