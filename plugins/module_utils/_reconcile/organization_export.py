# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An organization becomes a description of itself, as data and as a file that can be applied."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_export import PARTS, document, options_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.file_edit import FileEdit
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.organization_read import read
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import find_workplace

Params = t.Mapping[str, t.Any]
Values = dict[str, t.Any]

MODE = 0o600
LARGEST = 64 * files.LIMIT  # bytes
# Parts that a plan may lack; the profile's entry says so.
_ABILITIES = {"groups": "useGroups", "policies": "usePolicies", "sso": "useSso", "scim": "useScim"}


def ensure(params: Params, check_mode: bool, progress: Progress) -> tuple[Plan, Values, list[str], dict[str, str] | None]:
    """Return the organization as options and as text, and write the text where that is wanted; the last element is the diff."""
    workplace = find_workplace(params, progress)
    wanted = frozenset(params["parts"] or PARTS)
    able = frozenset(part for part in wanted if workplace.entry.get(_ABILITIES.get(part, "id")))
    options = options_of(read(workplace, able), able)
    text = document(workplace.name, workplace.id, options)
    values = {
        "organization_id": workplace.id,
        "organization": {"organization_name": workplace.name, **options},
        "yaml": text,
    }
    if params["dest"] is None:
        return Plan(), values, [], None
    edit = _edit(Path(params["dest"]), text)
    return edit.plan, {**values, **edit.apply(check_mode=check_mode, backup=False)}, [], edit.diff


def _edit(path: Path, text: str) -> FileEdit:
    if not path.parent.is_dir():
        raise SelfhostError(f"There is no directory {path.parent}.", field="dest", remedy="Create it where the module runs.")
    found = files.read(path, LARGEST)
    data = text.encode()
    same = found is not None and (found.data, found.mode) == (data, MODE)
    changes = () if same else (Change("update" if found else "create", "file", str(path)),)
    uid, gid = (found.uid, found.gid) if found else (os.getuid(), os.getgid())
    before = (found.data or b"").decode("utf-8", "replace") if found else ""
    return FileEdit(files.File(path, None, MODE, uid, gid), data, Plan(changes), before, text)
