# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fingerprint phrases: five words by which two people compare a public key.

Source: bitwarden/sdk-internal crates/bitwarden-crypto/src/fingerprint.rs (b57d1bbbb).
"""

from __future__ import annotations

import base64

from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.kdf import expand
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

LENGTH = 5  # words


def phrase(user_id: str, public_key: str) -> str:
    """Return the phrase of a user's public key (base64), such as C(turban-deftly-anime-chatroom-unselfish).

    It is what the person's own apps show under Settings, My account, Fingerprint phrase.
    """
    from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.words_data import WORDS

    try:
        key = base64.b64decode(public_key, validate=True)
    except ValueError:
        raise SelfhostError("The public key is not base64.") from None
    number = int.from_bytes(expand(key, user_id.encode(), 32), "big")
    words = []
    for _unused in range(LENGTH):
        number, index = divmod(number, len(WORDS))
        words.append(WORDS[index])
    return "-".join(words)


def same(one: str, other: str) -> bool:
    """Say whether two phrases are the same; people write them with spaces or capitals, too."""
    return one.lower().replace("-", " ").split() == other.lower().replace("-", " ").split()
