# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our rules among ufw's own: in its files user.rules and user6.rules, and in the kernel.

Formats: ufw src/backend_iptables.py (_read_rules, _write_rules). These are the lines that C(ufw allow out proto tcp to ADDRESS
port PORT comment bw.selfhost:egress) and C(ufw route allow ...) write, so C(ufw status) shows them and C(ufw delete) removes
them. Only the file holds the comment; the same rule in the kernel has none.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import COMMENT, Endpoint

_TOP = "### RULES ###\n"
_HEX = f"{COMMENT}:egress".encode().hex()
_CHAINS = {"host": "output", "containers": "forward"}
PREFIX = {4: "ufw", 6: "ufw6"}
_ANY = {4: "0.0.0.0/0", 6: "::/0"}
_OURS = re.compile(
    r"\n### tuple ### (?P<route>route:)?allow (?P<protocol>tcp|udp) (?P<port>\d+) (?P<address>[\da-f.:]+) .* comment="
    rf"{_HEX}\n.*\n"
)
_BLOCKING = re.compile(r"\n### tuple ### (?!(route:)?allow)")


@dataclass(frozen=True, order=True)
class Rule:
    """One permission: C(scope) is C(host) or C(containers)."""

    scope: str
    to: Endpoint

    @property
    def chain(self) -> str:
        """Where ufw puts it in the kernel."""
        return f"{PREFIX[self.to.family]}-user-{_CHAINS[self.scope]}"

    @property
    def text(self) -> str:
        """The lines of the file."""
        to, action, direction = self.to, "allow", "out"
        if self.scope == "containers":
            action, direction = "route:allow", "in"
        known = f"{action} {to.protocol} {to.port} {to.address} any {_ANY[to.family]} {direction} comment={_HEX}"
        rule = f"-A {self.chain} -p {to.protocol} -d {to.address} --dport {to.port} -j ACCEPT"
        return f"\n### tuple ### {known}\n{rule}\n"

    @property
    def matches(self) -> str:
        """The rule as iptables-save prints it, without C(-A)."""
        to, length = self.to, {4: 32, 6: 128}[self.to.family]
        return f"{self.chain} -d {to.address}/{length} -p {to.protocol} -m {to.protocol} --dport {to.port} -j ACCEPT"


def ours(text: str) -> frozenset[Rule]:
    """Return our rules in one of ufw's files."""
    return frozenset(rule for one in _OURS.finditer(text) if (rule := _rule(one)))


def edited(text: str, wanted: t.Collection[Rule], path: str) -> str:
    """Return a file with exactly the wanted rules of ours, every other byte as it is.

    Raises:
        SelfhostError: it is no file of ufw.
    """
    if ours(text) == {*wanted} and not _late(text):
        return text
    head, top, rest = _OURS.sub(lambda one: "" if _rule(one) else one[0], text).partition(_TOP)
    if wanted and not top:
        raise SelfhostError("It has no line ### RULES ###.", field=path, remedy="Let ufw write it, or restore a backup.")
    return head + top + "".join(rule.text for rule in sorted(wanted)) + rest


def loading(saved: str, present: t.Collection[Rule], wanted: t.Collection[Rule]) -> str:
    """Return what iptables-restore --noflush must read so that the kernel has the wanted rules of ours; nothing if it has them.

    Args:
        saved: what iptables-save printed.
        present: the rules that are ours until now.
    """
    lines = [line[3:] for line in saved.splitlines() if line.startswith("-A ")]
    known = {*lines}
    loaded = {rule for rule in {*present, *wanted} if rule.matches in known}
    gone = loaded if _covered(lines, loaded) else loaded - {*wanted}
    new = {*wanted} - (loaded - gone)
    orders = [f"-D {rule.matches}" for rule in sorted(gone)] + [f"-I {rule.matches}" for rule in sorted(new, reverse=True)]
    return "\n".join(["*filter", *orders, "COMMIT", ""]) if orders else ""


def _rule(found: re.Match[str]) -> Rule | None:
    """Return the rule that two lines of the file stand for, if they are as we write them."""
    scope = "containers" if found["route"] else "host"
    rule = Rule(scope, Endpoint(found["address"], found["protocol"], int(found["port"])))
    return rule if rule.text == found[0] else None


def _late(text: str) -> bool:
    """Say whether one of our rules stands in the file below one that may block."""
    blocking = _BLOCKING.search(text)
    return bool(blocking and ours(text[blocking.start() :]))


def _covered(lines: t.Iterable[str], loaded: t.Collection[Rule]) -> bool:
    """Say whether one of our rules stands in the kernel below one that may block."""
    chains = {rule.matches: rule.chain for rule in loaded}
    blocking = set()
    for line in lines:
        if chains.get(line) in blocking:
            return True
        if not line.endswith(" -j ACCEPT"):
            blocking.add(line.split(" ", 1)[0])
    return False
