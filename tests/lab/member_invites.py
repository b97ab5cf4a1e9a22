"""How people come into an organization: invited, reminded, and by their own hand.

Source: bitwarden/server OrganizationService.cs (InviteUsersAsync), AcceptOrgUserCommand.cs.
"""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab import access, compliance, emails, invitations, seats
from tests.lab.core import World, bad_request, not_found
from tests.lab.events import record_event
from tests.lab.member_acts import NO_OWNER
from tests.lab.member_rows import ACCEPTED, CONFIRMED, CUSTOM, INVITED, OWNER, REVOKED, has_owner, new_member
from tests.lab.member_rules import bulk, check_role, chosen, each, permissions_in, role_in
from tests.lab.members import BASE, ONE
from tests.lab.rights import Actor, Rights, demand
from tests.lab.state import Row
from tests.lab.web import Fields, body, caller, empty, guid, guids, here

routes = Blueprint("member_invites", __name__)

_TOKENS = {"invalid": "Invalid token.", "expired": "Expired token."}
_WAITING = "Invitation already accepted. You will receive an email when your organization membership is confirmed."
_RESET = "Master Password reset is required, but not provided."
_TWO_STEP = "You cannot join this organization vault until you enable two-step login on your user account."
_LEAVE = "You cannot accept this invite until you leave all other organization vaults."
_KEPT = "You cannot accept this invite because you are a member of another organization vault which forbids it."


@routes.post(f"{BASE}/invite")
def invite(organization_id: str) -> Response:
    """Invite up to twenty addresses, all alike; who is already there is passed over without a word."""
    may, fields = demand(organization_id, "manageusers"), body()
    addresses, role, permissions = emails.invited(fields), role_in(fields), permissions_in(fields)
    selections = access.entries(fields, "collections")
    _check_collections(may, selections or [])
    access.check_exclusive(selections)
    check_role(may, None, role, permissions)
    new = [email for email in dict.fromkeys(addresses) if not find(may.world, may.id, email)]
    secrets_manager = _secrets_manager(may, fields, len(new))
    seats.take(may.world, may.organization, len(new))
    if role != OWNER and not has_owner(may.world, may.id):
        raise bad_request(NO_OWNER)
    if selections is None and new:
        raise seats.collected(["Value cannot be null. (Parameter 'source')"] * len(new))
    groups = guids(fields, "groups")
    for email in new:
        row = new_member(may.world, may.id, email, role, accessSecretsManager=secrets_manager)
        row["permissions"] = (permissions or permissions_in(Fields({"permissions": {}}))) if role == CUSTOM else None
        add(may, row, selections or [], groups)
    return empty()


def find(world: World, organization_id: str, email: str) -> Row | None:
    """Return the membership of an address, in whatever state."""
    return world.one("member", organizationId=organization_id, email=email)


def add(by: Actor, row: Row, selections: list[Row], groups: list[str]) -> Row:
    """Store a new member with his access and groups, and mail him."""
    by.world.put("member", row)
    access.replace_held(by.world, "memberId", row["id"], access.known(by.world, by.id, "collection", selections))
    known = access.known(by.world, by.id, "group", [{"id": one} for one in groups])
    access.replace_groups(by.world, row["id"], [one["id"] for one in known])
    invitations.send(by.world, "member", row)
    by.record(1500, organizationUserId=row["id"])
    return row


def _check_collections(may: Rights, selections: list[Row]) -> None:
    rows = [row for row in (may.world.get("collection", one["id"]) for one in selections) if row]
    if selections and not (rows and may.changes_users(rows)):
        raise not_found()


def _secrets_manager(may: Rights, fields: Fields, more: int) -> bool:
    """Say whether these people get Secrets Manager; too few of its seats are 404 on a self-hosted server."""
    if not fields.get("accessSecretsManager"):
        return False
    if not may.organization["useSecretsManager"]:
        raise bad_request("Organization does not use Secrets Manager")
    limit = may.organization["smSeats"]
    taken = may.world.count("member", organizationId=may.id, accessSecretsManager=True)
    if limit is not None and taken + more > limit and not may.world.cloud:
        raise not_found()
    return True


