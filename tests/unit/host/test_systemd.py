# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""In which order units are brought to their end; what systemd makes of it is tested on real hosts."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host import systemd
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools


class Waiting(Tools):
    """A machine where a timer waits, and its service does not run yet."""

    def read(self, argv: t.Sequence[str]) -> str:
        return "Id=a.service\nActiveState=inactive\nUnitFileState=static\n\nId=a.timer\nActiveState=active\nUnitFileState=enabled"


def test_what_starts_after_we_looked_is_stopped_too() -> None:
    """The timer may start the service until it is stopped itself."""
    steps = systemd.steps(Waiting(), {}, ["a.service", "a.timer"], [])
    assert [command.argv[1:] for command in steps.before] == [
        ("disable", "--now", "a.timer"),
        ("stop", "a.service*", "a.timer*"),
        ("reset-failed", "a.service*", "a.timer*"),
    ]
    assert [change.name for change in steps.changes] == ["a.timer"]
