# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tests of the module directory_connector share."""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from tests.bwdc import G2, Bwdc
from tests.bwdc.handle import READER, SUFFIX
from tests.integration.module_runner import run_module
from tests.lab import Lab

SYNC = {"user_path": "ou=people", "group_path": "ou=groups"}
OVERWRITE = {"sync": {**SYNC, "overwrite_existing": True}, "confirm_overwrite": True, "min_directory_users": 1}


@dataclass
class Host:
    """A machine with a directory to read, an archive of the connector, and a server to sync to."""

    lab: Lab
    world: Bwdc
    folder: Path
    version: str = G2
    options: dict[str, t.Any] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "bwdc"

    @property
    def program(self) -> Path:
        return self.folder / "bwdc-program"

    @property
    def file(self) -> Path:
        return self.data / "data.json"

    @property
    def organization_id(self) -> str:
        return str(self.lab.facts["organization_id"])

    @property
    def key(self) -> str:
        return str(self.lab.rows("selfhost", "organization_api_key", organizationId=self.organization_id)[0]["apiKey"])

    def params(self, **options: t.Any) -> dict[str, t.Any]:
        archive = self.world.archive(self.version)
        params = {
            "archive": str(archive.path),
            "sha256": archive.sha256,
            "version": archive.version,
            "data_dir": str(self.data),
            "server_url": "https://vault.example.com",
            "ca_path": self.lab.ca_path,
            "client_id": f"organization.{self.organization_id}",
            "client_secret": self.key,
            "directory": {"ldap": ldap()},
            "sync": SYNC,
            "lock_timeout": 0,
            **self.options,
            **options,
        }
        return {name: value for name, value in params.items() if value is not None}

    def run(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        return run_module("directory_connector", self.params(**options), check=check)

    def succeed(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        result = self.run(check, **options)
        assert not result["failed"], result["msg"]
        return result

    def fail(self, field_name: str, cause: str, **options: t.Any) -> dict[str, t.Any]:
        """Run the module, which must fail with option, cause and remedy."""
        result = self.run(**options)
        assert result["failed"], result["changes"]
        assert cause in result["msg"]
        assert field_name in result["error"]["field"]
        assert result["error"]["remedy"]
        return result

    def refuse(self, field_name: str, cause: str, **options: t.Any) -> dict[str, t.Any]:
        """The same, in both modes, and nothing may have been changed."""
        before = self.tree(times=False)
        self.lab.clear_requests()
        result = self.fail(field_name, cause, **options)
        assert self.run(check=True, **options)["msg"] == result["msg"]
        assert self.tree(times=False) == before
        assert self.lab.writes() == []
        return result

    def tree(self, times: bool = True) -> dict[str, tuple[str, int, int]]:
        """Every file of ours but the lock: hash of its bytes, mode, and when it was changed."""
        files = (
            item
            for folder in (self.data, self.program)
            for item in folder.rglob("*")
            if item.is_file() and item.suffix != ".lock"
        )
        found = ((item, item.read_bytes(), item.stat()) for item in files)
        return {
            str(item): (hashlib.sha256(data).hexdigest(), status.st_mode, status.st_mtime_ns if times else 0)
            for item, data, status in found
        }

    def document(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads(self.file.read_text())
        return found

    def members(self) -> set[str]:
        """Addresses of the members that came out of the directory."""
        return {row["email"] for row in self.lab.rows("selfhost", "member") if row.get("externalId")}


def ldap(**about: t.Any) -> dict[str, t.Any]:
    return {"hostname": "ldap.example.com", "root_path": SUFFIX, **READER, **about}


def kinds(result: dict[str, t.Any]) -> list[tuple[str, str]]:
    """What was changed, without the fields."""
    return [(change["kind"], change["name"]) for change in result["changes"]]
