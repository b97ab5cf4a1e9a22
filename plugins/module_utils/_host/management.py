# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The connection over which Ansible works on this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import typing as t
from pathlib import Path

_VARIABLES = (b"SSH_CONNECTION=", b"SSH_CLIENT=")


def ends() -> list[str]:
    """Return the addresses at both ends of the SSH connection that we run over; empty without one, or when it is not known.

    Privilege escalation drops the variables, so the processes that started us are asked, too. Source: ssh(1), ENVIRONMENT.
    """
    return sorted({address for environment in _environments() for address in _addresses(environment)})


def _environments() -> t.Iterator[bytes]:
    """Return the environments of this process and of all that led to it; those that may not be read are empty."""
    number = os.getpid()
    while number > 1:
        process = Path("/proc") / str(number)
        with contextlib.suppress(OSError):
            yield (process / "environ").read_bytes()
        try:
            # The name before the last bracket may hold anything.
            number = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return


def _addresses(environment: bytes) -> t.Iterator[str]:
    for variable in environment.split(b"\0"):
        if variable.startswith(_VARIABLES):
            for word in variable.partition(b"=")[2].decode(errors="replace").split():
                with contextlib.suppress(ValueError):  # ports are no addresses
                    address = ipaddress.ip_address(word.partition("%")[0])
                    yield str(getattr(address, "ipv4_mapped", None) or address)
