# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The program that a timer starts: one sync of one profile, without Ansible, as the unit's own user.

The unit's credentials hold the profile and its secrets, the unit's state directory the lock and what the last run said of itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files, lock
from ansible_collections.bw.selfhost.plugins.module_utils._host.schedule_files import LAST, LOCK
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_profile import Profile, joined
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import connector_session, directory_sync

Values = t.Mapping[str, t.Any]
Found = tuple[Plan, Values, list[str]]


def main(_arguments: t.Sequence[str]) -> int:
    """Sync; print each change and, in one line of JSON, what came of it; return 1 when that is a refusal or a failure.

    Another run that is under way is no failure: it does what this one would do.
    """
    state, profile = Path(os.environ["STATE_DIRECTORY"]), _read(Path(os.environ["CREDENTIALS_DIRECTORY"]))
    os.environ.update(profile.environment)
    try:
        with lock.hold(state / LOCK, 0):
            said = _outcome(profile)
            text = json.dumps(said, sort_keys=True)
            files.replace(files.File(state / LAST, None, 0o600, os.geteuid(), os.getegid()), text.encode())
    except lock.Held as held:
        _say(held.cause)
        return 0
    _say(text)
    return 1 if said["error"] else 0


def _read(credentials: Path) -> Profile:
    return joined(*(json.loads((credentials / name).read_text()) for name in ("profile", "secrets")))


def _outcome(profile: Profile) -> dict[str, t.Any]:
    began = time.time()
    found: Found = Plan(), {}, []
    error = None
    try:
        found = _SYNC[profile.backend](profile.options)
    except lock.Held:
        raise
    except SelfhostError as problem:
        error = str(problem)
    plan, values, warnings = found
    for change in plan.changes:
        _say(f"{change.action} {change.kind} {change.name}" + (f": {change.reason}" if change.reason else ""))
    return {
        "profile": profile.name,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": round(time.time() - began, 1),
        "changes": len(plan.changes),
        "directory": {name: value for name, value in values.get("directory", {}).items() if isinstance(value, int)},
        "warnings": warnings,
        "error": error,
    }


def _native(options: Values) -> Found:
    return directory_sync.ensure(options, False, _say)


def _connector(options: Values) -> Found:
    named = {"program_dir": f"{options['data_dir']}-program", "ca_path": None, "min_directory_users": None, **options}
    report = connector_session.synchronize(named)
    return report.plan, report.values, report.warnings


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


_SYNC = {"native": _native, "bwdc": _connector}
