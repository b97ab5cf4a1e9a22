"""Masking the results of modules; whole runs are tested beside each module."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._module import masked

MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize(
    "secret", ["plain", 'a "quote"', "back\\slash", "line\nbreak", "ümlaut", "\U0001f511 key", "</tag>", "1234"]
)
def test_a_secret_is_masked_whatever_it_is_made_of(secret: str) -> None:
    result = masked({"msg": f"before {secret} after", "changes": [{"name": secret}], "kept": "text"}, {"another", secret})
    assert (result["changes"], result["kept"]) == ([{"name": MASK}], "text")
    assert secret not in result["msg"]


def test_what_holds_no_secret_stays_as_it_is() -> None:
    result = {"changes": [{"name": "text", "after": {"count": 1}}]}
    assert masked(result, {"another"}) == result
