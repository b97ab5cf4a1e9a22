# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide the least that makes the running stack what it should be. Nothing here touches the machine."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.installation import Observation

# rebuild leaves the stack stopped, so a start always follows.
REBUILD: tuple[str, ...] = ("rebuild", "start")
Choice = tuple[tuple[str, ...], list[str]]


@dataclass(frozen=True)
class Wish:
    """What the operator wants.

    Attributes:
        state: V(started), V(stopped), V(restarted), V(rebuilt), V(updated) or V(converged).
        allow_update: a rebuild may change the version.
        assumed: files (V(env), V(config)) to treat as changed although no effect of it can be seen.
    """

    state: str
    allow_update: bool = False
    assumed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """The commands of bitwarden.sh to run, in order, and what they will change."""

    commands: tuple[str, ...]
    plan: Plan


def decide(now: Observation, wish: Wish) -> Decision:
    """Choose the commands.

    Raises:
        SelfhostError: a rebuild would also change the version, and that was not asked for.
    """
    commands, reasons = getattr(_Choice(now, wish), wish.state)()
    if not commands:
        return Decision((), Plan())
    if "rebuild" in commands and now.outdated:
        if wish.state != "updated" and not wish.allow_update:
            raise _hidden_update(now, reasons)
        # update skips everything when only the key connector differs.
        commands = REBUILD if set(now.outdated) == {"key-connector"} else ("update",)
    changes: list[Change] = [] if commands == ("stop",) else [*now.settings, *now.images]
    if "rebuild" in commands or "update" in commands:
        changes += [Change("update", "version", name, {"tag": old}, {"tag": new}) for name, (old, new) in now.outdated.items()]
    return Decision(commands, Plan((*changes, Change("run", "stack", " + ".join(commands), reason="; ".join(reasons)))))


class _Choice:
    """For each state: the commands that lead to it, and why they are needed. No commands: it is reached."""

    def __init__(self, now: Observation, wish: Wish) -> None:
        self._now = now
        self._wish = wish

    def stopped(self) -> Choice:
        return (("stop",), [f"running: {', '.join(self._now.running)}"]) if self._now.running else ((), [])

    def started(self) -> Choice:
        return (("start",), [f"not running: {', '.join(self._now.down)}"]) if self._now.down else ((), [])

    def restarted(self) -> Choice:
        return ("restart",), ["asked for", *self._env()]

    def rebuilt(self) -> Choice:
        return REBUILD, ["asked for", *self._config(), *self._env()]

    def updated(self) -> Choice:
        outdated = self._now.outdated
        return (REBUILD, [f"other versions in bitwarden.sh: {_texts(outdated)}"]) if outdated else self.converged()

    def converged(self) -> Choice:
        config, env = self._config(), self._env()
        if config:
            return REBUILD, config + env
        return (("restart",), env) if env else self.started()

    def _config(self) -> list[str]:
        if self._now.config:
            return [f"config.yml is not applied: {', '.join(self._now.config)}"]
        return ["config.yml has changed"] if "config" in self._wish.assumed else []

    def _env(self) -> list[str]:
        keys = list(dict.fromkeys(drift.key for drift in self._now.drifts))
        reasons = [f"containers were created before a change of {', '.join(keys)}"] if keys else []
        if self._now.images:
            reasons.append(f"containers of another version: {', '.join(change.name for change in self._now.images)}")
        if not reasons and "env" in self._wish.assumed and self._now.containers:
            reasons.append("the env files have changed")
        return reasons


def _hidden_update(now: Observation, reasons: list[str]) -> SelfhostError:
    """A rebuild writes the script's versions into the compose file, and the next start runs them."""
    return SelfhostError(
        f"A rebuild is needed ({'; '.join(reasons)}), but it would also change versions: {_texts(now.outdated)}.",
        field="allow_update",
        remedy="Back up, then set state: updated or allow_update: true; or put the bitwarden.sh of the running version back.",
    )


def _texts(outdated: t.Mapping[str, tuple[str, str]]) -> str:
    return ", ".join(f"{name} {old} to {new}" for name, (old, new) in outdated.items())
