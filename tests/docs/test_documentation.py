"""What ansible-doc shows of every module. That options agree with the code is checked by ansible-test (validate-modules)."""

from __future__ import annotations

import re
import tarfile
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.docs.conftest import MODULES, ROOT, Document, ansible

every_module = pytest.mark.parametrize("name", MODULES)


def undescribed(fields: dict[str, t.Any], path: str = "") -> t.Iterator[str]:
    """The return values without a description, at any depth."""
    for name, field in fields.items():
        if not field.get("description") or not field.get("type"):
            yield f"{path}{name}"
        yield from undescribed(field.get("contains") or {}, f"{path}{name}.")


def test_artifact_holds_what_operators_need(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
    assert {"README.md", "LICENSE", "CHANGELOG.md", "meta/runtime.yml", "MANIFEST.json"} <= set(names)
    assert not [name for name in names if re.match(r"(\.|collections|requirements|tests/e2e/node_modules)", name)]


@every_module
def test_renders_as_text(name: str, installed: Path, tmp_path: Path) -> None:
    assert "OPTIONS" in ansible("ansible-doc", "-t", "module", f"bw.selfhost.{name}", folder=tmp_path, collections=installed)


@every_module
def test_supports_check_and_diff(name: str, documents: dict[str, Document]) -> None:
    attributes = documents[name]["doc"]["attributes"]
    assert attributes["check_mode"]["support"] == "full"
    for attribute in ("diff_mode", "idempotent"):
        assert attributes[attribute]["support"] == "full" or attributes[attribute].get("details"), f"{attribute}: say why not"


@every_module
def test_return_values_are_described(name: str, documents: dict[str, Document]) -> None:
    assert documents[name]["return"]
    assert not list(undescribed(documents[name]["return"]))


@every_module
def test_examples_are_named_tasks_with_full_names(name: str, documents: dict[str, Document]) -> None:
    tasks = yaml.safe_load(documents[name]["examples"])
    assert tasks
    assert not [task for task in tasks if "name" not in task]
    actions = [key for task in tasks for key in task if "." in key]
    assert len(actions) == len(tasks), "an action without its full name"
    assert f"bw.selfhost.{name}" in actions


def test_action_group_is_what_uses_the_api_fragment(documents: dict[str, Document]) -> None:
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["api"]
    assert sorted(group) == [name for name in MODULES if "action_group" in documents[name]["doc"]["attributes"]]
    fragment = re.compile(r"^\s*- bw\.selfhost\.api$", re.MULTILINE)
    assert sorted(group) == [name for name in MODULES if fragment.search((ROOT / f"plugins/modules/{name}.py").read_text())]
