# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bitwarden Families sponsorships of a self-hosted organization: offered, revoked, and in which state they are."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._client import sponsorships
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.emails import is_email
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import sync_window
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import (
    Directory,
    Entry,
    not_there,
    portal_url,
    yet_to_come,
)
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import settle

Values = dict[str, t.Any]
KIND = "families sponsorship"
ENTERPRISE = 3
WAITING = ("awaiting_sync", "removal_requested")


@dataclass(frozen=True)
class Sponsorship:
    """One sponsorship as the server tells it. C(email) is unknown for the user's own one."""

    friendly_name: str
    email: str | None
    last_sync: datetime | None
    valid_until: datetime | None
    to_delete: bool
    admin_initiated: bool

    @property
    def state(self) -> str:
        """The state as Bitwarden's own clients derive it (apps/web free-bitwarden-families.component.ts)."""
        if self.to_delete:
            return "revoked_when_expired" if self.valid_until else "removal_requested"
        if self.valid_until:
            return "active"
        return "sent" if self.last_sync else "awaiting_sync"

    def as_dict(self) -> Values:
        """Return it as the modules do."""
        return {
            "friendly_name": self.friendly_name,
            "email": self.email,
            "state": self.state,
            "last_sync": show_date(self.last_sync),
            "valid_until": show_date(self.valid_until),
            "admin_initiated": self.admin_initiated,
        }


@dataclass(frozen=True)
class Wish:
    """One sponsorship as the operator wants it."""

    friendly_name: str
    email: str | None
    offered: bool


def of_list(item: t.Mapping[str, t.Any]) -> Sponsorship:
    """Read one entry of the organization's list."""
    return Sponsorship(
        friendly_name=item["friendlyName"] or "",
        email=item["offeredToEmail"],
        last_sync=_date(item["lastSyncDate"]),
        valid_until=_date(item["validUntil"]),
        to_delete=item["toDelete"],
        admin_initiated=item["isAdminInitiated"],
    )


def of_member(entry: t.Mapping[str, t.Any]) -> list[Sponsorship]:
    """Read the user's own sponsorship from his membership (an entry of C(GET organizations)); none or one."""
    if entry.get("familySponsorshipFriendlyName") is None or entry.get("isAdminInitiated"):
        return []
    return [
        Sponsorship(
            friendly_name=entry["familySponsorshipFriendlyName"],
            email=None,
            last_sync=_date(entry.get("familySponsorshipLastSyncDate")),
            valid_until=_date(entry.get("familySponsorshipValidUntil")),
            to_delete=bool(entry.get("familySponsorshipToDelete")),
            admin_initiated=False,
        )
    ]


def plan(current: t.Sequence[Sponsorship], wishes: t.Sequence[Wish]) -> Plan:
    """Return what leads from the sponsorships as they are to those that were asked for."""
    known = {sponsorship.friendly_name: sponsorship for sponsorship in current}
    changes = []
    for wish in wishes:
        found = known.get(wish.friendly_name)
        if wish.offered and found is None:
            changes.append(Change("create", KIND, wish.friendly_name, after={"email": wish.email, "state": "awaiting_sync"}))
        if not wish.offered and found is not None and not found.to_delete:
            changes.append(Change("delete", KIND, wish.friendly_name, before={"email": found.email, "state": found.state}))
    return Plan(tuple(changes))


