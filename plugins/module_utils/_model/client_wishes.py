# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with wishes for client organizations in themselves, before anybody is asked."""

from __future__ import annotations

import html
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.client import Wish
from ansible_collections.bw.selfhost.plugins.module_utils._model.emails import is_email
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

LONGEST_NAME = 50  # characters, the width of the server's column

Problems = t.Iterator[SelfhostError]


def refusals(wishes: t.Sequence[Wish]) -> list[SelfhostError]:
    """Return what can be said from the options alone."""
    return [*_twice(wishes), *(problem for wish in wishes for problem in _of_one(wish))]


def _twice(wishes: t.Sequence[Wish]) -> Problems:
    for part in ("name", "id"):
        first: dict[str, Wish] = {}
        for wish in wishes:
            value = getattr(wish, part)
            if value and first.setdefault(value, wish) is not wish:
                yield SelfhostError(f"{value!r} is named twice.", field=wish.field(), remedy="Name each client once.")


def _of_one(wish: Wish) -> Problems:
    yield from _name(wish)
    yield from _ids(wish)
    yield from _no_longer_there(wish)
    for name in ("owner_email", "billing_email"):
        email = getattr(wish, name)
        if email and not is_email(email):
            yield SelfhostError(f"{email!r} is not an e-mail address.", field=wish.field(name), remedy="Write it as name@domain.")
    if wish.present and wish.seats is not None and wish.seats < 1:
        yield SelfhostError("A client needs at least one seat.", field=wish.field("seats"), remedy="Give a positive number.")


def _name(wish: Wish) -> Problems:
    if not wish.name.strip() or len(wish.name) > LONGEST_NAME:
        yield SelfhostError(
            f"The name has {len(wish.name)} characters; servers keep {LONGEST_NAME}.",
            field=wish.field("name"),
            remedy=f"Choose a name of 1 to {LONGEST_NAME} characters.",
        )
    if html.unescape(wish.name) != wish.name:
        yield SelfhostError(
            f"The server would show this name as {html.unescape(wish.name)!r}.",
            field=wish.field("name"),
            remedy="Write the characters themselves, not their HTML entities.",
        )


def _ids(wish: Wish) -> Problems:
    if wish.organization_id and wish.existing_organization_id and wish.organization_id != wish.existing_organization_id:
        yield SelfhostError(
            "organization_id and existing_organization_id are two different organizations.",
            field=wish.field("existing_organization_id"),
            remedy="Leave one of them out; an organization keeps its id when it becomes a client.",
        )
    if wish.present and wish.existing_organization_id != wish.confirm_existing:
        yield SelfhostError(
            "Adding an existing organization cannot be undone: its own subscription ends, storage and autoscale limit are reset.",
            field=wish.field("confirm_existing"),
            remedy="If that is meant, give the id both as existing_organization_id and as confirm_existing; else give neither.",
        )
    if not wish.present and not wish.confirm_destroy:
        yield SelfhostError(
            f"The state {wish.state} cannot be undone.",
            field=wish.field("confirm_destroy"),
            remedy="If that is meant, give the organization's id as confirm_destroy.",
        )


def _no_longer_there(wish: Wish) -> Problems:
    """The portal's form asked for more before consolidated billing came; ask no server for what it would ignore."""
    if wish.extra_storage_gb:
        yield SelfhostError(
            "Additional storage cannot be bought for a client any more: a client has the storage of its plan (1 GB).",
            field=wish.field("extra_storage_gb"),
            remedy="Leave it out; ask Bitwarden if a client needs more.",
        )
    if wish.max_autoscale_seats not in (None, wish.seats):
        yield SelfhostError(
            "A client's seats do not grow by themselves any more: its seats are a hard limit.",
            field=wish.field("max_autoscale_seats"),
            remedy="Leave it out, and give the number of seats that the client is to have as seats.",
        )
