# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts under a 64-byte key: names of collections, and everything that is written into items."""

from __future__ import annotations

from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.encstring import decrypt, encrypt
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError


def seal_text(text: str, key: bytes) -> str:
    """Encrypt a text (type 2), and open it again before it is handed out: a server stores whatever it is given."""
    sealed = encrypt(text.encode(), key)
    if open_text(sealed, key) != text:
        raise SelfhostError("A text that was just encrypted cannot be read again; nothing was sent.", remedy="Run it once more.")
    return sealed


def open_text(sealed: str, key: bytes) -> str:
    """Decrypt a text."""
    try:
        return decrypt(sealed, key).decode()
    except UnicodeDecodeError:
        raise SelfhostError("The encrypted string does not hold a text.") from None


def longest_text(limit: int) -> int:
    """Return how many bytes of UTF-8 fit into an encrypted string of so many characters.

    Two characters for C(2.), 24 for the IV, 44 for the MAC and two bars; the rest is base64 of whole 16-byte blocks with padding.
    """
    return (limit - 72) // 4 * 3 // 16 * 16 - 1
