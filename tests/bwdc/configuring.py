"""`config`: the few settings that the program itself can store, with its traps.

Source: bitwarden/directory-connector src-cli/commands/config.command.ts, libs/services/state-service.
"""

from __future__ import annotations

import os
from pathlib import Path

from .errors import Failure, Uncaught, null_property
from .reading import OBJECTS
from .syncing import clear_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    from .storage import State

_SECRETS = {
    "ldap.password": ("directoryLdap", "password"),
    "entra.key": ("directoryEntra", "key"),
    "azure.key": ("directoryEntra", "key"),
    "gsuite.key": ("directoryGsuite", "privateKey"),
    "okta.token": ("directoryOkta", "token"),
    "onelogin.secret": ("directoryOnelogin", "clientSecret"),
}
_FORCED = {
    "creationDateAttribute": "whenCreated",
    "revisionDateAttribute": "whenChanged",
    "emailPrefixAttribute": "sAMAccountName",
    "memberAttribute": "member",
    "userObjectClass": "person",
    "groupObjectClass": "group",
    "userEmailAttribute": "mail",
    "groupNameAttribute": "name",
}


def value_of(arguments: list[str], options: dict[str, str]) -> str | None:
    """Return the value: argument, first line of a file, variable; a variable that is not there is nothing."""
    if arguments:
        return arguments[0]
    if "secretfile" in options:
        try:
            return Path(options["secretfile"]).read_text().split("\n")[0]
        except FileNotFoundError:
            raise Uncaught(f"Error: ENOENT: no such file or directory, open '{options['secretfile']}'") from None
    return os.environ.get(options.get("secretenv", "")) or None


def configure(state: State, setting: str, value: str | None) -> None:
    if state.nested and state.account() is None:
        raise Failure(null_property("directorySettings"))
    if setting == "server":
        state.set_urls(_server(value))
        return
    setters: dict[str, t.Callable[[State, str | None], None]] = {"directory": _directory}
    if state.document.get("stateVersion") == 8:
        setters["sync.inviteusersafterprovisioning"] = _invites
    if setting in _SECRETS:
        _secret(state, setting, value)
    elif setting in setters:
        setters[setting](state, value)
    else:
        raise Failure("Unknown setting.")
    _resave(state)


def _server(value: str | None) -> str | None:
    if value in (None, "null", "bitwarden.com", "https://bitwarden.com"):
        return None
    text = str(value).rstrip("/")
    return text if "://" in text else f"https://{text}"


def _directory(state: State, value: str | None) -> None:
    try:
        number: int | None = int(str(value))
    except ValueError:
        number = None
    if number is not None and number not in OBJECTS:
        raise Failure("Invalid directory type value.")
    if number != state.get("directoryType"):
        clear_cache(state, with_hash=False)
    state.set(directoryType=number)


def _secret(state: State, setting: str, value: str | None) -> None:
    if state.nested:  # reports success and stores nothing
        return
    name, key = _SECRETS[setting]
    state.set(**{name: {**(state.get(name) or {}), key: value}})


def _invites(state: State, value: str | None) -> None:
    if str(value).lower() not in ("true", "false"):
        raise Failure("Value must be 'true' or 'false'.")
    state.set(sync={**(state.get("sync") or {}), "inviteUsersAfterProvisioning": str(value).lower() == "true"})


def _resave(state: State) -> None:
    """Every setting saves all the others, too, as they are or as nothing."""
    if not state.nested:
        state.set(**{name: state.get(name) or {} for name in OBJECTS.values()})
    sync = dict(state.get("sync") or {})
    if (state.get("directoryLdap") or {}).get("ad"):
        paths = {name: sync.get(name) or "CN=Users" for name in ("userPath", "groupPath")}
        sync = {**sync, **_FORCED, **paths}
    if sync.get("interval") is not None:
        sync["interval"] = None if sync["interval"] <= 0 else max(sync["interval"], 5)
    state.set(sync=sync)
