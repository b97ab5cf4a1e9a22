# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs one module's real main() in this process: real argument parsing, real exit, no copy to a target."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import typing as t
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings

CONTROL = {"_ansible_remote_tmp": "/tmp", "_ansible_keep_remote_files": False, "_ansible_no_log": True}


def run_module(
    name: str,
    params: t.Mapping[str, t.Any],
    *,
    check: bool = False,
    diff: bool = True,
    environ: t.Mapping[str, str] | None = None,
) -> dict[str, t.Any]:
    """Run the module C(bw.selfhost.<name>) and return its result as parsed JSON; C(failed) is always in it.

    C(_ansible_no_log) is set only to keep the invocation out of the system log; results are not affected by it.
    """
    module = importlib.import_module(f"ansible_collections.bw.selfhost.plugins.modules.{name}")
    arguments = {
        **CONTROL,
        **params,
        "_ansible_module_name": f"bw.selfhost.{name}",
        "_ansible_check_mode": check,
        "_ansible_diff": diff,
    }
    printed = io.StringIO()
    with _arguments(arguments), mock.patch.dict(os.environ, environ or {}), contextlib.redirect_stdout(printed):
        try:
            module.main()
        except SystemExit:
            pass
        else:
            raise AssertionError(f"{name} ended without exit_json or fail_json")
    result: dict[str, t.Any] = json.loads(printed.getvalue())
    return {"failed": False, **result}


@contextlib.contextmanager
def _arguments(arguments: dict[str, t.Any]) -> t.Iterator[None]:
    # Warnings are process-wide in ansible-core: what an earlier run left behind would show up in this one.
    for kept in ("_global_warnings", "_global_deprecations"):
        getattr(warnings, kept).clear()
    text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(basic, "_ANSIBLE_ARGS", text))
        if hasattr(basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
            stack.enter_context(mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy"))
        yield
