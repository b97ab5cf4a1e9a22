# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stack as data without secrets, for reports."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.compose import tag
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.installation import Installation, Observation

# What the server tells its cloud, and where it looks for it. The key is a secret and stays out.
_INSTALLATION = {
    "installation_id": "globalSettings__installation__id",
    "api_uri": "globalSettings__installation__apiUri",
    "identity_uri": "globalSettings__installation__identityUri",
    "push_uri": "globalSettings__pushRelayBaseUri",
    "cloud_region": "globalSettings__baseServiceUri__cloudRegion",
}


def describe(installation: Installation) -> dict[str, t.Any]:
    """Return the return values of C(stack_info); whatever can be told is told, the rest is in C(problems).

    Raises:
        SelfhostError: there is no installation at all.
    """
    installation.bwdata.check()
    problems: list[str] = []
    try:
        installation.script.check()
    except SelfhostError as error:
        problems.append(str(error))
    try:
        now = installation.observe()
    except SelfhostError as error:
        return _values(Observation({}, {}, (), (), None), [*problems, str(error)], seen=False)
    return _values(now, [*problems, *_problems(installation, now)], seen=True)


def _values(now: Observation, problems: list[str], seen: bool) -> dict[str, t.Any]:
    drift: dict[str, list[str]] = {}
    for found in now.drifts:
        drift.setdefault(found.service, []).append(found.key)
    api = now.services.get("api")
    running = now.containers.get("api")
    return {
        "services": [_service(now, name) for name in now.services],
        "versions": {
            "script": now.versions.core if now.versions else None,
            "compose": tag(api.image) if api else None,
            "running": tag(running.image) if running else None,
        },
        "drift": drift,
        "config_drift": list(now.config),
        "converged": seen and not (now.drifts or now.config or now.images or now.down),
        "healthy": seen and not now.not_ready,
        "installation": {name: api.environment.get(key, "") if api else "" for name, key in _INSTALLATION.items()},
        "problems": problems,
    }


def _service(now: Observation, name: str) -> dict[str, t.Any]:
    service, container = now.services[name], now.containers.get(name)
    image = container.image if container else service.image
    return {
        "name": name,
        "container": service.container,
        "image": image,
        "version": tag(image),
        "running": container is not None and container.status == "running",
        "health": container.health if container else None,
        "condition": now.condition(name),
        "started": container.started if container else None,
    }


def _problems(installation: Installation, now: Observation) -> t.Iterator[str]:
    if now.not_ready:
        yield now.summary()
        yield from installation.symptoms(now)
    for change in now.settings:
        yield f"{change.name} is not in force as the files say, {change.reason}."
    for change in now.images:
        yield f"{change.name} runs version {change.before['version']}, not the compose file's."
    if now.config:
        yield f"config.yml is not applied: {', '.join(now.config)}."
    if now.versions and now.outdated:
        yield f"bitwarden.sh has version {now.versions.core}: a rebuild would also update the server."