@routes.post(f"{BASE}/reinvite")
def reinvite_many(organization_id: str) -> Response:
    """Mail invitations once more."""
    may = demand(organization_id, "manageusers")
    return bulk(each(chosen(may, guids(body(), "ids")), lambda row: remind(may.world, row)))


@routes.post(f"{ONE}/reinvite")
def reinvite(organization_id: str, member_id: str) -> Response:
    """Mail an invitation once more; the old link holds as long as it did."""
    may = demand(organization_id, "manageusers")
    remind(may.world, next(iter(chosen(may, [guid(member_id)])), None))
    return empty()


def remind(world: World, row: Row | None) -> None:
    """Mail an invitation once more, if there is one."""
    if not row or row["status"] != INVITED:
        raise bad_request("User invalid.")
    invitations.send(world, "member", row)


@routes.post(f"{ONE}/accept")
def accept(organization_id: str, member_id: str) -> Response:
    """Accept an invitation, by the invited person's own token and that of the mail."""
    who, world, fields = caller(), here(), body()
    user, row = who.row, world.get("member", guid(member_id))
    recovery = fields.get("resetPasswordKey")
    enrolled = _enrols(world, guid(organization_id))
    if enrolled and not recovery:
        raise bad_request(_RESET)
    if not row:
        raise bad_request("User invalid.")
    if row["organizationId"] != guid(organization_id):
        raise not_found()
    _check_invitation(world, row, user, fields.get("token"))
    _check_policies(world, row, user["id"])
    row |= {"status": ACCEPTED, "userId": user["id"], "resetPasswordKey": recovery if enrolled else None}
    world.put("member", row)
    world.put("user", {**user, "emailVerified": True})
    for leader in world.find("member", organizationId=row["organizationId"], status=CONFIRMED):
        if leader["type"] < 2:
            world.mail(leader["email"], f"Action Required: {user['email']} Needs to Be Confirmed", "Confirm the new member.")
    if enrolled:
        record_event(world, 1506, row["organizationId"], who, organizationUserId=row["id"])
    return empty()


def _enrols(world: World, organization_id: str) -> bool:
    """Say whether everybody is enrolled in account recovery."""
    policy = world.one("policy", organizationId=organization_id, type=8, enabled=True)
    on = compliance.enforced(world, organization_id, 8)
    return on and bool(((policy or {}).get("data") or {}).get("autoEnrollEnabled"))


def _check_invitation(world: World, row: Row, user: Row, token: str | None) -> None:
    worth = invitations.check(world, token, row)
    if worth in _TOKENS:
        raise bad_request(_TOKENS[worth])
    if row["userId"] == user["id"] and row["status"] == ACCEPTED:
        raise bad_request(_WAITING)
    if row["userId"] == user["id"] and row["status"] == CONFIRMED:
        raise bad_request("You are already part of this organization.")
    if row["email"] != user["email"]:
        raise bad_request("User email does not match invite.")
    if row["status"] == REVOKED:
        name = (world.get("organization", row["organizationId"]) or {})["name"]
        raise bad_request(f"Your access to the {name} vault has been revoked.")
    if row["status"] != INVITED:
        raise bad_request("Already accepted.")


def _check_policies(world: World, row: Row, user_id: str) -> None:
    checks = (
        (compliance.leads_other_free_one, "You can only be an admin of 1 free organization vault."),
        (compliance.must_leave_others, _LEAVE),
        (compliance.is_kept_by_other, _KEPT),
        (compliance.lacks_two_step, _TWO_STEP),
    )
    for wrong, text in checks:
        if wrong(world, row, user_id):
            raise bad_request(text)
