"""SSH to the hosts of a world from this machine: a throw-away key, and a configuration file that names every host."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from tests.hosts.booted import Booted
    from tests.hosts.world import World

_CONFIG = """Host *
  User root
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
  ProxyCommand nsenter --net=/proc/{pid}/ns/net {python} -c '{dial}' {source} %h %p
  ProxyUseFdpass yes
"""
# Connects in the outside's network and hands the socket over.
_DIAL = """
import socket, sys
source, host, port = sys.argv[1:]
connection = socket.create_connection((host, int(port)), 10, (source, 0))
connection.setblocking(True)
socket.send_fds(socket.socket(fileno=1), [b" "], [connection.fileno()])
"""


def make_key(directory: Path) -> Path:
    """Make a key pair; the private one's file."""
    key = directory / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


def write_config(world: World, file: Path, key: Path, hosts: t.Iterable[Booted]) -> None:
    """Write what C(ssh -F FILE NAME) needs for each of the hosts."""
    dial = ";".join(_DIAL.strip().splitlines())
    text = _CONFIG.format(key=key, pid=world.pid, python=sys.executable, dial=dial, source=world.management_address)
    file.write_text(text + "".join(f"Host {host.name}\n  HostName {host.address}\n" for host in hosts))


def serve(host: Booted, key: Path) -> None:
    """Let the key in as root."""
    host.write("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text(), mode=0o600)
    host.run(["systemctl", "enable", "--now", "ssh"])