def refusals(current: t.Sequence[Sponsorship], wishes: t.Sequence[Wish], own: bool) -> list[SelfhostError]:
    """Return what is wrong with the wishes, before anything is sent."""
    known = {sponsorship.friendly_name: sponsorship for sponsorship in current}
    names = [wish.friendly_name for wish in wishes]
    problems = [_problem(wish, known.get(wish.friendly_name)) for wish in wishes]
    problems += [
        SelfhostError(f"{name!r} is named twice.", field="sponsorships", remedy="Name each sponsorship once.")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    others = [name for name in known if name not in names]
    if own and any(wish.offered for wish in wishes) and (others or sum(wish.offered for wish in wishes) > 1):
        problems.append(
            SelfhostError(
                "A member can sponsor only one Families organization.",
                field="sponsorships",
                remedy=f"Revoke {others[0]!r} first." if others else "Offer one, or let the organization offer them.",
            )
        )
    return [problem for problem in problems if problem]


def _problem(wish: Wish, found: Sponsorship | None) -> SelfhostError | None:
    if not wish.offered:
        return None
    field = f"sponsorships[{wish.friendly_name}]"
    if found is None and not is_email(wish.email):
        return SelfhostError("An offer needs an e-mail address.", field=field, remedy="Set its email.")
    if found is not None and found.email is not None and wish.email is not None and found.email.lower() != wish.email.lower():
        return SelfhostError(
            f"This name is already used for an offer to {found.email}, and the server would silently ignore a second one.",
            field=field,
            remedy="Choose another friendly_name, or revoke that offer first.",
        )
    return None


def warnings(current: t.Sequence[Sponsorship], wishes: t.Sequence[Wish], created: int) -> list[str]:
    """Return what the operator should know although it is no reason to stop."""
    leaving = {sponsorship.friendly_name: sponsorship.state for sponsorship in current if sponsorship.to_delete}
    said = [
        f"The sponsorship {wish.friendly_name!r} is still being revoked ({leaving[wish.friendly_name]}); "
        "the server offers it again only after that is through."
        for wish in wishes
        if wish.offered and wish.friendly_name in leaving
    ]
    if created and len([one for one in current if one.admin_initiated]) + created > 1:
        # Derived from bitwarden/server CloudSyncSponsorshipsCommand.cs: both sides index a batch by the sponsoring member.
        said.append(
            "More than one sponsorship will have the same administrator as its sponsor. Servers may fail their daily sponsorship "
            "sync then ('An item with the same key has already been added'); if so, let another administrator offer it."
        )
    return said


def ensure(params: t.Mapping[str, t.Any], check_mode: bool) -> tuple[Plan, Values, list[str]]:
    """Offer and revoke what is not yet as it should be, and tell the state of what was named."""
    server = connect(params)
    wishes = [_wish(item) for item in params["sponsorships"]]
    table = Table(server, params)
    # In check mode the organization may be one that an earlier task is about to create.
    planned = check_mode and not table.exists
    current = [] if planned else table.read()
    refuse_all(refusals(current, wishes, own=not params["admin_initiated"]))
    todo = plan(current, wishes)
    created = [change.name for change in todo.changes if change.action == "create"]
    said = warnings(current, wishes, len(created) if params["admin_initiated"] else 0)
    if planned:
        said.append(yet_to_come(params))
    elif created:
        table.refuse_offers()
    if not check_mode and todo.changed:
        _apply(table, todo, {wish.friendly_name: wish for wish in wishes})
        current = table.read()
        _verify(plan(current, wishes))
    return todo, _values(current, wishes), said


def listed(params: t.Mapping[str, t.Any]) -> Values:
    """Return all sponsorships that can be seen, and when they are synced next."""
    server = connect(params)
    own = Table(server, {**params, "admin_initiated": False})
    found = own.read()
    organization_id = str(own.organization["id"])
    everyone = Table(server, {"organization_id": organization_id, "organization_name": None, "admin_initiated": True})
    found = everyone.read() + found
    last_sync = max((one.last_sync for one in found if one.last_sync), default=None)
    window = sync_window.next_sponsorship_sync(datetime.now(timezone.utc), _date(params["api_started"]), last_sync)
    return {
        "sponsorships": [one.as_dict() for one in found],
        "pending": _pending(found),
        "last_sync": show_date(last_sync),
        "next_sync": window,
        "portal_url": portal_url(server, organization_id),
    }


class Table:
    """The sponsorships of one organization: the organization's (C(admin_initiated)), or the user's own one."""

    def __init__(self, server: Server, params: t.Mapping[str, t.Any]) -> None:
        self.server = server
        self.own = not params["admin_initiated"]
        self._params = params
        self._directory = Directory(server)
        if not self.own and not server.supports("admin sponsorships"):
            raise SelfhostError(
                f"The server {server.version} cannot list or revoke sponsorships of the organization.",
                field="admin_initiated",
                remedy="Update the server to 2025.5.2 or later.",
            )

    @property
    def exists(self) -> bool:
        """Whether the server has the organization; one that is named by its id is taken for granted."""
        return bool(self._params["organization_id"]) or self._find() is not None

    @property
    def organization(self) -> Entry:
        """The user's membership in it."""
        found = self._find()
        if found is None:
            raise not_there(self._params)
        return found

    @property
    def id(self) -> str:
        """The organization's id."""
        return str(self._params["organization_id"] or self.organization["id"])

    def _find(self) -> Entry | None:
        return self._directory.find(self._params)

    def read(self) -> list[Sponsorship]:
        """Return the sponsorships as they are."""
        if not self.own:
            return [of_list(item) for item in sponsorships.listed(self.server, self.id)]
        self._directory = Directory(self.server)
        return of_member(self.organization)

    def refuse_offers(self) -> None:
        """Raise when the organization cannot offer sponsorships at all."""
        entry = self.organization
        if entry["productTierType"] != ENTERPRISE:
            raise SelfhostError(
                f"{entry['name']} is not an Enterprise organization.",
                field="organization_id",
                remedy="Families sponsorships come with the Enterprise plan only.",
            )
        if not self.own and not entry.get("useAdminSponsoredFamilies"):
            raise SelfhostError(
                f"The license of {entry['name']} does not allow sponsorships of the organization.",
                field="admin_initiated",
                remedy="Let members offer their own, or ask Bitwarden for the right and apply the license again.",
            )

    def offer(self, wish: Wish) -> None:
        """Make one offer."""
        sponsorships.offer(
            self.server,
            self.id,
            str(wish.email),
            friendly_name=wish.friendly_name,
            admin_initiated=not self.own,
        )

    def revoke(self, friendly_name: str) -> None:
        """Take one offer back."""
        if self.own:
            sponsorships.revoke_own(self.server, self.id)
        else:
            sponsorships.revoke(self.server, self.id, friendly_name)


def _apply(table: Table, todo: Plan, wishes: t.Mapping[str, Wish]) -> None:
    for change in todo.changes:
        _carry_out(table, wishes[change.name])


def _carry_out(table: Table, wish: Wish) -> None:
    settle(
        lambda: table.offer(wish) if wish.offered else table.revoke(wish.friendly_name),
        lambda: not plan(table.read(), [wish]).changed,
    )


def _verify(left: Plan) -> None:
    if left.changed:
        names = ", ".join(repr(change.name) for change in left.changes)
        raise SelfhostError(
            f"The server accepted the request but did not change {names}.", field="sponsorships", remedy="Look at the api log."
        )


def _values(current: t.Sequence[Sponsorship], wishes: t.Sequence[Wish]) -> Values:
    known = {one.friendly_name: one for one in current}
    named = [
        known[wish.friendly_name].as_dict()
        if wish.friendly_name in known
        else {"friendly_name": wish.friendly_name, "email": wish.email, "state": "absent", "last_sync": None, "valid_until": None}
        for wish in wishes
    ]
    return {"sponsorships": named, "pending": sum(one["state"] in WAITING for one in named)}


def _wish(item: t.Mapping[str, t.Any]) -> Wish:
    return Wish(
        friendly_name=item["friendly_name"] or item["email"],
        email=item["email"],
        offered=item["state"] == "offered",
    )


def _pending(found: t.Iterable[Sponsorship]) -> int:
    return sum(one.state in WAITING for one in found)


def _date(text: str | None) -> datetime | None:
    return parse_date(text) if text else None
