"""Masking the results of modules that run in the controller's own process; whole runs are tested beside each module."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.plugin_utils._in_process import _masked

MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize(
    "secret", ["plain", 'a "quote"', "back\\slash", "line\nbreak", "ümlaut", "\U0001f511 key", "</tag>", "1234"]
)
def test_a_secret_is_masked_whatever_it_is_made_of(secret: str) -> None:
    result = {"msg": f"before {secret} after", "changes": [{"name": secret}], "kept": "text"}
    masked = _masked(result, {"another", secret})
    assert (masked["changes"], masked["kept"]) == ([{"name": MASK}], "text")
    assert secret not in masked["msg"]


def test_what_holds_no_secret_stays_as_it_is() -> None:
    result = {"changes": [{"name": "text", "after": {"count": 1}}]}
    assert _masked(result, {"another"}) == result
