# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ufw: our rules stand before all others of the user's, in its files and in the kernel.

Its command line takes one rule at a time, 0.16 s and a reload of all rules each, and writes the whole files anew. So the files
get our lines and not one byte else, and the kernel gets the same rules in one transaction for each family: nothing is reloaded,
other rules keep their counters, and it takes as long for three addresses as for six hundred.
"""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.writing import put, stage
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Command, Endpoint, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, compare
from ansible_collections.bw.selfhost.plugins.module_utils._model.ufw_rules import PREFIX, Rule, edited, loading, ours

FILES = {4: Path("/etc/ufw/user.rules"), 6: Path("/etc/ufw/user6.rules")}
_PROGRAMS = {4: "iptables", 6: "ip6tables"}
_SCOPES = ("host", "containers")


class _Family(t.NamedTuple):
    """One of ufw's two halves: its file as it is and as it is to be, and what must be said to the kernel."""

    file: files.File
    present: frozenset[Rule]
    text: str
    kernel: tuple[Command, ...]


class Ufw:
    """The uncomplicated firewall."""

    name = "ufw"

    def __init__(self, tools: Tools, snapshot: Snapshot) -> None:
        self._tools = tools
        # By IP version: the variant of iptables that ufw uses, and all rules.
        self._kernel = {
            int(family): (variant, text)
            for (variant, family), text in snapshot.iptables.items()
            if f"\n:{PREFIX[int(family)]}-user-output " in text
        }

    def installed(self) -> bool:
        return self._tools.installed("ufw")

    def active(self) -> bool:
        return bool(self._kernel)

    def present(self) -> dict[str, t.Any]:
        found = [rule for path in FILES.values() for rule in ours(_text(files.read(path)))]
        return {scope: state["allow"] for scope in _SCOPES if (state := _state(found, scope))}

    def propose(self, wanted: frozenset[Endpoint], blocks: t.Sequence[Block]) -> Proposal:
        """Allow what ufw blocks, and no more: to ufw, an equal rule of the administrator's would be the same rule."""
        rules = {Rule(block.packet.scope, block.packet.to) for block in blocks if block.packet.to in wanted}
        families = [self._family(family, {rule for rule in rules if rule.to.family == family}) for family in FILES]
        commands = _transaction(families)
        if not commands:
            return Proposal()
        found = [rule for one in families for rule in one.present]
        plans = [compare("ufw rules", scope, _state(found, scope), _state(rules, scope)) for scope in _SCOPES]
        changes = tuple(change for plan in plans for change in plan.changes)
        moved = Change("update", "ufw rules", "order", reason="they are not loaded, or stand below rules that may block")
        return Proposal(changes or (moved,), commands)

    def _family(self, family: int, wanted: t.Collection[Rule]) -> _Family:
        path = FILES[family]
        file = files.read(path) or files.File(path, None, 0o640, 0, 0)
        text = _text(file)
        present = ours(text)
        kernel: tuple[Command, ...] = ()
        if family in self._kernel:
            variant, saved = self._kernel[family]
            orders = loading(saved, present, wanted)
            program = f"{_PROGRAMS[family]}-{variant}-restore"
            kernel = (Command((program, "--noflush", "--wait"), orders),) if orders else ()
        return _Family(file, present, edited(text, wanted, str(path)), kernel)


def _transaction(families: t.Sequence[_Family]) -> tuple[Command, ...]:
    """Return the steps. Files come before the kernel: when that fails, a further run, ufw reload or a reboot completes it.

    ufw's own lock cannot be held over several programs: a change by somebody else in the meantime is seen, and not overwritten.
    """
    rewritten = [one for one in families if one.text != _text(one.file)]
    sums = "".join(f"{hashlib.sha256(one.file.data or b'').hexdigest()}  {one.file.path}\n" for one in rewritten)
    return (
        *([Command(("sha256sum", "--check"), sums)] if sums else []),
        *(stage(one.file, one.text) for one in rewritten),
        *(put(one.file.path) for one in rewritten),
        *(command for one in families for command in one.kernel),
    )


def _text(file: files.File | None) -> str:
    return ((file and file.data) or b"").decode("ascii", "surrogateescape")


def _state(rules: t.Iterable[Rule], scope: str) -> dict[str, t.Any] | None:
    allowed = [str(rule.to) for rule in sorted(rules) if rule.scope == scope]
    return {"allow": allowed} if allowed else None
