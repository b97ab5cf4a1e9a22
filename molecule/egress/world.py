"""Hosts with firewalls that block, until this process is told to stop.

Usage: python molecule/egress/world.py FILE

FILE gets this process's id, as YAML; it is gone again when the world is. Beside it are C(ssh_config) for Ansible, and the socket
C(control) for C(tests.hosts.remote.attach).
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from tests.hosts import Booted, World, remote, ssh
from tests.integration import egress_hosts

SCENARIO = Path(__file__).parent
BWDATA = "/opt/bitwarden/bwdata"
# Rules that Docker's own do not survive alone: set again after every boot, as soon as Docker's are there.
UNIT = """[Unit]
Description=Firewall of the administrator
After=docker.service

[Service]
Type=oneshot
RemainAfterExit=true
ExecStart=/etc/firewall/up

[Install]
WantedBy=multi-user.target
"""
UP = """#!/bin/sh
set -e
iptables-restore --noflush /etc/firewall/rules.v4
ip6tables-restore --noflush /etc/firewall/rules.v6
"""
# Docker 20.10 leaves IPv6 alone.
RULES_V6 = """*filter
:OUTPUT DROP [0:0]
:FORWARD DROP [0:0]
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -p ipv6-icmp -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -p ipv6-icmp -j ACCEPT
COMMIT
"""


def nftables(host: Booted) -> None:
    """The distribution's file and unit."""
    host.write("/etc/nftables.conf", f"#!/usr/sbin/nft -f\n\nflush ruleset\n{egress_hosts.NFTABLES}", mode=0o755)
    host.run(["systemctl", "enable", "nftables"])
    host.reboot()


def iptables(host: Booted) -> None:
    """A unit of the administrator's own."""
    host.write("/etc/firewall/rules.v4", egress_hosts.IPTABLES.format(icmp="icmp"))
    host.write("/etc/firewall/rules.v6", RULES_V6)
    host.write("/etc/firewall/up", UP, mode=0o755)
    host.write("/etc/systemd/system/firewall.service", UNIT)
    host.run(["systemctl", "enable", "--now", "firewall"])


def ufw(host: Booted) -> None:
    """Outgoing traffic denied, and containers under it, too."""
    host.enable_ufw(docker_user=True)


def firewalld(host: Booted) -> None:
    """Policies against the host and against containers."""
    host.start_firewalld()
    egress_hosts.block_with_firewalld(host)
    host.stack.wait_until_running()


FIREWALLS: dict[str, t.Callable[[Booted], None]] = {
    "nftables": nftables,
    "iptables": iptables,
    "ufw": ufw,
    "firewalld": firewalld,
}


def bring_up(host: Booted, key: Path) -> None:
    """Boot one host and let it have what it is named after."""
    host.world.resolve(f"{host.name}.example", ["203.0.113.40", "2001:db8::40"])
    host.start()
    ssh.serve(host, key)
    host.write(f"{BWDATA}/env/global.override.env", "globalSettings__enableCloudCommunication=true\n", mode=0o600)
    host.stack.up("api", "identity")
    FIREWALLS[host.name.partition("-")[2]](host)


def bring_all_up(world: World, config: Path) -> None:
    """Boot all platforms of the scenario, two at a time, and write how to reach them."""
    names = [platform["name"] for platform in yaml.safe_load((SCENARIO / "molecule.yml").read_text())["platforms"]]
    key = ssh.make_key(world.directory)
    # Docker 20.10 of Debian 12 handles IPv6 only as an experiment; 26.1 and later do it well.
    hosts = [world.boot(name.partition("-")[0], name, ip6tables="debian12" not in name, start=False) for name in names]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda host: bring_up(host, key), hosts))
    ssh.write_config(world, config, key, hosts)


def main(file: Path) -> None:
    """Write the file when all is up, wait for SIGTERM, and leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_unused: sys.exit(0))
    config = file.with_name("ssh_config")
    try:
        with tempfile.TemporaryDirectory() as directory, World(Path(directory)) as world:
            bring_all_up(world, config)
            remote.serve(world, file.with_name("control"))
            file.write_text(yaml.safe_dump({"world_pid": os.getpid()}), encoding="utf-8")
            signal.pause()
    finally:
        for one in (file, config):
            one.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
