"""The connector's data file: location, lock, layouts and migrations.

Source: bitwarden/directory-connector libs/services/lowdbStorage.service.ts, state-service/*, src-cli/bwdc.ts.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

from .errors import Uncaught

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Json = dict[str, t.Any]

STATE_VERSIONS = {1: 3, 2: 6, 3: 8}
_STALE, _RETRIES = 10.0, 3
# Where things are in the nested layout, below the organization's id; the flat one has them at the top.
_NESTED = {
    "accessToken": ("tokens", "accessToken"),
    "apiKeyClientId": ("profile", "apiKeyClientId"),
    "apiKeyClientSecret": ("keys", "apiKeyClientSecret"),
    "entityId": ("profile", "entityId"),
    "userDeltaToken": ("directorySettings", "userDelta"),
    "groupDeltaToken": ("directorySettings", "groupDelta"),
    "directoryLdap": ("directoryConfigurations", "ldap"),
    "directoryEntra": ("directoryConfigurations", "entra"),
    "directoryGsuite": ("directoryConfigurations", "gsuite"),
    "directoryOkta": ("directoryConfigurations", "okta"),
    "directoryOnelogin": ("directoryConfigurations", "oneLogin"),
    **{
        name: ("directorySettings", name)
        for name in ("organizationId", "directoryType", "sync", "lastUserSync", "lastGroupSync", "lastSyncHash", "syncingDir")
    },
}
MOVED = tuple(_NESTED)


def app_directory(environment: t.Mapping[str, str], program: Path) -> Path:
    """Return where the data file is."""
    for name in ("BITWARDENCLI_CONNECTOR_APPDATA_DIR", "BITWARDEN_CONNECTOR_APPDATA_DIR"):
        if environment.get(name):
            return Path(environment[name]).absolute()
    beside = program.parent / "bitwarden-connector-appdata"
    if beside.is_dir():
        return beside
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "/"), ".config")
    return Path(home) / "Bitwarden Directory Connector"


class Storage:
    """One data file, read and written under the program's own lock."""

    def __init__(self, directory: Path, generation: int) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = directory / "data.json"
        self.generation = generation

    def load(self) -> Json:
        """Read; what is no JSON is replaced by an empty object, and the backup loses its race."""
        with self._lock():
            try:
                found = json.loads(self.path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                found = {}
            except ValueError:
                self._replace(self.path.with_suffix(".json.bak"), {})
                self._replace(self.path, {})
                found = {}
        return found if isinstance(found, dict) else {}

    def save(self, document: Json) -> None:
        """Write: in place up to G1, later by a rename that forgets mode and owner."""
        with self._lock():
            if self.generation == 1 and self.path.exists():
                self.path.write_text(json.dumps(document, indent=2), encoding="utf-8")
            else:
                self._replace(self.path, document)
                if self.generation == 1:
                    self.path.chmod(0o600)

    def _replace(self, path: Path, document: Json) -> None:
        temporary = path.with_name(f"{path.name}.tmp")
        temporary.write_text(json.dumps(document, indent=2), encoding="utf-8")
        os.replace(temporary, path)

    @contextlib.contextmanager
    def _lock(self) -> t.Iterator[None]:
        lock = self.path.with_name("data.json.lock")
        for attempt in range(_RETRIES + 1):
            try:
                lock.mkdir()
                break
            except FileExistsError:
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - lock.stat().st_mtime > _STALE:
                        lock.rmdir()
                        continue
                if attempt == _RETRIES:
                    raise Uncaught("Error: Lock file is already being held") from None
                time.sleep(0.1 * 2**attempt)
        try:
            yield
        finally:
            lock.rmdir()


class State:
    """The data file by what its values mean, whatever the layout."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.document = storage.load()

    @property
    def nested(self) -> bool:
        return self._storage.generation == 1

    def account(self) -> Json | None:
        """What everything is in: the active organization's object in G1, where a login makes it, else the whole file."""
        if not self.nested:
            return self.document
        found = self.document.get(str(self.document.get("activeUserId")))
        return found if isinstance(found, dict) else None

    def get(self, name: str) -> t.Any:
        found: t.Any = self.account()
        for key in _NESTED[name] if self.nested else (name,):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def set(self, **values: t.Any) -> None:
        """Set values and save. In G1 there must be an account."""
        for name, value in values.items():
            found = self.account()
            if found is None:
                raise Uncaught("TypeError: Cannot set properties of null")
            *parents, last = _NESTED[name] if self.nested else (name,)
            for key in parents:
                found = found.setdefault(key, {})
            found[last] = value
        self.save()

    def remove(self, *names: str) -> None:
        """Forget values: the flat layout loses the keys, the nested one keeps them empty."""
        for name in names:
            if self.nested:
                self.set(**{name: None})
            else:
                self.document.pop(name, None)
        self.save()

    def save(self) -> None:
        self._storage.save(self.document)

    @property
    def urls(self) -> Json:
        holder = (self.document.get("global") or {}) if self.nested else self.document
        return holder.get("environmentUrls") or {}

    def set_urls(self, base: str | None) -> None:
        holder = self.document.setdefault("global", {}) if self.nested else self.document
        holder["environmentUrls"] = {"base": base, "api": None, "identity": None, "webVault": None}
        self.save()

    def start(self, version: str) -> None:
        """What every start does: migrate, and note the version."""
        if self.nested:
            self.document.setdefault("global", {}).setdefault("stateVersion", STATE_VERSIONS[1])
            self.document["global"]["installedVersion"] = version
        else:
            self._migrate()
            self.document["installedVersion"] = version
        self.save()

    def _migrate(self) -> None:
        document, newest = self.document, STATE_VERSIONS[self._storage.generation]
        if "stateVersion" not in document and "global" not in document:
            document["stateVersion"] = newest
            return
        current = document.get("stateVersion") or (document.get("global") or {}).get("stateVersion") or 1
        if current < 3:
            raise Uncaught(
                f"Error: Your Directory Connector data is too old to migrate (state version {current}). Please download a fresh "
                "copy of Directory Connector and reconfigure it."
            )
        if current < 5:
            self._flatten()
        sync = document.get("sync")
        if current < 8 <= newest and sync and "inviteUsersAfterProvisioning" not in sync:
            sync["inviteUsersAfterProvisioning"] = True
        document["stateVersion"] = max(current, newest)

    def _flatten(self) -> None:
        """Take the active organization's object apart; the old keys stay."""
        account = self.document.get(str(self.document.get("activeUserId"))) or {}
        for name, path in _NESTED.items():
            found: t.Any = account
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            if found is not None:
                self.document[name] = found
        self.document["environmentUrls"] = (self.document.get("global") or {}).get("environmentUrls")
