# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Creating a client so that it exists once, whatever happens on the way, and knowing when the server broke off half way.

The server creates in steps and undoes none: organization, link to the provider, owner's invitation, seats, and last the mark that
the provider manages it. There is no id in the answer and no way to ask twice for the same; but the wrapped key that is posted is
in the provider's list afterwards, and no two are alike.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client import providers
from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import Case, Client, uncounted
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto import keys
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.keys import NewOrganization
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.provider import Pool
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.client_scene import Scene, listed
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import RERUN

WAIT = 2.0  # seconds that a server may still be busy with a request whose answer is lost


def create(portal: Portal, case: Case) -> tuple[Client, bool]:
    """Create a client; return it, and whether the server finished its work.

    The material of the first attempt is that of the second, too: should the first one come through late, it is recognised.
    """
    new = keys.new_client_organization(portal.key, case.wish.default_collection)
    for last_try in (False, True):
        lost: Failure | None = None
        try:
            _post(portal, case, new)
        except Failure as error:
            lost = error
        client = _posted(portal, new, patient=lost is not None and lost.maybe_done)
        if client:
            return client, lost is None or managed(portal, client)
        if lost is None or not lost.maybe_done or last_try:
            break
    raise lost if lost and not lost.maybe_done else _vanished(case, lost)


def _vanished(case: Case, lost: Failure | None) -> SelfhostError:
    cause = lost.cause if lost else "The server accepted the request, but the client is not in the provider's list."
    return SelfhostError(cause, field=case.wish.field(), remedy=RERUN)


def _post(portal: Portal, case: Case, new: NewOrganization) -> None:
    wish = case.wish
    providers.create_client(
        portal.server,
        portal.id,
        name=wish.name,
        owner_email=str(wish.owner_email),
        plan_type=t.cast(Pool, case.pool).plan_type,
        seats=t.cast(int, wish.seats),
        new=new,
    )


def _posted(portal: Portal, new: NewOrganization, *, patient: bool) -> Client | None:
    """Find what was posted, even after an error: the server may have refused only the last of its steps."""
    for wait in (0.0, WAIT) if patient else (0.0,):
        time.sleep(wait)
        found = next((client for client in listed(portal) if client.key == new.key), None)
        if found:
            return found
    return None


def managed(portal: Portal, client: Client) -> bool:
    """Try whether the provider manages a client, by giving it the name and the seats that it has."""
    for wait in (0.0, WAIT):
        time.sleep(wait)
        try:
            providers.update_client(portal.server, portal.id, client.link_id, name=client.name, seats=client.seats)
        except ApiError as error:
            if error.status != 500:
                raise
        else:
            return True
    return False


def half_created(scene: Scene, suspects: t.Iterable[Client]) -> set[str]:
    """Return the ids of those clients whose creation was broken off.

    Only where the bill counts fewer seats than the clients of a plan have is there anybody to try, the youngest first.
    """
    found, young = set(), sorted(suspects, key=lambda client: client.created, reverse=True)
    for pool in scene.pools:
        missing = uncounted(pool, scene.clients)
        for client in young:
            if client.plan == pool.name and client.seats <= missing and not managed(scene.portal, client):
                found.add(client.id)
                missing -= client.seats
    return found
