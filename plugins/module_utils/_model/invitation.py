# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The links in Bitwarden's mails: an invitation to an organization or a provider, a verification of an address.

Source: bitwarden/server src/Core/Models/Mail/ (OrganizationUserInvitedViewModel.cs, Provider/ProviderUserInvitedViewModel.cs).
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

# Page of the web vault -> what it invites to, the link's name for it, and the two members that let an invited person register.
_KINDS = {
    "accept-organization": ("organization", ("orgInviteToken", "organizationUserId")),
    "providers/accept-provider": ("provider", ("providerInviteToken", "providerUserId")),
}


@dataclass(frozen=True)
class Invitation:
    """An invitation as its mail tells it.

    Attributes:
        kind: C(organization) or C(provider).
        name: of that organization or provider.
        id: of it.
        seat: id of the invited person in it, before and after there is an account.
        email: who is invited.
        token: what proves it. Secret.
    """

    kind: str
    name: str
    id: str
    seat: str
    email: str
    token: str = field(repr=False)

    @property
    def registration(self) -> dict[str, str]:
        """What a registration says to be let in by this invitation."""
        members = next(members for kind, members in _KINDS.values() if kind == self.kind)
        return dict(zip(members, (self.token, self.seat)))


def parse_invitation(link: str) -> Invitation:
    """Read the link of an invitation mail, as it is in the mail's text or in its HTML."""
    page, query = _parts(link)
    if page not in _KINDS:
        raise _unreadable()
    kind, (_token, seat) = _KINDS[page]
    names = (f"{kind}Name", f"{kind}Id", seat, "email", "token")
    found = [query.get(name, "") for name in names]
    if not all(found[1:]):
        raise _unreadable()
    return Invitation(kind, *found)


def token_in(text: str) -> str:
    """Return the token of a verification mail, given as it is or with the whole link around it."""
    return _parts(text)[1].get("token", text.strip())


def _parts(link: str) -> tuple[str, dict[str, str]]:
    """Return the page and the query of a link; the web vault keeps both behind a number sign."""
    path, _mark, query = html.unescape(link.strip()).partition("#")[2].partition("?")
    return path.strip("/"), {name: values[0] for name, values in parse_qs(query).items()}


def _unreadable() -> SelfhostError:
    return SelfhostError(
        "This is not the link of an invitation.",
        field="invitation",
        remedy="Copy it whole from the mail; it has accept-organization? or accept-provider? in it.",
    )
