"""Files the scripts leave: bitwarden.sh itself, run.sh, and the log lines of services that cannot run."""

from __future__ import annotations

import os
import time

from . import container, state as _state, templates


def write_run_script(path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/usr/bin/env bash\nset -e\n# Stand-in for tests: bitwarden.sh does the work of this script itself.\n")
    os.chmod(path, 0o700)


def write_script(path: str, state: _state.State, versions: templates.Versions) -> None:
    text = f"""#!/usr/bin/env bash
set -e
# Stand-in for tests.

# Please do not create pull requests modifying the version numbers.
COREVERSION="{versions.core}"
WEBVERSION="{versions.web}"
KEYCONNECTORVERSION="{versions.key_connector}"

exec "{state.path("bitwarden")}" "${{BASH_SOURCE[0]}}" "$COREVERSION" "$WEBVERSION" "$KEYCONNECTORVERSION" "$@"
"""
    temporary = path + ".1"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(temporary, 0o700)
    os.replace(temporary, path)


def write_failure_logs(state: _state.State, out: str) -> None:
    """What a service that cannot run leaves below bwdata/logs/<service>/."""
    records, switches = state.containers(), state.switches()
    for record in records.values():
        service, reason = record["service"], container.crash(record, records, switches)
        if not reason and container.selected(record, switches.get("unhealthy")):
            reason = container.unhealthy_reason(record)
        if reason:
            name = "error.log" if service == "nginx" else f"{service.title()}/{time.strftime('%Y%m%d')}.txt"
            path = os.path.join(out, "logs", service, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}.000 +00:00 [Fatal] {reason}\n")
