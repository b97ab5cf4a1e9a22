# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One engine alone, run inside a host by its own Python: look, propose, and perhaps apply."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import typing as t
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.hosts import Bare
from tests.hosts.bare import BRIDGE
from tests.hosts.waiting import until

_SOURCES = Path(__file__).parents[2] / "plugins/module_utils"
_PACKAGE = "ansible_collections/bw/selfhost/plugins/module_utils"
_FOLDERS = ("_model", "_host", "_host/firewall")
# zipimport makes packages of folders only where it finds an __init__.py
_PARENTS = [str(parent) for parent in Path(_PACKAGE, "x").parents][:-1]
BOTH = ("host", "containers")
_MAIN = """
import json, sys, time
from importlib import import_module
PREFIX = "ansible_collections.bw.selfhost.plugins.module_utils."
given = json.load(sys.stdin)
firewall, netfilter = (import_module(PREFIX + "_model." + name) for name in ("firewall", "netfilter"))
tools, snapshot = (import_module(PREFIX + "_host.firewall." + name) for name in ("tools", "snapshot"))
engine = getattr(import_module(PREFIX + "_host.firewall." + given["engine"]), given["engine"].capitalize())
start = time.monotonic()
tool = tools.Tools()
seen = snapshot.take(tool)
wanted = frozenset(firewall.Endpoint(*one) for one in given["wanted"])
packets = []
for to in wanted:
    if "host" in given["scopes"]:
        packets.append(firewall.Packet("output", to, outgoing="eth0"))
    if "containers" in given["scopes"]:
        packets.append(firewall.Packet("forward", to, given["sources"][str(to.family)], given["bridge"], "eth0"))
blocks = netfilter.find_blocks(seen, packets)
looked = time.monotonic()
own = engine(tool, seen)
try:
    proposal = own.propose(wanted, [block for block in blocks if block.engine == own.name])
    planned = time.monotonic()
    if given["meddle"]:
        with open("/etc/ufw/user.rules", "a") as file:
            file.write("# a note\\n")
    if given["apply"]:
        tool.apply(proposal.commands)
    error = None
except tools.SelfhostError as problem:
    error = str(problem)
    proposal, planned = firewall.Proposal(), time.monotonic()
print(json.dumps({
    "active": own.active(), "installed": own.installed(), "present": engine(tool, seen).present(), "error": error,
    "changes": [change.as_dict() for change in proposal.changes], "commands": [command.argv for command in proposal.commands],
    "blocks": sorted({(block.engine, *block.place, block.rule) for block in blocks}),
    "planned": planned - start, "own": planned - looked, "applied": time.monotonic() - planned,
}))
"""


@dataclass
class Driver:
    """An engine of one host."""

    host: Bare
    engine: str

    def __post_init__(self) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for folder in _PARENTS + [f"{_PACKAGE}/{name}" for name in _FOLDERS]:
                archive.writestr(f"{folder}/__init__.py", "")
            for folder in _FOLDERS:
                for source in (_SOURCES / folder).glob("[!_]*.py"):
                    archive.write(source, f"{_PACKAGE}/{folder}/{source.name}")
            archive.writestr("__main__.py", _MAIN)
        unhex = "import sys; open('/tmp/driver', 'wb').write(bytes.fromhex(sys.stdin.read()))"
        self.host.run(["python3", "-c", unhex], input=file.getvalue().hex())

    def run(self, *names: str, scopes: t.Sequence[str] = BOTH, apply: bool = True, **more: t.Any) -> dict[str, t.Any]:
        """Allow names of the world and its DNS server, nothing without names; return what the engine said."""
        done = self.host.run(["python3", "/tmp/driver"], input=self._input(names, scopes, apply, **more))
        result: dict[str, t.Any] = json.loads(done.stdout)
        return result

    def start(self, *names: str, scopes: t.Sequence[str] = BOTH) -> subprocess.Popen[str]:
        """Begin to allow names, and go on."""
        self.host.write("/tmp/input", self._input(names, scopes, True))
        return self.host.popen(["sh", "-c", "exec python3 /tmp/driver </tmp/input"], stdout=subprocess.PIPE)

    def killed(self, seconds: float, *names: str) -> None:
        """Begin to allow names, kill it after some time, and wait for what goes on without it."""
        process = self.start(*names)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        process.communicate()
        until(lambda: "sh /proc/self/fd/" not in self.host.run(["ps", "-e", "-o", "args"]).stdout, "the end of the transaction")

    def _input(
        self, names: t.Sequence[str], scopes: t.Sequence[str], apply: bool, more: t.Sequence[t.Any] = (), meddle: bool = False
    ) -> str:
        world = self.host.world
        wanted: list[t.Any] = [(address, "tcp", 443) for name in names for address in world.dns[name]]
        wanted += [(address, "udp", 53) for address in (world.dns_address, world.dns_address6)] if names else []
        sources = {4: self.host.container_address, 6: self.host.container_address6}
        return json.dumps({
            "engine": self.engine, "wanted": [*wanted, *more], "scopes": scopes, "apply": apply, "meddle": meddle,
            "sources": sources, "bridge": BRIDGE,
        })  # fmt: skip


def moments(first: t.Iterable[int], seen: t.Collection[bool]) -> t.Iterator[int]:
    """Return moments for a kill: all of them once, then again while only one outcome was seen; load shifts them."""
    every = list(first)
    yield from every
    for number in range(4 * len(every)):
        if len(seen) == 2:
            return
        yield every[number % len(every)]
