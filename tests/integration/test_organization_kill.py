# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run that is broken off at any request, in any way, can be repeated: the same end, nothing twice, no second invitation."""

from __future__ import annotations

import pytest

from tests.integration.organization_world import Place, Result, at_owner, ok
from tests.integration.test_api_kill import KINDS, impatient
from tests.lab import Lab

# What is there before: each kind of change has something to do.
BEFORE: Result = {
    "settings": {"allow_admin_access_to_all_collection_items": True},
    "members": [
        *({"email": f"{name}@client.example"} for name in ("accepted", "demoted", "leaving", "suspended")),
        {"email": "back@client.example", "state": "present"},
    ],
    "groups": [{"name": "Old"}, {"name": "Kept", "members": ["leaving@client.example"]}],
    "collections": [{"name": "Old"}, {"name": "Kept", "groups": [{"name": "Old"}, {"name": "Kept"}]}],
    "policies": [{"type": "single_org"}, {"type": "require_sso"}],
    "max_affected": 5,
}
AFTER: Result = {
    "settings": {"limit_item_deletion": True},
    "members": [
        {"email": "accepted@client.example"},
        {"email": "demoted@client.example", "role": "custom", "permissions": ["manage_groups"]},
        {"email": "leaving@client.example", "state": "absent"},
        {"email": "suspended@client.example", "state": "revoked"},
        {"email": "back@client.example"},
        {"email": "new@client.example"},
        {"email": "lead@client.example", "role": "admin"},
    ],
    "groups": [
        {"name": "Old", "state": "absent"},
        {"name": "Kept", "members": ["accepted@client.example"]},
        {"name": "New", "members": ["new@client.example", "lead@client.example"]},
    ],
    "collections": [
        {"name": "Old", "state": "absent"},
        {"name": "Kept", "external_id": "kept"},
        {"name": "New", "groups": [{"name": "New", "permission": "manage"}]},
        {"name": "New/Below", "members": [{"email": "new@client.example", "permission": "view"}]},
    ],
    "policies": [{"type": "disable_send"}, {"type": "require_sso", "enabled": False}],
    "sso": {"identifier": "x", "oidc": {"authority": "https://idp.example.com", "client_id": "bw", "client_secret": "s3cret"}},
    "scim": {"enabled": True},
}


@pytest.mark.slow
def test_every_request(lab: Lab) -> None:
    place = at_owner(lab)
    _prepare(lab, place)
    before = lab.snapshot()
    lab.clear_requests()
    ok(place.run(**AFTER))
    asked, wanted = lab.requests("client"), _state(place)
    assert len({(request.method, request.path.rpartition("/")[2]) for request in asked if request.write}) > 12
    for index, request in enumerate(asked):
        for kind in KINDS if request.write else (KINDS[index % len(KINDS)],):  # reads are repeated below the engine already
            lab.restore(before)
            _kill(lab, place, kind, index)
            assert _state(place) == wanted, f"{kind} at {index}: {request.method} {request.path}"


def _prepare(lab: Lab, place: Place) -> None:
    ok(place.run(**BEFORE))
    lab.accept_invitation("accepted@client.example", server=place.server)
    ok(place.run("member", email="back@client.example", state="revoked"))


def _kill(lab: Lab, place: Place, kind: str, index: int) -> None:
    lab.clear_requests()
    lab.fault(kind, index=index)
    with impatient():
        first = place.run(**AFTER)
    lab.clear_faults()
    if first["failed"]:
        assert first["error"]["cause"], first
        assert first["error"]["field"], first
        ok(place.run(**AFTER))


def _state(place: Place) -> Result:
    """Everything that the description brings about, and every mail that was sent."""
    organization = place.lab.rows(place.server, "organization", id=place.organization_id)[0]
    return {
        "settings": organization["limitItemDeletion"],
        "members": sorted((row["email"], row["type"], row["status"]) for row in place.rows("member")),
        "groups": place.groups(),
        "collections": place.collections(),
        "policies": sorted((row["type"], row["enabled"]) for row in place.rows("policy")),
        "sso": place.lab.rows(place.server, "sso", id=place.organization_id)[0]["data"],
        "scim": [row["config"] for row in place.rows("connection", type=2)],
        "invitations": sorted(mail.to for mail in place.lab.mailbox() if "accept-organization" in mail.text),
    }
