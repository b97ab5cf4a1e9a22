# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take the installation's own secrets out of texts that other programs wrote."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import MASK

# Compose names the part after a dollar sign in this warning, and that may be a part of a password.
_LEAKY = re.compile(r"variable is not set|Invalid template", re.IGNORECASE)
_PASSWORD = re.compile(r"(?:password|pwd)\s*=\s*([^;]+)", re.IGNORECASE)
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SHORTEST = 4


def secret_values(settings: t.Iterable[tuple[str, str]], is_secret: t.Callable[[str], bool]) -> set[str]:
    """Return what must not be shown: the values of secret settings and the passwords inside them."""
    values: set[str] = set()
    for key, value in settings:
        if is_secret(key):
            bare = value.strip().strip("\"'")
            values.update({value, bare, *_PASSWORD.findall(bare)})
    return {value for value in values if len(value) >= _SHORTEST}


def redact(text: str, secrets: t.Iterable[str]) -> str:
    """Mask every secret, drop colours and lines that quote parts of values."""
    kept = "\n".join(line for line in _TERMINAL.sub("", text).splitlines() if not _LEAKY.search(line))
    for secret in sorted(secrets, key=len, reverse=True):
        kept = kept.replace(secret, MASK)
    return kept
