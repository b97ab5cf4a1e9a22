"""Policies of an organization, in the shapes of all releases. Source: bitwarden/server PoliciesController.cs and its history."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tests.lab import encrypted, invitations, policy_data, policy_rules
from tests.lab.core import World, invalid, not_found
from tests.lab.policy_data import MASTER_PASSWORD, SEND_CONTROLS, SINGLE_ORGANIZATION
from tests.lab.rights import Rights, demand
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, caller, guid, here, listed

routes = Blueprint("policies", __name__)

_BASE = "/organizations/<organization_id>/policies"
_NOBODY = "00000000-0000-0000-0000-000000000000"


def _saved(row: Row) -> Row:
    """The row, as PUT answers it and as older releases list it."""
    names = ("id", "organizationId", "type", "data", "enabled", "revisionDate")
    return {"object": "policy", **{name: row.get(name) for name in names}}


def _status(row: Row, can_toggle: bool = True) -> Row:
    """What newer releases show instead, without id and date."""
    about = {"organizationId": row["organizationId"], "type": row["type"], "data": row.get("data") or {}}
    return {"object": "policy", **about, "enabled": row["enabled"], "canToggleState": can_toggle}


def _listed(world: World, rows: list[Row]) -> Response:
    shape = _status if world.has("policies without id") else _saved
    return listed(shape(row) for row in rows)


@routes.get(_BASE)
def read_all(organization_id: str) -> Response:
    """What was saved at least once, and since 2026.4.0 type 21 in any case."""
    may = demand(organization_id, "managepolicies")
    rows = may.world.find("policy", organizationId=may.id)
    if policy_data.exists(may.world.version, SEND_CONTROLS) and not any(row["type"] == SEND_CONTROLS for row in rows):
        rows.append(policy_rules.send_controls(may.world, may.id))
    return _listed(may.world, rows)


def policies_of_user(world: World, user_id: str) -> list[Row]:
    """Return the policies of the organizations of a user, as clients keep them."""
    members = world.find("member", userId=user_id, status=2)
    return [_saved(row) for member in members for row in world.find("policy", organizationId=member["organizationId"])]


@routes.get(f"{_BASE}/<int:kind>")
def read(organization_id: str, kind: int) -> Response:
    """One policy; never saved is disabled."""
    may = demand(organization_id, "managepolicies")
    row = policy_rules.stored(may.world, may.id, kind)
    if kind == SEND_CONTROLS and policy_data.exists(may.world.version, SEND_CONTROLS):
        row = policy_rules.send_controls(may.world, may.id)
    toggles = kind != SINGLE_ORGANIZATION or not (row and row["enabled"] and _claims_domains(may))
    if may.world.has("single policy without id"):
        return answer(_status(row or {"organizationId": may.id, "type": kind, "enabled": False}, toggles))
    never = {"id": _NOBODY, "organizationId": _NOBODY, "type": kind, "enabled": False, "data": {}}
    return answer({**_saved(row or never), "canToggleState": toggles})


def _claims_domains(may: Rights) -> bool:
    return any(row["verifiedDate"] for row in may.world.find("domain", organizationId=may.id))


@routes.get(f"{_BASE}/master-password")
def master_password(organization_id: str) -> Response:
    """What a member's master password must be like."""
    who, world = caller(), here()
    organization = world.get("organization", guid(organization_id)) or {}
    member = world.one("member", organizationId=organization.get("id"), userId=who.id)
    row = policy_rules.stored(world, organization.get("id", ""), MASTER_PASSWORD)
    if not organization.get("usePolicies") or not member or not row or not row["enabled"]:
        raise not_found()
    return answer(_saved(row))


@routes.get(f"{_BASE}/token")
def read_by_token(organization_id: str) -> Response:
    """The enabled policies, for somebody who is invited and has no account yet."""
    world = here()
    organization = world.get("organization", guid(organization_id))
    row = world.get("member", guid(request.args.get("organizationUserId")))
    good = row and invitations.check(world, request.args.get("token"), row) == "good"
    if not organization or not organization["usePolicies"] or not row or not good or row["organizationId"] != organization["id"]:
        raise not_found()
    return _listed(world, world.find("policy", organizationId=organization["id"], enabled=True))


@routes.put(f"{_BASE}/<int:kind>")
def update(organization_id: str, kind: int) -> Response:
    """Save a policy: flat in older releases, inside C(policy) in newer ones."""
    may, fields = demand(organization_id, "managepolicies"), body()
    if may.world.has("policy in a wrapper"):
        return _save(may, kind, _wrapped(fields), fields, "Policy.")
    if not may.world.has("policy type in the path"):
        kind = _demanded(fields, "type", "Type")
    return _save(may, kind, fields, Fields({}), "")


@routes.put(f"{_BASE}/<int:kind>/vnext")
def update_vnext(organization_id: str, kind: int) -> Response:
    """The wrapper's own address, for a while."""
    may = demand(organization_id, "managepolicies")
    if not may.world.has("policies vnext") or may.world.has("no policies vnext"):
        raise not_found()
    fields = body()
    return _save(may, kind, _wrapped(fields), fields, "Policy.")


def _wrapped(fields: Fields) -> Fields:
    inner = fields.get("policy")
    if not isinstance(inner, dict):
        raise invalid("Policy", "The Policy field is required.")
    return Fields(inner)


def _demanded(fields: Fields, name: str, label: str) -> int:
    value = fields.get(name)
    if value is None:
        raise invalid(label, f"The {label.rpartition('.')[2]} field is required.")
    return int(value)


def own_name(fields: Fields) -> str | None:
    """Return the encrypted name for members' own collections out of a request's metadata."""
    name: str | None = Fields(fields.get("metadata") or {}).get("defaultUserCollectionName")
    encrypted.check("Metadata.DefaultUserCollectionName", name, required=False)
    return name


def _save(may: Rights, kind: int, fields: Fields, outer: Fields, prefix: str) -> Response:
    if not policy_data.exists(may.world.version, kind):
        raise invalid("type", f"The value '{kind}' is not valid.")
    enabled = bool(_demanded(fields, "enabled", f"{prefix}Enabled"))
    wish = policy_rules.Wish(kind, enabled, policy_data.checked(kind, fields.get("data")), own_name(outer))
    return answer(_saved(policy_rules.save(may, wish)))
