# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys of bwdata/config.yml: from wanted values to a planned edit."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._model.config_yml import CAUTIONS, ConfigFile, Value, check
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.file_edit import FileEdit


def plan_config(bwdata: str, wanted: t.Mapping[str, t.Any]) -> FileEdit:
    """Plan the edit that gives config.yml the wanted values; None means a key's default.

    Raises:
        SelfhostError: a key or value is wrong, or the file cannot be understood; nothing has been written.
    """
    path = Path(bwdata) / "config.yml"
    file = files.read(path)
    if file is None or file.data is None:
        raise SelfhostError(
            "The file does not exist.", field=str(path), remedy="Set bwdata to the directory that bitwarden.sh install made."
        )
    values = _checked(wanted)
    document = ConfigFile.parse(file.data)
    changes = [change for key, value in values.items() for change in _change(document, key, value)]
    data = document.render()
    return FileEdit(
        file,
        data,
        Plan(tuple(changes)),
        file.data.decode("utf-8", "replace"),
        data.decode("utf-8", "replace"),
        [f"{change.name}: {CAUTIONS[change.name]}" for change in changes if change.name in CAUTIONS],
    )


def _checked(wanted: t.Mapping[str, t.Any]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    problems: list[SelfhostError] = []
    for key, value in wanted.items():
        try:
            values[str(key)] = check(str(key), value)
        except SelfhostError as problem:
            problems.append(problem)
    refuse_all(problems)
    return values


def _change(document: ConfigFile, key: str, value: Value) -> t.Iterator[Change]:
    before = document.get(key)
    if document.set(key, value):
        yield Change("update", "config.yml key", key, before={"value": before}, after={"value": document.get(key)})
