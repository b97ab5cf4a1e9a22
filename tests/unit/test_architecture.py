"""The shape of the code: arrows between the floors only point down, and no room grows too large."""

from __future__ import annotations

import ast
import sys
import typing as t
from pathlib import Path

import pytest

from tools import metrics

UTILS = "ansible_collections.bw.selfhost.plugins.module_utils."
PLUGINS = metrics.ROOT / "plugins"

# Floor -> the floors it may import, and the libraries beyond Python's own.
FLOORS: dict[str, tuple[set[str], set[str]]] = {
    "_model": ({"_model"}, {"cryptography", "argon2"}),
    "_client": ({"_client", "_model"}, {"requests", "urllib3"}),
    "_directory": ({"_directory", "_model"}, {"ldap", "ldap3"}),
    "_host": ({"_host", "_model"}, set()),
    "_reconcile": ({"_reconcile", "_client", "_directory", "_host", "_model"}, set()),
}
FLOOR_FILES = [path for floor in FLOORS for path in sorted((PLUGINS / "module_utils" / floor).rglob("*.py"))]


def imports(path: Path) -> t.Iterator[str]:
    """The full names of everything a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(name: str) -> str:
    """`_model` for UTILS + `_model.plan.Plan`."""
    return name.removeprefix(UTILS).split(".")[0]


def is_library(name: str) -> bool:
    return not name.startswith("ansible_collections.") and name.split(".")[0] not in sys.stdlib_module_names


def host_side() -> set[Path]:
    """The module utils that modules of a managed host load: everything but what needs the network libraries."""
    seen: set[Path] = set()
    modules = (
        "override_env",
        "server_config",
        "stack",
        "stack_info",
        "egress",
        "egress_info",
        "egress_probe",
        "directory_connector",
    )
    waiting = [PLUGINS / f"modules/{name}.py" for name in modules]
    while waiting:
        path = waiting.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        names = [name.removeprefix(UTILS).replace(".", "/") for name in imports(path) if name.startswith(UTILS)]
        for name in names:
            waiting += [PLUGINS / f"module_utils/{name}.py", PLUGINS / f"module_utils/{name.rpartition('/')[0]}.py"]
    return seen


@pytest.mark.parametrize("path", FLOOR_FILES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_arrows_only_point_down(path: Path) -> None:
    floor = path.relative_to(PLUGINS / "module_utils").parts[0]
    floors, libraries = FLOORS[floor]
    names = list(imports(path))
    assert {floor_of(name) for name in names if name.startswith(UTILS)} <= floors
    assert {name.split(".")[0] for name in names if is_library(name)} <= libraries


def test_host_side_needs_only_the_standard_library() -> None:
    files = host_side()
    assert len(files) > 10, "the walk over the imports has found too little to prove anything"
    found = {path.name: name for path in files for name in imports(path) if is_library(name) and not name.startswith("ansible.")}
    assert not found


def test_lab_does_not_know_the_product() -> None:
    files = sorted((metrics.ROOT / "tests/lab").rglob("*.py"))
    assert files
    assert not [path for path in files for name in imports(path) if name.startswith("ansible")]


def test_no_file_is_too_long() -> None:
    assert not {path.name: size for path in metrics.sources() if (size := len(metrics.code_lines(path))) > 300}


def test_functions_are_short() -> None:
    lengths = [function.lines for path in metrics.sources() for function in metrics.functions(path)]
    assert metrics.percentile(lengths, 95) <= 30


def test_every_function_is_annotated() -> None:
    assert not [function for path in metrics.sources() for function in metrics.functions(path) if not function.annotated]
