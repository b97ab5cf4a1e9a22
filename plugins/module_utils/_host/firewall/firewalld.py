# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""firewalld: policies of our own that are asked before all others, and sets of addresses that change without a reload.

Its command line needs a call of 0.2 s for every step, so the permanent objects are written as the files that they are; what is
loaded is changed by firewalld itself. A policy or set that is new or gone needs a reload: there is no other way to load one.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.writing import put, stage
from ansible_collections.bw.selfhost.plugins.module_utils._model import firewalld_objects as objects
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Block, Command, Endpoint, Proposal
from ansible_collections.bw.selfhost.plugins.module_utils._model.netfilter import Snapshot
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan, compare

_ROOT = Path("/etc/firewalld")
# A reload refuses a policy without its sets, so these come first.
_FOLDERS = {**dict.fromkeys(objects.SETS.values(), "ipsets"), **dict.fromkeys(objects.POLICIES.values(), "policies")}
_PATHS = {name: _ROOT / folder / f"{name}.xml" for name, folder in _FOLDERS.items()}
_RELOAD = Change("run", "firewalld", "reload", reason="loads or unloads policies and sets; forgets what is not permanent")
# A reload empties iptables, too. Docker hears of it and writes its rules again, one by one for some seconds, but not all of them;
# an administrator's rules in DOCKER-USER do not come back at all. So what is lost is put back, as soon as nothing moves any more.
_WAIT = """
same=0 tries=0 last=
while [ $same -lt 5 ] && [ $tries -lt 100 ]; do
    sleep 0.2
    now=$(nft -s list ruleset | cksum)
    [ "$now" = "$last" ] && same=$((same + 1)) || same=0
    last=$now tries=$((tries + 1))
done
"""
_RESTORE = """
saved=$(cat)
lost=$({ printf '%s\\n' "$saved" | sort -u; "$1-save"; "$1-save"; } | grep '^-A ' | sort | uniq -u)
if [ -n "$lost" ]; then printf '%s\\n' "$saved" | "$1-restore"; fi
"""
_PROGRAMS = {"4": "iptables", "6": "ip6tables"}


class Firewalld:
    """The dynamic firewall daemon."""

    name = "firewalld"

    def __init__(self, tools: Tools, snapshot: Snapshot) -> None:
        self._tools = tools
        self._runtime = objects.runtime(snapshot.nft)
        self._iptables = snapshot.iptables

    def installed(self) -> bool:
        return self._tools.installed("firewall-cmd")

    def active(self) -> bool:
        return self._runtime is not None

    def present(self) -> dict[str, t.Any]:
        return dict(self._current())

    def propose(self, wanted: frozenset[Endpoint], blocks: t.Sequence[Block]) -> Proposal:
        now = self._current()
        scopes = {block.packet.scope for block in blocks}
        then = objects.desired(scopes, wanted)
        plans = (compare(_kind(name), name, now.get(name), then.get(name)) for name in _PATHS)
        plan = sum(plans, Plan())
        if not plan.changed:
            return Proposal()
        self._refuse()
        reload = self.active() and objects.shape(now) != objects.shape(then)
        loading = self._reload() if reload else _entries(now, then)
        return Proposal(plan.changes + ((_RELOAD,) if reload else ()), (*_writing(now, then), *loading))

    def _current(self) -> objects.State:
        found = {name: files.read(path) for name, path in _PATHS.items()}
        texts = {name: (file.data or b"").decode("utf-8", "replace") for name, file in found.items() if file}
        return objects.current(texts, self._runtime)

    def _reload(self) -> t.Iterator[Command]:
        yield Command(("firewall-cmd", "--reload"))
        rules = {key: saved for key, saved in self._iptables.items() if "\n-A " in saved}
        if rules:
            yield Command(("sh", "-c", _WAIT))
        for (variant, family), saved in rules.items():
            yield Command(("sh", "-c", _RESTORE, "sh", f"{_PROGRAMS[family]}-{variant}"), saved)

    def _refuse(self) -> None:
        if self._runtime and self._runtime.panic:
            cause = "firewalld drops everything: it is in panic mode, or reloads."
            raise SelfhostError(cause, field="firewalld", remedy="Run firewall-cmd --panic-off if that is safe, then try again.")
        if self._runtime and not self._runtime.usable:
            cause = "This firewalld knows no policies, which alone decide about outgoing traffic."
            raise SelfhostError(cause, field="firewalld", remedy="Update it to 0.9 or later.")


def _kind(name: str) -> str:
    return "firewalld ipset" if _FOLDERS[name] == "ipsets" else "firewalld policy"


def _writing(now: objects.State, then: objects.State) -> t.Iterator[Command]:
    """Return the steps from one permanent state to the other."""
    changed = [name for name in _PATHS if name in then and then[name]["permanent"] != now.get(name, {}).get("permanent")]
    for name in changed:
        yield stage(files.File(_PATHS[name], None, 0o644, 0, 0), objects.text(name, then[name]["permanent"]))
    for name in changed:
        yield put(_PATHS[name])
    gone = [_PATHS[name] for name in reversed(tuple(_PATHS)) if name in now and name not in then]
    if gone:  # and the copies that firewalld made when it rewrote them
        yield Command(("rm", "-f", *(f"{path}{end}" for path in gone for end in ("", ".old"))))


def _entries(now: objects.State, then: objects.State) -> t.Iterator[Command]:
    """Return the steps from the entries that are loaded to the wanted ones; new ones first."""
    loaded = [name for name in objects.SETS.values() if "runtime" in then.get(name, {})]
    for option, to, since in (("add", then, now), ("remove", now, then)):
        for name in loaded:
            entries = sorted({*to[name]["runtime"]} - {*since[name]["runtime"]})
            if entries:
                yield Command(("firewall-cmd", f"--ipset={name}", *(f"--{option}-entry={one}" for one in entries)))
