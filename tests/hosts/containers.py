"""The containers of an installation in a booted host, named and connected as Compose does it."""

from __future__ import annotations

import typing as t

from tests.hosts.waiting import until

if t.TYPE_CHECKING:
    from tests.hosts.booted import Booted

PROJECT = "docker"
IMAGE = "bitwarden/double"
# An image out of the host's own files: a program that does nothing, and what it is linked with.
_IMPORT = f"""
if ! docker image inspect {IMAGE} > /dev/null 2>&1; then
  files=$(ldd /bin/sleep | grep -o '/[^ ]*' | sed 's#^/##')
  tar -C / -ch bin/sleep $files | docker import -c 'CMD ["/bin/sleep", "infinity"]' - {IMAGE} > /dev/null
fi
"""
# A program that is the first process ignores most signals.
_CREATE = f"--restart always --stop-signal KILL --network {PROJECT}_default {IMAGE} > /dev/null"


class Stack:
    """Containers C(bitwarden-api) and so on; C(docker_default) leads nowhere, C(docker_public) outside."""

    def __init__(self, host: Booted) -> None:
        self._host = host
        self.services: tuple[str, ...] = ()
        self.subnet6 = f"fd00:18:{host.number:x}::/64"

    def up(self, *services: str) -> None:
        """Make networks and containers; without names, the services of the last time."""
        self.services = services or self.services or ("api",)
        labels = f"--label com.docker.compose.project={PROJECT}"
        lines = [
            "set -e",
            _IMPORT,
            f"network() {{ docker network create {labels} --label com.docker.compose.network=$1 {PROJECT}_$* > /dev/null; }}",
            "network default --internal",
            f"network public --ipv6 --subnet {self.subnet6}",
        ]
        for service in self.services:
            lines += [
                f"docker create --name bitwarden-{service} {labels} --label com.docker.compose.service={service} {_CREATE}",
                f"docker network connect {PROJECT}_public bitwarden-{service}",
                f"docker start bitwarden-{service} > /dev/null",
            ]
        self._host.run(["sh", "-c", "\n".join(lines)])
        self.wait_until_running()

    def wait_until_running(self) -> None:
        """Wait until all containers run and IPv6 has made sure that their addresses are unique."""
        until(lambda: all(self.pid(service) for service in self.services), "containers")
        spaces = [[], *(["nsenter", "-t", str(self.pid(service)), "-n"] for service in self.services)]
        for enter in spaces if self.services else []:
            argv = [*enter, "ip", "-6", "address", "show", "tentative"]
            until(lambda argv=argv: not self._host.run(argv).stdout, "addresses")  # type: ignore[misc]

    def down(self) -> None:
        """Remove containers and networks."""
        names = " ".join(f"bitwarden-{service}" for service in self.services)
        self._host.run(["sh", "-ec", f"docker rm -f {names}; docker network rm {PROJECT}_default {PROJECT}_public"])

    def pid(self, service: str) -> int:
        """Return the process id of a service, as the host sees it."""
        return int(self._host.run(["docker", "inspect", "-f", "{{.State.Pid}}", f"bitwarden-{service}"]).stdout)
