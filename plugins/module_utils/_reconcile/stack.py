# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring the running stack to where it should be; end healthy, or where it started."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.bitwarden_sh import explain
from ansible_collections.bw.selfhost.plugins.module_utils._host.health import CHECKS, Probe
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Finished
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.installation import Installation, Observation
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.readiness import Readiness, Unanswered
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.stack_plan import Decision, Wish, decide

_SHOWN_LINES = 5


@dataclass(frozen=True)
class Options:
    """How to work. Times are seconds.

    Attributes:
        url: the public URL to ask; C(None) means config.yml's, an empty text means not to ask.
        restore_from: backups of the files as they were while the running containers were created.
    """

    wait: bool = True
    wait_timeout: float = 300
    command_timeout: float = 900
    validate_certs: bool = True
    ca_path: str | None = None
    url: str | None = None
    restore_from: tuple[Path, ...] = ()


@dataclass
class Report:
    """What happened."""

    plan: Plan = field(default_factory=Plan)
    commands: tuple[str, ...] = ()
    progress: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def reconcile(installation: Installation, wish: Wish, options: Options, check_mode: bool) -> Report:
    """Do the least that fulfils the wish; in check mode only say what that is.

    Raises:
        SelfhostError: refused before anything was done, or failed; then it says what was found where, whether the previous
            state was brought back, and how the stack is now.
    """
    installation.check()
    backups = dict(installation.bwdata.backup(path) for path in options.restore_from)
    if check_mode:
        decision = decide(installation.observe(), wish)
        return Report(decision.plan, decision.commands)
    # Files can be compared now, so only what leaves no trace in them has to be taken on trust.
    wish = Wish(wish.state, wish.allow_update, wish.assumed - {"env"})
    with installation.bwdata.lock(options.command_timeout) as lock:
        return _Run(installation, options, backups, lock).fulfil(wish)


