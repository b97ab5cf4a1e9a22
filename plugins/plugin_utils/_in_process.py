# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs every API-side module (C(meta/runtime.yml) routes them all here): quickly, and without showing secret results."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.bw.selfhost.plugins.module_utils._module import Task, masked, result_of

Values = dict[str, t.Any]
SECRETS = ("session", "token", "key", "client_secret")  # the return values that are secrets, over all modules
TEXTS = ("license", "content")  # the options that are secret JSON texts


class InProcess(ActionBase):  # type: ignore[misc]
    """Does a module's work in this very process where Ansible would start another one on this machine for it.

    That saves copying, unpacking and starting Python for each task. A task for another host, user or Python, and an
    asynchronous one, runs as any module does. A result with a secret is kept out of every callback at any verbosity;
    later tasks can use it all the same.
    """

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        """Return the module's result."""
        gc.freeze()  # this worker need not look through all that the controller holds each time it collects garbage
        result: Values = super().run(tmp, task_vars)
        # Without what Ansible's own types of text, number and so on know beside it: so does a module get its options in its own
        # process, and so they travel back to the controller much more quickly.
        self._task.args = json.loads(json.dumps(self._task.args, default=str))
        options = {name: _as_text(value) if name in TEXTS else value for name, value in self._task.args.items()}
        here = self._is_here(task_vars or {})
        result.update(self._work(options) if here else self._execute_module(module_args=options, task_vars=task_vars))
        if any(result.get(name) for name in SECRETS):
            result["_ansible_no_log"] = True
        return result

    def _is_here(self, task_vars: Values) -> bool:
        hosts = {**task_vars, **(task_vars.get("ansible_delegated_vars") or {}).get(self._task.delegate_to, {})}
        python = self._templar.template(hosts.get("ansible_python_interpreter") or sys.executable)
        elsewhere = self._connection.transport != "local" or self._connection.become or self._task.async_val
        return not elsewhere and python == sys.executable

    def _work(self, given: Values) -> Values:
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        os.environ.update(environment)  # this process is this task's own
        module = importlib.import_module(
            f"ansible_collections.bw.selfhost.plugins.modules.{self._task.action.rpartition('.')[2]}"
        )
        options = ArgumentSpecValidator(module.ARGUMENTS, **getattr(module, "RULES", {})).validate(given)
        if options.error_messages:
            unknown = f"Unsupported parameters for ({self._task.action}) module: " if options.unsupported_parameters else ""
            return {"failed": True, "msg": unknown + "; ".join(options.error_messages)}
        hidden = {text for text in options._no_log_values if text}  # noqa: SLF001 - there is no other way to them
        task = Task(
            options.validated_parameters,
            self._task.check_mode,
            hide=lambda secret: hidden.add(secret or ""),
            progress=lambda text: self._show(remove_values(text, hidden - {""})),
        )
        return masked(result_of(module.work, task), hidden - {""})

    def _show(self, text: str) -> None:
        """Show a sentence at once: Ansible carries it from this worker to the process that has the terminal."""
        if not self._task.no_log:
            Display().display(f"progress: {self._task.action}: {text}")


def _as_text(value: t.Any) -> t.Any:
    # Before ansible-core 2.19 a template whose text looks like JSON becomes a dictionary, of which no_log would mask each value.
    return json.dumps(value) if isinstance(value, dict) else value
