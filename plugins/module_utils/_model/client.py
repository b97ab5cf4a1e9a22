# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Client organizations of a provider: as they are, as they should be, and which of them is meant."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.provider import Pool

OWNER = 0  # a member's type
STATUSES = {-1: "revoked", 0: "invited", 1: "accepted", 2: "confirmed", 3: "staged"}


@dataclass(frozen=True)
class Client:
    """A client as the provider's list shows it.

    Attributes:
        id: the organization's.
        link_id: that of the link between provider and organization.
        name: not unique.
        key: the organization key, wrapped by the provider's, exactly as it was posted at the creation.
        plan: the name of the plan, such as C(Enterprise (Monthly)).
        seats: assigned to it.
        occupied: members that are not revoked.
        confirmed: confirmed members.
        created: ISO 8601.
    """

    id: str
    link_id: str
    name: str
    key: str
    plan: str
    seats: int
    occupied: int
    confirmed: int
    created: str


@dataclass(frozen=True)
class Member:
    """A member of a client. C(status) is a word of C(STATUSES); C(user_id) is None while invited."""

    id: str
    email: str
    owner: bool
    status: str
    user_id: str | None


@dataclass(frozen=True)
class Wish:
    """A client as the operator wants it: the suboptions of the module's C(clients), e-mail addresses and ids in lower case."""

    name: str
    organization_id: str | None
    plan: str | None
    cadence: str | None
    seats: int | None
    owner_email: str | None
    owner_fingerprint: str | None
    default_collection: str
    billing_email: str | None
    existing_organization_id: str | None
    confirm_existing: str | None
    extra_storage_gb: int | None
    max_autoscale_seats: int | None
    state: str
    confirm_destroy: str | None

    @property
    def id(self) -> str | None:
        """The organization's id, where the operator gives it."""
        return self.organization_id or self.existing_organization_id

    @property
    def present(self) -> bool:
        """Whether it is to be a client."""
        return self.state == "present"

    def field(self, name: str = "") -> str:
        """Name a suboption in errors."""
        return f"clients[{self.name}]{f'.{name}' if name else ''}"


@dataclass(frozen=True)
class Case:
    """A wish, and all that it meets.

    Attributes:
        wish: what is wanted.
        client: what it means among the provider's clients; None when there is none yet.
        existing: the organization that is to become a client, as the server offers it.
        pool: the provider's seats of its plan; None when the provider has no such plan.
        members: its members, where they matter.
        billing_email: its billing e-mail, where it matters.
        half_created: whether the server once broke off its creation, so that the provider does not manage it.
    """

    wish: Wish
    client: Client | None = None
    existing: t.Mapping[str, t.Any] | None = None
    pool: Pool | None = None
    members: tuple[Member, ...] = ()
    billing_email: str | None = None
    half_created: bool = False

    @property
    def owner(self) -> Member | None:
        """The member with the wanted owner's address."""
        return next((member for member in self.members if member.email == self.wish.owner_email), None)

    @property
    def action(self) -> str:
        """What is to be done with the client: C(create), C(adopt), C(keep), C(destroy) or C(nothing)."""
        if not self.wish.present:
            return "destroy" if self.client else "nothing"
        if self.client:
            return "keep"
        return "adopt" if self.wish.existing_organization_id else "create"

    @property
    def deltas(self) -> list[int]:
        """How the seats of the provider change, one step after the other."""
        seats = self.wish.seats
        if self.action == "create":
            return [seats or 0]
        if self.action == "destroy" and self.client:
            return [] if self.half_created else [-self.client.seats]
        has = self.client.seats if self.client else int(self.existing["seats"]) if self.existing else 0
        joins = [has] if self.action == "adopt" else []
        moves = seats is not None and seats != has and not self.half_created and self.action != "nothing"
        return [*joins, t.cast(int, seats) - has] if moves else joins


def client_of(row: t.Mapping[str, t.Any]) -> Client:
    """Read one entry of the provider's list."""
    return Client(
        id=row["organizationId"],
        link_id=row["id"],
        name=row["organizationName"],
        key=row["key"],
        plan=row["plan"],
        seats=row["seats"] or 0,  # None for organizations from before consolidated billing
        occupied=row["occupiedSeats"],
        confirmed=row["userCount"],
        created=row["creationDate"],
    )


def member_of(row: t.Mapping[str, t.Any]) -> Member:
    """Read one entry of an organization's members."""
    return Member(row["id"], row["email"].lower(), row["type"] == OWNER, STATUSES[row["status"]], row["userId"])


def wish_of(item: t.Mapping[str, t.Any]) -> Wish:
    """Read one entry of the module's C(clients)."""
    return Wish(**{name: value.lower() if name in _FOLDED and value else value for name, value in item.items()})


_FOLDED = {"organization_id", "owner_email", "billing_email", "existing_organization_id", "confirm_existing", "confirm_destroy"}


def meant(wish: Wish, clients: t.Iterable[Client]) -> list[Client]:
    """Return the clients that a wish could mean: by its id, else by its exact name."""
    if wish.id:
        return [client for client in clients if client.id == wish.id]
    return [client for client in clients if client.name == wish.name]


def in_order(cases: t.Iterable[Case]) -> list[Case]:
    """Return the cases in the order in which they are carried out: what frees seats comes first."""
    return sorted(cases, key=lambda case: sum(case.deltas) >= 0)


def by_pool(cases: t.Iterable[Case]) -> list[tuple[Pool, list[int]]]:
    """Return the provider's pools that change, and how, step by step."""
    steps: dict[Pool, list[int]] = {}
    for case in in_order(cases):
        if case.pool:
            steps.setdefault(case.pool, []).extend(case.deltas)
    return list(steps.items())


def counted(pool: Pool, clients: t.Iterable[Client]) -> Pool:
    """Return a pool with the seats that the server will reckon from: those of its clients, even if the bill still counts more."""
    has = sum(client.seats for client in clients if client.plan == pool.name)
    return dataclasses.replace(pool, assigned=min(pool.assigned, has))


def uncounted(pool: Pool, clients: t.Iterable[Client]) -> int:
    """Return how many seats the clients of a plan have that the provider's bill does not count: those of half-created ones."""
    return sum(client.seats for client in clients if client.plan == pool.name) - pool.assigned