class _Run:
    """One run that holds the lock."""

    def __init__(self, installation: Installation, options: Options, backups: t.Mapping[str, bytes], lock: int) -> None:
        self._installation = installation
        self._options = options
        self._backups = backups
        self._lock = lock
        self._report = Report()
        self._unreachable = False

    def fulfil(self, wish: Wish) -> Report:
        before = self._installation.observe()
        decision = decide(before, wish)
        self._report.plan, self._report.commands = decision.plan, decision.commands
        if decision.commands:
            self._act(before, decision)
        elif wish.state != "stopped" and self._options.wait and before.not_ready:
            self._wait(before)
        return self._report

    def _act(self, before: Observation, decision: Decision) -> None:
        snapshot = self._installation.bwdata.snapshot()
        probe = self._probe() if self._options.wait and not before.not_ready else None
        self._unreachable = probe is not None and any(probe.problem(path, is_json) for path, _service, is_json in CHECKS)
        try:
            for command in decision.commands:
                now = self._command(command)
            if "stop" not in decision.commands:
                self._verify(now)
        except SelfhostError as failure:
            raise self._after_failure(failure, before, decision, snapshot) from failure

    def _command(self, command: str) -> Observation:
        """Run one command, and judge it by its exit code and by what it left, in both directions."""
        finished = self._script(command)
        now = self._installation.observe()
        if command == "stop" and now.running and finished.code == 0:  # with one running container the script does nothing
            self._installation.docker.down()
            now = self._installation.observe()
        fault = _fault(command, now)
        if finished.code == 0 and not fault:
            return now
        cause = explain(command, finished, self._options.command_timeout) if finished.code != 0 else ""
        if fault or command == "rebuild":
            raise SelfhostError("\n".join([f"{cause} {fault}".strip(), *_last_lines(finished)]))
        self._report.warnings.append(" ".join([cause, "The stack is as it should be nevertheless.", *_last_lines(finished)]))
        return now

    def _script(self, command: str) -> Finished:
        finished = self._installation.script.run(command, self._options.command_timeout, (self._lock,))
        return Finished(finished.code, self._installation.safe(finished.stdout))

    def _verify(self, now: Observation) -> None:
        """The files' settings are in force, and every service is healthy."""
        left = [change.name for change in (*now.settings, *now.images)] + list(now.config)
        if "update" in self._report.commands:
            left += now.outdated
        if left:
            raise SelfhostError(f"The containers still differ from the files: {', '.join(left)}.")
        if self._options.wait:
            self._wait(now)

    def _wait(self, now: Observation) -> None:
        installation = self._installation
        try:
            Readiness(installation, self._probe(), self._options.wait_timeout, self._report.progress).wait(now)
        except Unanswered:
            raise
        except SelfhostError as error:
            symptoms = installation.symptoms(installation.look_again(now))
            raise SelfhostError("\n".join([error.cause, *symptoms])) from error

    def _probe(self) -> Probe | None:
        options = self._options
        url = self._installation.config()["url"] if options.url is None else options.url
        return Probe(url, options.validate_certs, options.ca_path) if url else None

    def _after_failure(
        self, failure: SelfhostError, before: Observation, decision: Decision, snapshot: t.Mapping[str, bytes]
    ) -> SelfhostError:
        """Bring the previous state back where that is possible, and tell the whole story."""
        story = [failure.cause, *self._progress()]
        remedy = failure.remedy
        try:
            obstacle = self._obstacle(failure, before, decision)
            story += [obstacle] if obstacle else self._roll_back(snapshot)
            story.append(self._installation.observe().summary())
        except SelfhostError as error:
            story.append(f"Bringing the previous state back failed: {error.cause}")
            remedy = error.remedy or remedy
        return SelfhostError("\n".join(story), field="stack", remedy=remedy or "Remove the cause, then run this again.")

    def _obstacle(self, failure: SelfhostError, before: Observation, decision: Decision) -> str:
        """Say why there is no way back; empty when there is one."""
        rewritten = {"rebuild", "update"} & set(decision.commands)
        if "stop" in decision.commands or not (self._backups or rewritten):
            return "Nothing was restored, because no previous file is known."
        if before.not_ready:
            return f"Nothing was restored, because the previous state was not healthy either ({', '.join(before.not_ready)})."
        if isinstance(failure, Unanswered) and self._unreachable:
            return "Nothing was restored, because that address did not answer before either."
        now = self._installation.look_again(before)
        updated = any(container.image != before.containers[name].image for name, container in now.containers.items())
        if "update" in decision.commands and updated:
            return "Nothing was restored, because the new version may have changed the database already."
        return ""

    def _roll_back(self, snapshot: t.Mapping[str, bytes]) -> list[str]:
        bwdata, docker = self._installation.bwdata, self._installation.docker
        rewritten = any(bwdata.content(name) != content for name, content in snapshot.items())
        if rewritten:  # while the compose file still names every service that runs
            docker.down()
        restored = [name for name, content in {**snapshot, **self._backups}.items() if bwdata.restore(name, content)]
        now = self._installation.observe()
        stale = rewritten or now.drifts or now.images or now.down
        # Without a registry the script ends before it starts anything; the images of the previous state are here.
        if stale and self._script("restart").code != 0 and self._installation.observe().down:
            docker.up()
        self._wait(self._installation.observe())
        return [f"Restored: {', '.join(restored) or 'nothing, all files are as they were'}. The previous state is back."]

    def _progress(self) -> list[str]:
        lines = list(self._report.progress)
        self._report.progress.clear()
        return [f"Until then: {'; '.join(lines)}."] if lines else []


def _last_lines(finished: Finished) -> list[str]:
    lines = [line for line in finished.stdout.splitlines() if line.strip()]
    return ["Its last output:", *(f"  {line}" for line in lines[-_SHOWN_LINES:])] if lines else []


def _fault(command: str, now: Observation) -> str:
    """What a command left undone, in one sentence; empty when all is well."""
    if command == "stop":
        return f"Still running: {', '.join(now.running)}." if now.running else ""
    if command == "rebuild":
        return f"config.yml was not applied: {', '.join(now.config)}." if now.config else ""
    return now.summary() if now.down else ""
