# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A provider in the Bitwarden cloud: its users, its clients and its bill.

Source: bitwarden/server src/Api/AdminConsole/Controllers/Provider{Users,Clients,Organizations}Controller.cs and
src/Api/Billing/Controllers/ProviderBillingController.cs (ac309aa19e).
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.keys import NewOrganization

Members = dict[str, t.Any]
MOST_INVITATIONS = 20  # addresses in one request


# --- users (admins only) -------------------------------------------------------------------------------------------------


def users(server: Server, provider_id: str) -> list[Members]:
    """Return every user: C(id), C(userId) and C(name) (None while invited), C(email), C(type), C(status)."""
    return _data(server.get(f"/providers/{provider_id}/users"))


def invite(server: Server, provider_id: str, emails: t.Sequence[str], type: int) -> None:
    """Invite up to 20 people in one role, each by mail; who is already known is passed over."""
    server.post(f"/providers/{provider_id}/users/invite", json={"emails": list(emails), "type": type})


def public_keys(server: Server, provider_id: str, ids: t.Sequence[str]) -> list[Members]:
    """Return C(id), C(userId) and C(key) of those users that have accepted and are not confirmed yet."""
    return _data(server.post(f"/providers/{provider_id}/users/public-keys", json={"ids": list(ids)}))


def confirm(server: Server, provider_id: str, sealed: t.Mapping[str, str]) -> list[Members]:
    """Confirm users with the provider key sealed for each (by id); returns C(id) and C(error) (empty for success) of each.

    One at a time, the server answers success even where it did nothing.
    """
    keys = [{"id": id, "key": key} for id, key in sealed.items()]
    return _data(server.post(f"/providers/{provider_id}/users/confirm", json={"keys": keys}))


def set_role(server: Server, provider_id: str, user_id: str, type: int) -> None:
    """Give a user another role; C(user_id) is the C(id) of C(users)."""
    server.put(f"/providers/{provider_id}/users/{user_id}", json={"type": type})


def remove(server: Server, provider_id: str, ids: t.Sequence[str]) -> list[Members]:
    """Remove users; returns C(id) and C(error) (empty for success) of each."""
    return _data(server.request("DELETE", f"/providers/{provider_id}/users", json={"ids": list(ids)}).json())


# --- clients -------------------------------------------------------------------------------------------------------------


def clients(server: Server, provider_id: str) -> list[Members]:
    """Return every client.

    Each has C(id) (of the link), C(organizationId), C(organizationName), C(key) (exactly as it was posted), C(plan) (its name),
    C(seats), C(occupiedSeats), C(remainingSeats) and C(userCount) (confirmed members).
    """
    return _data(server.get(f"/providers/{provider_id}/organizations"))


def create_client(
    server: Server, provider_id: str, *, name: str, owner_email: str, plan_type: int, seats: int, new: NewOrganization
) -> None:
    """Create a client. The answer holds no id: C(new.key) in the list of C(clients) tells which one it is.

    The server works in steps that are not undone when a later one fails, so after any error the client may exist all the same.
    """
    body = {
        "name": name,
        "ownerEmail": owner_email,
        "planType": plan_type,
        "seats": seats,
        "key": new.key,
        "keyPair": {"publicKey": new.pair.public_key, "encryptedPrivateKey": new.pair.encrypted_private_key},
        "collectionName": new.collection_name,
    }
    server.post(f"/providers/{provider_id}/clients", json=body)


def update_client(server: Server, provider_id: str, link_id: str, *, name: str, seats: int) -> None:
    """Replace a client's name and seats; unchanged values change nothing but prove that the provider manages the client."""
    server.put(f"/providers/{provider_id}/clients/{link_id}", json={"name": name, "assignedSeats": seats})


def addable(server: Server, provider_id: str) -> list[Members]:
    """Return the organizations of the caller that could become clients: C(id), C(name), C(plan), C(seats), C(disabled)."""
    return t.cast("list[Members]", server.get(f"/providers/{provider_id}/clients/addable"))  # a bare list


def add_existing(server: Server, provider_id: str, organization_id: str, key: str) -> None:
    """Make an organization of the caller a client; C(key) is its key, wrapped. Its own subscription ends, for good."""
    server.post(f"/providers/{provider_id}/clients/existing", json={"organizationId": organization_id, "key": key})


def unlink(server: Server, provider_id: str, link_id: str) -> None:
    """Let go of a client, which gets a subscription of its own; 400 without a confirmed owner among its members."""
    server.delete(f"/providers/{provider_id}/organizations/{link_id}")


# --- billing -------------------------------------------------------------------------------------------------------------


def subscription(server: Server, provider_id: str) -> Members:
    """Return what is paid for: C(status), C(plans) with C(type), C(seatMinimum), C(purchasedSeats), ..., C(suspension)."""
    return server.request("GET", f"/providers/{provider_id}/billing/subscription").object("plans")


def _data(answer: t.Any) -> list[Members]:
    return t.cast("list[Members]", answer["data"])
