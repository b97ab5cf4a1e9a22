# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a module whose result is a secret: later tasks can use it, no callback shows it."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

Values = dict[str, t.Any]
SECRETS = ("session", "token", "key")  # the return values that are secrets, over all modules


class SecretResult(ActionBase):  # type: ignore[misc]
    """Run the module of the same name and keep its successful result out of every callback, at any verbosity.

    A result without a secret (a failure, a look-up, check mode) stays readable; its invocation is masked by C(no_log).
    """

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        """Return the module's result, marked as not to be shown."""
        result: Values = super().run(tmp, task_vars)
        result.update(self._execute_module(task_vars=task_vars))
        if any(result.get(name) for name in SECRETS):
            result["_ansible_no_log"] = True
        return result
