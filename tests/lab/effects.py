"""Temporary: forwards to tests.lab.events once that exists."""

from __future__ import annotations

import typing as t

from tests.lab.core import World
from tests.lab.web import Caller


def record_event(world: World, kind: int, organization_id: str | None, who: Caller | None = None, **ids: t.Any) -> None:
    """Nothing yet."""
