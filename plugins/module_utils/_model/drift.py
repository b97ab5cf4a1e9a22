# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where running containers do not reflect the files they were created from."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.compose import Container, Service, tag
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change

# A key with one of these beginnings that is in a container but in no file was removed from the files. Anything else may come
# from the image or from the docker client, which adds proxy variables of its own.
OWNED = ("globalSettings__", "adminSettings__", "iconsSettings__", "Logging__", "Features__", "keyConnectorSettings__")
OWNED_SCALARS = ("BACKUP_", "DATABASE", "SA_PASSWORD", "LOCAL_")
PROXIES = frozenset(f"{name}_PROXY" for name in ("HTTP", "HTTPS", "FTP", "NO", "ALL"))

Environments = t.Mapping[str, t.Mapping[str, str]]


@dataclass(frozen=True)
class Drift:
    """One setting of one service that the container has otherwise than the files; C(None) is absent. Values may be secret."""

    service: str
    key: str
    running: str | None
    wanted: str | None


def setting_drift(services: t.Mapping[str, Service], containers: t.Mapping[str, Container], images: Environments) -> list[Drift]:
    """Compare every existing container's environment with the files.

    Args:
        services: what the files say, by service.
        containers: what runs, by service; services without a container are left out.
        images: the images' own environments, by image; only needed where :func:`unexplained` names keys.
    """
    return [
        drift
        for name, container in containers.items()
        for drift in _service_drift(services[name], container, images.get(container.image, {}))
    ]


def unexplained(service: Service, container: Container) -> set[str]:
    """Keys in the container that no file gives it; only the image's own environment can explain them."""
    extra = set(container.environment) - set(service.environment)
    return {key for key in extra if key.startswith(OWNED + OWNED_SCALARS) and key.upper() not in PROXIES}


def image_drift(services: t.Mapping[str, Service], containers: t.Mapping[str, Container]) -> list[Change]:
    """Containers that run another version than the compose file names."""
    return [
        Change("update", "image", name, {"version": tag(container.image)}, {"version": tag(services[name].image)})
        for name, container in containers.items()
        if tag(container.image) != tag(services[name].image)
    ]


def setting_changes(drifts: t.Iterable[Drift], is_secret: t.Callable[[str], bool]) -> list[Change]:
    """Group the drifts by key and value, because one setting usually differs in several services."""
    groups: dict[tuple[str, str | None, str | None], list[str]] = {}
    for drift in drifts:
        groups.setdefault((drift.key, drift.running, drift.wanted), []).append(drift.service)
    return [
        Change(
            "update",
            "effective setting",
            key,
            {"value": running},
            {"value": wanted},
            secret=frozenset({"value"} if is_secret(key) else ()),
            reason="in " + ", ".join(services),
        )
        for (key, running, wanted), services in groups.items()
    ]


def _service_drift(service: Service, container: Container, image: t.Mapping[str, str]) -> list[Drift]:
    actual, wanted = container.environment, service.environment
    differing = [key for key, value in wanted.items() if key.upper() not in PROXIES and actual.get(key) != value]
    removed = sorted(unexplained(service, container) - set(image))
    return [Drift(service.name, key, actual.get(key), wanted.get(key)) for key in differing + removed]
