"""The known answers in tests/data/crypto-vectors.json."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

VECTORS: dict[str, t.Any] = json.loads((Path(__file__).parents[2] / "data/crypto-vectors.json").read_text(encoding="utf-8"))
FIXTURE: dict[str, t.Any] = VECTORS["account_fixture"]


def cases(name: str) -> list[t.Any]:
    """The cases of one section, as pytest parameters named by their ids."""
    import pytest

    return [pytest.param(case, id=case["id"]) for case in VECTORS[name]]


def at(path: str) -> str:
    """A value by its dotted path."""
    value: t.Any = VECTORS
    for name in path.split("."):
        value = value[name]
    return str(value)
