# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts of other programs lose the installation's secrets."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.redact import redact, secret_values

SETTINGS = [
    ("mail__password", "'canary one'"),
    ("connection_password", '"Data Source=db;Password=canary-two;Encrypt=True"'),
    ("url", "https://vault.example.com"),
    ("pin_password", "abc"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login with canary one failed", "login with ******** failed"),
        ("login with canary-two failed", "login with ******** failed"),
        ("Data Source=db;Password=canary-two;Encrypt=True", "********"),
        ("https://vault.example.com is down", "https://vault.example.com is down"),
        ("abc is too short to mask", "abc is too short to mask"),
        ('level=warning msg="The \\"ary\\" variable is not set."\nkept', "kept"),
        ("\x1b[0;31mred\x1b[0m", "red"),
    ],
)
def test_redact(text: str, expected: str) -> None:
    assert redact(text, secret_values(SETTINGS, lambda key: "password" in key)) == expected
