# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wait until every service is healthy and the server answers, with one line of progress for each."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._host.health import CHECKS, Check, Probe
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.installation import Installation, Observation

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Unanswered(SelfhostError):
    """The containers are healthy, but the server does not answer at its URL."""


class Readiness:
    """One wait: for the containers first, then for the public URL, with one deadline for both.

    Args:
        probe: asks the public URL; C(None) when only the containers count.
        progress: gets a line for every service that became healthy and every address that answered.
    """

    def __init__(self, installation: Installation, probe: Probe | None, timeout: float, progress: list[str]) -> None:
        self._installation = installation
        self._probe = probe
        self._timeout = timeout
        self._progress = progress
        self._begin = time.monotonic()

    def wait(self, now: Observation) -> None:
        """Return when all is well.

        Raises:
            Unanswered: all containers are healthy, but the public URL does not answer.
            SelfhostError: time is over; names each service and what is wrong with it.
        """
        self._poll(lambda: self._containers(now), SelfhostError)
        if self._probe:
            probe, waiting = self._probe, list(CHECKS)
            self._poll(lambda: self._addresses(probe, waiting), Unanswered)

    def _poll(self, look: t.Callable[[], list[str]], failure: type[SelfhostError]) -> None:
        pause = _FIRST_PAUSE
        while True:
            faults = look()
            if not faults:
                return
            remaining = self._begin + self._timeout - time.monotonic()
            if remaining <= 0:
                raise failure(f"Not healthy after {self._timeout:g} s: {'; '.join(faults)}.")
            time.sleep(min(pause, remaining))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _containers(self, before: Observation) -> list[str]:
        now = self._installation.look_again(before)
        told = {line.partition(":")[0] for line in self._progress}
        for name in now.services:
            if name not in told and name not in now.not_ready:
                self._tell(name, now.condition(name))
        return [f"{name}: {now.condition(name)}" for name in now.not_ready]

    def _addresses(self, probe: Probe, waiting: list[Check]) -> list[str]:
        faults = []
        for check in list(waiting):
            path, service, is_json = check
            problem = probe.problem(path, is_json)
            if problem:
                faults.append(f"{service}: {probe.url}{path}: {problem}")
            else:
                waiting.remove(check)
                self._tell(probe.url + path, "answers")
        return faults

    def _tell(self, name: str, what: str) -> None:
        self._progress.append(f"{name}: {what} after {time.monotonic() - self._begin:.0f} s")
