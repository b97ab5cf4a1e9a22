"""The stack of each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """An EU installation, up and healthy."""
    return Stack.install(tmp_path / "bw", region="EU")
