# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A profile: how one directory is synced, in two documents, of which only the smaller one holds secrets."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

Options = t.Mapping[str, t.Any]
Secrets = t.Collection[tuple[str, ...]]  # where secrets are among the options: the names that lead there


@dataclass(frozen=True)
class Profile:
    """What a run needs to know.

    Attributes:
        backend: C(native) or C(bwdc).
        options: those of the module directory_sync, or what C(connector_session.synchronize) takes.
        environment: variables for the way to the server; the address of a proxy may hold a password.
    """

    name: str
    backend: str
    options: Options
    environment: t.Mapping[str, str]


def documents(profile: Profile, secrets: Secrets) -> tuple[bytes, bytes]:
    """Return the profile without secrets, and the secrets; options that say nothing are in neither."""
    plain, hidden = _split(profile.options, secrets)
    about = {"name": profile.name, "backend": profile.backend, "options": plain}
    return _bytes(about), _bytes({"options": hidden, "environment": dict(profile.environment)})


def joined(plain: Options, hidden: Options) -> Profile:
    """Return what two such documents say together."""
    return Profile(plain["name"], plain["backend"], _merged(plain["options"], hidden["options"]), hidden["environment"])


def _split(options: Options, secrets: Secrets, at: tuple[str, ...] = ()) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    plain: dict[str, t.Any] = {}
    hidden: dict[str, t.Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if (*at, name) in secrets:
            hidden[name] = value
        elif isinstance(value, dict):
            plain[name], inner = _split(value, secrets, (*at, name))
            hidden.update({name: inner} if inner else {})
        else:
            plain[name] = value
    return plain, hidden


def _merged(plain: Options, hidden: Options) -> dict[str, t.Any]:
    inner = {name: _merged(plain.get(name, {}), value) if isinstance(value, dict) else value for name, value in hidden.items()}
    return {**plain, **inner}


def _bytes(document: Options) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
