"""The world's own eyes: what really passes, from the hosts and from inside their containers."""

from __future__ import annotations

import os
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.hosts import Booted, World, remote

NAMES = [one["name"] for one in yaml.safe_load((Path(__file__).parents[1] / "molecule.yml").read_text())["platforms"]]
OnAll = t.Callable[[t.Callable[[str, Booted], t.Any]], None]


@pytest.fixture(scope="session")
def world() -> World:
    """The world that create has started, for method calls."""
    return remote.attach(Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "control")


@pytest.fixture(scope="session")
def on_all(world: World) -> OnAll:
    """Do something with all hosts at the same time, and tell of each what went wrong."""

    def run(work: t.Callable[[str, Booted], t.Any]) -> None:
        with ThreadPoolExecutor(len(NAMES)) as pool:
            running = {name: pool.submit(work, name, t.cast("Booted", world.host(name))) for name in NAMES}
            wrong = {name: str(problem) for name, future in running.items() if (problem := future.exception())}
        assert not wrong, "\n".join(f"{name}: {problem}" for name, problem in wrong.items())

    return run
