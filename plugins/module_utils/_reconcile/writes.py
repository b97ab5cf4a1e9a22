# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A write whose answer got lost: look whether it happened before doing it again."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change

LOST_ANSWERS = 3  # how many a run puts up with
RERUN = "Run it again: what was already done is found and not repeated."


def settle(write: t.Callable[[], object], is_done: t.Callable[[], bool]) -> None:
    """Do a write. When its answer is lost, read the state; if the write did not happen, do it once more.

    A refusal of the server is raised as it is. After this, the caller reads the state and so verifies the write.
    """
    for last_try in (False, True):
        try:
            write()
            return
        except Failure as error:
            if not may_have_happened(error):
                raise
            lost = error
        if is_done():
            return
        if last_try:
            raise SelfhostError(lost.cause, field=lost.field, remedy=RERUN)


def may_have_happened(error: Failure) -> bool:
    """Say whether only a look at the state tells what became of a write."""
    # A success whose body is torn or replaced by a proxy's page is a success all the same.
    return error.maybe_done or (isinstance(error, ApiError) and 200 <= error.status < 300)


def refuse_standstill(stuck: t.Sequence[Change], field: str) -> None:
    """Raise when a change was made, and yet is still to be made."""
    if stuck:
        names = ", ".join(f"{change.kind} {change.name}" for change in stuck[:10])
        raise SelfhostError(
            f"The server accepted the requests but did not change: {names}.", field=field, remedy="Look at the api log."
        )
