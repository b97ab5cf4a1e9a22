# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The permission in iptables: a chain of our own in table filter, and a jump to it at the top of each chain that blocks."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import COMMENT, Block, Endpoint
from ansible_collections.bw.selfhost.plugins.module_utils._model.iptables_ruleset import CHAIN, Signature, options, signature
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan, compare

_JUMP = f'-m comment --comment "{COMMENT}:egress" -j {CHAIN}'
_LENGTHS = {4: 32, 6: 128}


@dataclass
class Permission:
    """Our objects in one table filter.

    Attributes:
        rules: the rules of our chain, without their beginning C(-A chain); None where there is no chain.
        jumps: chain -> the jumps in it, without their beginning.
    """

    rules: list[str] | None = None
    jumps: dict[str, list[str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, t.Any]:
        """Return the objects as data, for reports."""
        return {"chain": CHAIN, "rules": self.rules or [], "jumps": sorted(self.jumps)} if self != Permission() else {}


def current(text: str) -> Permission:
    """Return what iptables-save shows of ours."""
    found = Permission()
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        if table != "filter":
            continue
        chain, _unused, words = line[3:].partition(" ")
        if line.startswith(f":{CHAIN} "):
            found.rules = []
        elif line.startswith(f"-A {CHAIN} ") and found.rules is not None:
            found.rules.append(words)
        elif line.startswith("-A ") and words.endswith(f" -j {CHAIN}"):
            found.jumps.setdefault(chain, []).append(words)
    return found


def desired(wanted: t.Iterable[Endpoint], blocks: t.Sequence[Block], family: int) -> Permission:
    """Return what must be there, so that C(wanted) of one family passes where C(blocks) say."""
    endpoints = sorted(one for one in wanted if one.family == family)
    if not blocks or not endpoints:
        return Permission()
    rules = [_rule("d", one, "dport", "") for one in endpoints]
    if any(block.packet.hook == "forward" for block in blocks):
        # Where others' traffic passes, its answers pass, too.
        rules += [_rule("s", one, "sport", "-m conntrack --ctstate ESTABLISHED ") for one in endpoints]
    return Permission(rules, {block.place[2]: [_JUMP] for block in blocks})


def plan(table: str, before: Permission, after: Permission, misplaced: t.Container[str] = ()) -> Plan:
    """Return what differs, for people. C(misplaced) chains have our jump in the wrong place."""
    old, new = (None if side.rules is None else {"rules": sorted(side.rules)} for side in (before, after))
    total = Plan()
    if not (old and new) or any(_differences(before, after)):
        total += compare("iptables chain", f"{table} {CHAIN}", old, new)
    for chain in sorted(before.jumps.keys() | after.jumps.keys()):
        count, place = len(before.jumps.get(chain, ())), "below a rule that blocks" if chain in misplaced else "top"
        total += compare(
            "iptables jump",
            f"{table} {chain}",
            {"place": place, "jumps": count} if count else None,
            {"place": "top", "jumps": 1} if chain in after.jumps else None,
        )
    return total


def script(before: Permission, after: Permission, misplaced: t.Container[str] = ()) -> str:
    """Return the transaction from one to the other, as input of C(iptables-restore --noflush); empty when nothing differs."""
    removed, added = _differences(before, after) if after.rules is not None else ([], [])
    moved = [chain for chain in before.jumps if chain not in after.jumps or chain in misplaced or len(before.jumps[chain]) > 1]
    lines = [f":{CHAIN} - [0:0]"] if before.rules is None and after.rules is not None else []
    lines += [f"-D {CHAIN} {rule}" for rule in removed] + [f"-A {CHAIN} {rule}" for rule in added]
    lines += [f"-D {chain} {jump}" for chain in moved for jump in before.jumps[chain]]
    lines += [f"-I {chain} 1 {_JUMP}" for chain in after.jumps if chain in moved or chain not in before.jumps]
    lines += [f"-F {CHAIN}", f"-X {CHAIN}"] if after.rules is None and before.rules is not None else []
    return "\n".join(["*filter", *lines, "COMMIT", ""]) if lines else ""


def _differences(before: Permission, after: Permission) -> tuple[list[str], list[str]]:
    """Return the rules to remove and to add; programs of different versions may write the same rule differently."""
    old, new = ({_same(rule): rule for rule in side.rules or ()} for side in (before, after))
    return [rule for key, rule in old.items() if key not in new], [rule for key, rule in new.items() if key not in old]


def _same(rule: str) -> Signature:
    return signature(CHAIN, options(rule))


def _rule(address: str, to: Endpoint, port: str, state: str) -> str:
    place = f"-{address} {to.address}/{_LENGTHS[to.family]}"
    return f"{place} -p {to.protocol} -m {to.protocol} --{port} {to.port} {state}-j ACCEPT"
