# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The owner of a provider's client: invited by its provider, and confirmed by it."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client import members, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import OWNER, Case, Member, member_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.confirmation import Candidate
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import Workplace
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle


def workplace(portal: Portal, case: Case) -> Workplace:
    """Return the client as a place to work in; one that is yet to be added is still only a membership of ours."""
    if case.client:
        entry = {"id": case.client.id, "name": case.client.name, "key": case.client.key}
        return Workplace(portal.server, portal.profile, entry, portal, portal.master_password)
    entry = next(one for one in portal.profile.organizations if one["id"] == case.wish.id)
    return Workplace(portal.server, portal.profile, entry, None, portal.master_password)


def candidate(portal: Portal, case: Case) -> Candidate | None:
    """Return the owner who has accepted and waits to be confirmed, with the key that the server names; None when nobody does."""
    owner = case.owner
    if not case.wish.present or owner is None or not owner.owner or owner.status != "accepted":
        return None
    rows = members.public_keys(portal.server, workplace(portal, case).id, [owner.id])
    row = next((row for row in rows if row["key"]), None)
    return Candidate(owner.id, owner.email, row["userId"], row["key"], case.wish.owner_fingerprint) if row else None


def invite(portal: Portal, organization_id: str, email: str) -> None:
    """Invite an owner. Asked again after a lost answer, the server passes over who is invited: nobody gets a second mail."""
    settle(
        lambda: members.invite(portal.server, organization_id, [email], OWNER),
        lambda: any(member.email == email for member in _members(portal, organization_id)),
    )


def confirm(portal: Portal, organization_id: str, who: Candidate, sealed: str) -> None:
    """Confirm an owner with the organization's key, sealed for him."""
    settle(
        lambda: _refuse_errors(who, members.confirm(portal.server, organization_id, {who.id: sealed})),
        lambda: any(one.id == who.id and one.status == "confirmed" for one in _members(portal, organization_id)),
    )


def _members(portal: Portal, organization_id: str) -> list[Member]:
    return [member_of(row) for row in organizations.members(portal.server, organization_id)]


def _refuse_errors(who: Candidate, answers: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    said = next((str(one["error"]) for one in answers if one["error"]), "")
    if said:
        raise SelfhostError(f"The server refused to confirm {who.email}: {said}", field="clients", remedy="Tell this person.")
