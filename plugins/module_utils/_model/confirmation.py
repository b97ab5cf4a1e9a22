# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a person who has accepted an invitation may be given a key.

A server could name any public key as the person's; the fingerprint phrase, compared outside of it, is the only proof there is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import fingerprint
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError


@dataclass(frozen=True)
class Candidate:
    """Somebody who waits to be confirmed.

    Attributes:
        id: of the row that is confirmed: a member's or a provider user's.
        email: lower case.
        user_id: the person's account.
        public_key: base64 SubjectPublicKeyInfo.
        expected: the fingerprint phrase that the operator was told by the person, if any.
    """

    id: str
    email: str
    user_id: str
    public_key: str
    expected: str | None = None

    @property
    def phrase(self) -> str:
        """The fingerprint phrase of the key that the server names."""
        return fingerprint.phrase(self.user_id, self.public_key)


def refusal(candidate: Candidate, field: str) -> SelfhostError | None:
    """Return why this person must not be confirmed: the operator expects another key than the server names."""
    if candidate.expected is None or fingerprint.same(candidate.expected, candidate.phrase):
        return None
    return SelfhostError(
        f"The fingerprint phrase of {candidate.email} is {candidate.phrase}, not the expected one.",
        field=field,
        remedy="Ask the person again, not by mail. If both still differ, somebody may be in between: do not confirm.",
    )


def waits_for(candidate: Candidate, confirm: bool, domains: t.Sequence[str]) -> str:
    """Return why a person is not confirmed now; an empty text means that nothing stands in the way.

    Args:
        candidate: who.
        confirm: whether people are to be confirmed at all.
        domains: the mail domains whose people are confirmed without an expected phrase; none means every domain.
    """
    if not confirm:
        return "confirmation is switched off"
    domain = candidate.email.rpartition("@")[2]
    if candidate.expected is None and domains and domain not in {one.lower().removeprefix("@") for one in domains}:
        return f"{domain} is not among confirm_domains, and no fingerprint is expected"
    return ""
