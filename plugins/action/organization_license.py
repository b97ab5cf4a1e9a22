# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pass O(license) of M(bw.selfhost.organization_license) on as text.

Before ansible-core 2.19 a template whose text looks like JSON becomes a dictionary, and each value in a secret dictionary, such as
the number of seats, would be masked wherever it appears in a result.
"""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """Run the module with the license as text."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if isinstance(arguments.get("license"), dict):
            arguments["license"] = json.dumps(arguments["license"])
        return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}
