# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A planned edit of one configuration file, and the way it is applied."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan


@dataclass(frozen=True)
class FileEdit:
    """What one file will say instead.

    Attributes:
        file: the file as it is.
        data: its new content.
        plan: the same as a list of changes.
        before: the old content as text for people, secrets masked.
        after: the new content as text for people, secrets masked.
        warnings: what the operator should know.
    """

    file: files.File
    data: bytes
    plan: Plan
    before: str
    after: str
    warnings: list[str] = field(default_factory=list)

    @property
    def diff(self) -> dict[str, str]:
        """Ansible's diff structure."""
        path = str(self.file.path)
        return {"before": self.before, "after": self.after, "before_header": path, "after_header": path}

    def apply(self, *, check_mode: bool, backup: bool) -> dict[str, t.Any]:
        """Write the file unless that changes nothing or is only checked; return the modules' common return values."""
        values: dict[str, t.Any] = {"path": str(self.file.path)}
        if self.plan.changed and not check_mode:
            if backup and self.file.data is not None:
                values["backup_file"] = files.backup(self.file)
            files.replace(self.file, self.data)
        return values
