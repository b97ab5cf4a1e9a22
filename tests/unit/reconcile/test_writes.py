# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A write whose answer is lost is looked for before it is repeated."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import Answer, ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle


def lost() -> Failure:
    return Failure("The connection was lost.", "POST https://vault.example.com/api/x", None, field=None, maybe_done=True)


def answered(status: int) -> ApiError:
    return ApiError("Answered.", Answer(status, "POST https://vault.example.com/api/x", {}, b""), None)


class World:
    """Something that can be written once, and a way to it that fails as it is told."""

    def __init__(self, *failures: tuple[Failure, bool]) -> None:
        self.failures = list(failures)
        self.writes = 0
        self.tries = 0

    def write(self) -> None:
        self.tries += 1
        if not self.failures:
            self.writes += 1
            return
        failure, committed = self.failures.pop(0)
        self.writes += committed
        raise failure

    def done(self) -> bool:
        return self.writes > 0


@pytest.mark.parametrize(
    ("failures", "tries"),
    [
        pytest.param([], 1, id="no fault"),
        pytest.param([(lost(), True)], 1, id="lost after it was done"),
        pytest.param([(lost(), False)], 2, id="lost before it was done"),
        pytest.param([(answered(500), True)], 1, id="500 after it was done"),
        pytest.param([(answered(500), False)], 2, id="500 before it was done"),
        pytest.param([(answered(200), True)], 1, id="torn success"),
        pytest.param([(lost(), False), (lost(), True)], 2, id="lost twice, done the second time"),
    ],
)
def test_done_once(failures: list[tuple[Failure, bool]], tries: int) -> None:
    world = World(*failures)
    settle(world.write, world.done)
    assert (world.writes, world.tries) == (1, tries)


def test_gives_up_after_the_second_try() -> None:
    world = World((lost(), False), (lost(), False))
    with pytest.raises(SelfhostError, match="Run it again") as caught:
        settle(world.write, world.done)
    assert (world.writes, world.tries) == (0, 2)
    assert caught.value.remedy


def test_a_refusal_is_not_repeated() -> None:
    world = World((answered(400), False))
    with pytest.raises(ApiError):
        settle(world.write, world.done)
    assert world.tries == 1
