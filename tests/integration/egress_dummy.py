# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs on a host in the place of the program that restores and refreshes: works like that one, and leaves a line each time."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.container_networks import networks, settled
from ansible_collections.bw.selfhost.plugins.module_utils._host.egress_files import EgressFiles
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Command

LOG = Path("/run/dummy.log")
NFT = "table inet dummy\ndelete table inet dummy\ntable inet dummy {\n}\n"


def main(words: list[str]) -> int:
    settled(words[1] if words[1:] else "", lambda: work(words[0]))
    return 0


def work(what: str) -> None:
    files, tools = EgressFiles(), Tools()
    with files.lock(10):
        state = files.state() or {}
        found = ",".join(sorted(network.bridge for network in networks(tools) if network.stack))
        chain = "iptables -w -n -L DUMMY >/dev/null 2>&1 || iptables -w -N DUMMY"
        commands = [Command(("nft", "-f", "-"), NFT), Command(("sh", "-c", chain))]
        # What the other engines' programs need.
        commands += [Command(("sh", "-c", line)) for line in state["more"]]
        tools.apply(commands)
        files.write_state(state)
        with LOG.open("a") as log:
            log.write(f"{what} [{found}]\n")
